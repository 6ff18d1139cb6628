/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>
#include <systemd/sd-bus.h>

#include "engine/host/unit-properties.h"

static void test_cpus(void **state) {
        _cleanup_(unit_properties_done) UnitProperties p = {};
        const UnitProperty *i;

        assert_ok(unit_properties_add_cpus(&p, "AllowedCPUs", "0-2,9"));
        i = unit_properties_find(&p, "AllowedCPUs");
        assert_int_equal(i->size, 2);
        assert_int_equal((unsigned char) i->text[0], 0x07);
        assert_int_equal((unsigned char) i->text[1], 0x02);
        assert_int_equal(unit_properties_add_cpus(&p, "AllowedCPUs", "3-1"), -EINVAL);
        assert_int_equal(unit_properties_add_cpus(&p, "AllowedCPUs", ""), -EINVAL);
        assert_null(unit_properties_find(&p, "Nothing"));
}

/* The message is one that systemd's signature takes. */
static void test_message(void **state) {
        _cleanup_(unit_properties_done) UnitProperties p = {};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        const char *name, *contents;
        unsigned n = 0;
        int pair[2], r;

        /* A bus that is never spoken to. */
        assert_ok(fd_socketpair(SOCK_STREAM, pair));
        assert_ok(sd_bus_new(&bus));
        assert_ok(sd_bus_set_fd(bus, pair[0], pair[0]));
        assert_ok(sd_bus_start(bus));

        assert_ok(unit_properties_add_string(&p, "Slice", "machine.slice"));
        assert_ok(unit_properties_add_strv(
                &p, "After", (char *[]) { (char *) "a", (char *) "b", NULL }));
        assert_ok(unit_properties_add_bool(&p, "Delegate", true));
        assert_ok(unit_properties_add_u64(&p, "TasksMax", UINT64_MAX));
        assert_ok(unit_properties_add_cpus(&p, "AllowedCPUs", "1"));
        assert_ok(unit_properties_add_pair(&p, "DeviceAllow", "/dev/null", "rwm"));
        assert_ok(unit_properties_add_pair_u64(&p, "IOReadBandwidthMax", "/dev/sda", 1));
        assert_ok(unit_properties_add_pid(&p, "PIDs", 77));

        assert_ok(sd_bus_message_new_signal(bus, &m, "/x", "x.y", "Z"));
        assert_ok(unit_properties_append(&p, m));
        assert_ok(sd_bus_message_seal(m, 1, 0));
        assert_string_equal(sd_bus_message_get_signature(m, true), "a(sv)");
        assert_true(sd_bus_message_enter_container(m, 'a', "(sv)") > 0);
        while ((r = sd_bus_message_enter_container(m, 'r', "sv")) > 0) {
                assert_true(sd_bus_message_read(m, "s", &name) > 0);
                assert_true(sd_bus_message_peek_type(m, NULL, &contents) > 0);
                if (strcmp(name, "PIDs") == 0) {
                        uint32_t pid;

                        assert_string_equal(contents, "au");
                        assert_true(sd_bus_message_read(m, "v", "au", 1, &pid) > 0);
                        assert_int_equal(pid, 77);
                } else
                        assert_true(sd_bus_message_skip(m, "v") >= 0);
                assert_ok(sd_bus_message_exit_container(m));
                n++;
        }
        assert_int_equal(n, 8);
        fd_close(pair[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cpus),
                cmocka_unit_test(test_message),
        };

        return cmocka_run_group_tests_name("engine/host/unit-properties", tests, NULL, NULL);
}
