/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <string.h>

#include "engine/network/upstream.h"
#include "lib/event/loop.h"

static void assert_server(const Upstreams *l, size_t i, const char *expected) {
        char text[INET6_ADDRSTRLEN];

        assert_true(i < l->n);
        if (l->items[i].address.any.sa_family == AF_INET)
                assert_non_null(
                        inet_ntop(AF_INET, &l->items[i].address.four.sin_addr, text, sizeof(text)));
        else
                assert_non_null(inet_ntop(
                        AF_INET6, &l->items[i].address.six.sin6_addr, text, sizeof(text)));
        assert_string_equal(text, expected);
}

static void test_text(void **state) {
        Upstream u, other;
        Upstreams l;

        assert_ok(upstreams_from_file("# nameserver 9.9.9.9\nsearch x\nnameserver 127.0.0.53\n"
                                      "nameserver\t::1 \nnameserver name\nnameserver 10.0.0.1\n"
                                      "nameserver 10.0.0.2",
                &l));
        assert_int_equal(l.n, 3);
        assert_server(&l, 0, "127.0.0.53");
        assert_server(&l, 1, "::1");
        assert_server(&l, 2, "10.0.0.1");
        assert_int_equal(l.items[0].address.four.sin_port, htons(53));

        assert_ok(upstreams_from_file(NULL, &l));
        assert_int_equal(l.n, 1);
        assert_server(&l, 0, "127.0.0.1");

        upstreams_from_list((char *[]) { (char *) "x", (char *) "10.0.0.9", NULL }, &l);
        assert_int_equal(l.n, 1);
        upstreams_from_list(NULL, &l);
        assert_int_equal(l.n, 0);

        assert_int_equal(upstream_parse("fe80::1%no-such-link", &u), -ENODEV);
        assert_int_equal(upstream_parse("fe80::1%a-very-long-name-of-a-link", &u), -EINVAL);
        assert_ok(upstream_parse("fe80::1%lo", &u));
        assert_true(u.address.six.sin6_scope_id > 0);
        assert_ok(upstream_parse("fe80::1", &other));
        assert_false(upstream_equal(&u, &other));
        assert_true(upstream_equal(&u, &u));
}

static const char *expected_server;

/* Until the list says so, or the time is up. */
static void wait_for(sd_event *e, HostUpstreams *h, const char *expected) {
        expected_server = expected;
        for (unsigned i = 0; i < 50; i++) {
                const Upstreams *l = host_upstreams_get(h);
                char text[INET_ADDRSTRLEN];

                if (l->n == 1 && strcmp(inet_ntop(AF_INET, &l->items[0].address.four.sin_addr, text,
                                                sizeof(text)),
                                         expected) == 0)
                        return;
                assert_ok(sd_event_run(e, 100000));
        }
        fail_msg("The server is not %s", expected_server);
}

/* As systemd-resolved and NetworkManager do it: the file is a link into a folder where it is replaced. */
static void test_changes(void **state) {
        _cleanup_(fd_closep) int fd = test_folder_open(state);
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(host_upstreams_freep) HostUpstreams *h = NULL;
        char path[256];

        (void) snprintf(path, sizeof(path), "%s/etc/resolv.conf", (const char *) *state);
        assert_return_code(mkdirat(fd, "etc", 0755), errno);
        assert_return_code(mkdirat(fd, "run", 0755), errno);
        assert_return_code(symlinkat("../run/stub.conf", fd, "etc/resolv.conf"), errno);
        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(host_upstreams_new(e, path, &h));
        assert_server(host_upstreams_get(h), 0, "127.0.0.1"); /* a link to nowhere yet */

        assert_ok(file_write_atomic_string(fd, "run/stub.conf", "nameserver 10.0.0.1\n", 0644, 0));
        wait_for(e, h, "10.0.0.1");
        assert_ok(file_write_atomic_string(fd, "run/stub.conf", "nameserver 10.0.0.2\n", 0644, 0));
        wait_for(e, h, "10.0.0.2");
        assert_ok(
                file_write_atomic_string(fd, "etc/resolv.conf", "nameserver 10.0.0.3\n", 0644, 0));
        wait_for(e, h, "10.0.0.3");
        assert_return_code(unlinkat(fd, "etc/resolv.conf", 0), errno);
        wait_for(e, h, "127.0.0.1");
        assert_ok(
                file_write_atomic_string(fd, "etc/resolv.conf", "nameserver 10.0.0.4\n", 0644, 0));
        wait_for(e, h, "10.0.0.4");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test_setup_teardown(
                        test_changes, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("engine/network/upstream", tests, NULL, NULL);
}
