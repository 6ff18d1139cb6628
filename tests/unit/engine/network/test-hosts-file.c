/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/network/hosts-file.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

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

static void test_bridge(void **state) {
        _cleanup_(freep) char *text = NULL, *domain = NULL;
        const HostsLink links[] = { { "172.17.0.2", "db 0123456789ab database" } };
        const HostsFile h = {
                .hostname = "web",
                .addresses = L(S("172.17.0.3"), S("fd00::3")),
                .extra_hosts = L(S("up:host-gateway"), S("x:1.1.1.1")),
                .host_gateways = L(S("172.17.0.1"), S("fd00::1")),
                .links = links,
                .n_links = 1,
        };

        assert_ok(hosts_file_format(&h, &text));
        assert_non_null(str_ends(text,
                "ff02::2\tip6-allrouters\n172.17.0.1\tup\nfd00::1\tup\n1.1.1.1\tx\n"
                "172.17.0.2\tdb 0123456789ab database\n172.17.0.3\tweb\nfd00::3\tweb\n"));
        assert_ok(hosts_file_format(
                &(HostsFile) {
                        .hostname = "web", .domainname = "lan", .addresses = L(S("172.17.0.3")) },
                &domain));
        assert_non_null(str_ends(domain, "172.17.0.3\tweb.lan web\n"));
}

/* A running container comes into another network: what was written there by hand stays. */
static void test_edit(void **state) {
        _cleanup_(freep) char *come = NULL, *gone = NULL, *same = NULL;
        const HostsFile both = { .hostname = "web", .addresses = L(S("10.0.0.2"), S("10.1.0.2")) };
        const HostsFile one = { .hostname = "web", .addresses = L(S("10.1.0.2")) };

        assert_ok(hosts_file_edit(&both, "10.0.0.2\tweb\n9.9.9.9 mine", NULL, &come));
        assert_string_equal(come, "10.0.0.2\tweb\n9.9.9.9 mine\n10.1.0.2\tweb\n");
        assert_ok(hosts_file_edit(&one, come, L(S("10.0.0.2")), &gone));
        assert_string_equal(gone, "9.9.9.9 mine\n10.1.0.2\tweb\n");
        assert_ok(hosts_file_edit(&one, gone, NULL, &same));
        assert_string_equal(same, gone);
}

static void test_checks(void **state) {
        static const char *const good[] = { "a:1.2.3.4", "a=::1", "a:[::1]", "a:fe80::1%eth0" };
        static const char *const bad[] = { "a", "a:", ":1.2.3.4", "a:b", "a:1.2.3.4\nx", "a:[::1",
                "a b:1.1.1.1" };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_int_equal(hosts_file_check_extra(good[i], NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(hosts_file_check_extra(bad[i], NULL), -EINVAL);
        assert_int_equal(hosts_file_check_extra("a:host-gateway", NULL), 0);
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

static void test_resolver(void **state) {
        const char *host = "nameserver 127.0.0.53\nnameserver fd00::1\noptions edns0\nsearch lan\n";
        _cleanup_(freep) char *user = NULL, *ndots = NULL, *six = NULL, *four = NULL;

        assert_ok(hosts_file_format_resolv(
                &(HostsFile) { .host_resolv = host, .resolver = true, .dns = L(S("1.1.1.1")) },
                &user));
        assert_string_equal(
                user, "options edns0\nsearch lan\nnameserver 127.0.0.11\noptions ndots:0\n");
        assert_ok(hosts_file_format_resolv(
                &(HostsFile) {
                        .host_resolv = host, .resolver = true, .dns_options = L(S("ndots:2")) },
                &ndots));
        assert_string_equal(ndots, "search lan\nnameserver 127.0.0.11\noptions ndots:2\n");
        assert_ok(
                hosts_file_format_resolv(&(HostsFile) { .host_resolv = host, .ipv6 = true }, &six));
        assert_string_equal(six, "nameserver fd00::1\noptions edns0\nsearch lan\n");
        assert_ok(hosts_file_format_resolv(&(HostsFile) { .host_resolv = host }, &four));
        assert_string_equal(
                four, "options edns0\nsearch lan\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n");

        assert_true(hosts_file_is_stub("# x\nnameserver 127.0.0.53\noptions edns0\n"));
        assert_true(hosts_file_is_stub("nameserver\t127.0.0.53"));
        assert_false(hosts_file_is_stub("nameserver 127.0.0.53\nnameserver 1.1.1.1\n"));
        assert_false(hosts_file_is_stub("nameserver 127.0.0.5\n"));
        assert_false(hosts_file_is_stub("search lan\n"));
        assert_false(hosts_file_is_stub(NULL));
}

static void assert_file(int fd, const char *name, const char *end) {
        _cleanup_(freep) char *text = NULL;

        assert_ok(file_read_at(fd, name, 4096, &text, NULL));
        assert_non_null(str_ends(text, end));
}

/* In place: the container has the old file mounted. */
static void test_update(void **state) {
        _cleanup_(fd_closep) int fd = file_open_dir(AT_FDCWD, *state);
        const HostsFile before = { .hostname = "web",
                .addresses = L(S("10.0.0.2")),
                .host_resolv = "nameserver 9.9.9.9\n" };
        HostsFile after = before;
        struct stat st, same;

        after.resolver = true;
        after.addresses = L(S("10.1.0.2"));
        assert_ok(hosts_file_write(fd, &before));
        assert_return_code(fstatat(fd, "hosts", &st, 0), errno);
        assert_ok(hosts_file_update(fd, &after, L(S("10.0.0.2"))));
        assert_return_code(fstatat(fd, "hosts", &same, 0), errno);
        assert_int_equal(st.st_ino, same.st_ino);
        assert_file(fd, "hosts", "allrouters\n10.1.0.2\tweb\n");
        assert_file(fd, "resolv.conf", "nameserver 127.0.0.11\noptions ndots:0\n");

        assert_ok(hosts_file_update(fd, &before, L(S("10.1.0.2"))));
        assert_file(fd, "resolv.conf", "nameserver 9.9.9.9\n");
        assert_ok(file_write_atomic_string(fd, "resolv.conf", "nameserver 1.1.1.1\n", 0644, 0));
        assert_ok(hosts_file_update(fd, &after, NULL));
        assert_file(fd, "resolv.conf", "nameserver 1.1.1.1\n");
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
                cmocka_unit_test(test_bridge),
                cmocka_unit_test(test_edit),
                cmocka_unit_test(test_resolv),
                cmocka_unit_test(test_resolver),
                cmocka_unit_test_setup_teardown(
                        test_update, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_write, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("engine/network/hosts-file", tests, NULL, NULL);
}
