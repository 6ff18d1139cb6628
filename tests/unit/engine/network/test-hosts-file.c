/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/network/hosts-file.h"
#include "lib/base/alloc.h"

#define L(...) ((char *[]) { __VA_ARGS__, NULL })
#define S(s)   ((char *) (s))

static void test_hosts(void **state) {
        _cleanup_(freep) char *own = NULL, *host = NULL;

        assert_ok(hosts_file_format(&(HostsFile) { .extra_hosts = L(S("db:10.1.2.3"),
                                                           S("six=[::1]"), S("s2:fe80::1")) },
                &own));
        assert_non_null(strstr(own, "127.0.0.1\tlocalhost\n"));
        assert_non_null(strstr(own, "10.1.2.3\tdb\n"));
        assert_non_null(strstr(own, "::1\tsix\n"));
        assert_non_null(strstr(own, "fe80::1\ts2\n"));

        assert_ok(hosts_file_format(
                &(HostsFile) { .host_hosts = "1.2.3.4 x", .extra_hosts = L(S("a:1.1.1.1")) },
                &host));
        assert_string_equal(host, "1.2.3.4 x\n1.1.1.1\ta\n");
}

static void test_checks(void **state) {
        static const char *const good[] = { "a:1.2.3.4", "a=::1", "a:[::1]", "a:fe80::1%eth0" };
        static const char *const bad[] = { "a", "a:", ":1.2.3.4", "a:b", "a:1.2.3.4\nx", "a:[::1",
                "a b:1.1.1.1" };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_int_equal(hosts_file_check_extra(good[i], NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(hosts_file_check_extra(bad[i], NULL), -EINVAL);
        assert_int_equal(hosts_file_check_extra("a:host-gateway", NULL), -EOPNOTSUPP);
        assert_int_equal(hosts_file_check_dns("1.1.1.1", NULL), 0);
        assert_int_equal(hosts_file_check_dns("one", NULL), -EINVAL);
}

static void test_resolv(void **state) {
        const char *host = "# c\nnameserver 127.0.0.53\nnameserver 9.9.9.9\nsearch lan\noptions "
                           "edns0\nsortlist 1\n";
        _cleanup_(freep) char *plain = NULL, *asked = NULL, *local = NULL, *shared = NULL,
                              *none = NULL;

        assert_ok(hosts_file_format_resolv(&(HostsFile) { .host_resolv = host }, &plain));
        assert_string_equal(plain, "nameserver 9.9.9.9\nsearch lan\noptions edns0\n");
        assert_ok(hosts_file_format_resolv(&(HostsFile) { .host_resolv = host,
                                                   .dns = L(S("1.1.1.1")),
                                                   .dns_search = L(S("a"), S("b")),
                                                   .dns_options = L(S("ndots:2")) },
                &asked));
        assert_string_equal(asked, "nameserver 1.1.1.1\nsearch a b\noptions ndots:2\n");
        assert_ok(hosts_file_format_resolv(
                &(HostsFile) { .host_resolv = "nameserver 127.0.0.1\n" }, &local));
        assert_string_equal(local, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
        assert_ok(hosts_file_format_resolv(
                &(HostsFile) { .host_resolv = "nameserver 127.0.0.1\n", .host_network = true },
                &shared));
        assert_string_equal(shared, "nameserver 127.0.0.1\n");
        assert_ok(hosts_file_format_resolv(
                &(HostsFile) { .host_resolv = host, .dns_search = L(S(".")) }, &none));
        assert_string_equal(none, "nameserver 9.9.9.9\noptions edns0\n");
}

static void test_write(void **state) {
        _cleanup_(fd_closep) int fd = file_open_dir(AT_FDCWD, *state);
        _cleanup_(freep) char *text = NULL;

        assert_ok(hosts_file_write(
                fd, &(HostsFile) { .hostname = "web", .domainname = "example.org" }));
        assert_ok(file_read_at(fd, "hostname", 100, &text, NULL));
        assert_string_equal(text, "web.example.org\n");
        assert_true(file_exists_at(fd, "hosts") > 0);
        assert_true(file_exists_at(fd, "resolv.conf") > 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hosts),
                cmocka_unit_test(test_checks),
                cmocka_unit_test(test_resolv),
                cmocka_unit_test_setup_teardown(
                        test_write, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("engine/network/hosts-file", tests, NULL, NULL);
}
