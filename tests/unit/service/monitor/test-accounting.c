/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "service/monitor/accounting.h"

static void test_cpu(void **state) {
        Accounting a = ACCOUNTING_NULL;

        accounting_parse_cpu(
                "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\nnr_periods 0\n", &a);
        assert_true(a.cpu_usage_nsec == 1234567000);
        assert_true(a.cpu_user_nsec == 1000000000);
        assert_true(a.cpu_system_nsec == 234567000);

        accounting_parse_cpu("usage_usec 18446744073709551615\nuser_usec x\n", &a);
        assert_true(a.cpu_usage_nsec == UINT64_MAX);
        assert_true(a.cpu_user_nsec == UINT64_MAX);
        assert_true(a.cpu_system_nsec == UINT64_MAX);
}

static void test_io(void **state) {
        Accounting a = ACCOUNTING_NULL;

        accounting_parse_io("8:0 rbytes=100 wbytes=20 rios=3 wios=4 dbytes=0 dios=0\n"
                            "253:1 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"
                            "7:0 \n",
                &a);
        assert_true(a.io_read_bytes == 101);
        assert_true(a.io_write_bytes == 22);
        assert_true(a.io_read_operations == 6);
        assert_true(a.io_write_operations == 8);

        accounting_parse_io("", &a); /* nothing was read or written, which is known */
        assert_true(a.io_read_bytes == 0);
        accounting_parse_io(
                "1:1 rbytes=18446744073709551614 wbytes=x\n1:2 rbytes=18446744073709551614\n", &a);
        assert_true(a.io_read_bytes == UINT64_MAX - 1);
        assert_true(a.io_write_bytes == 0);
}

static void test_memory_events(void **state) {
        Accounting a = ACCOUNTING_NULL;

        accounting_parse_memory_events(
                "low 0\nhigh 0\nmax 21\noom 3\noom_kill 2\noom_group_kill 0\n", &a);
        assert_true(a.oom_kills == 2);
        accounting_parse_memory_events("low 0\n", &a);
        assert_true(a.oom_kills == UINT64_MAX);
}

static void test_find(void **state) {
        assert_true(accounting_find("oom_killer 1\noom_kill 2", "oom_kill") == 2);
        assert_true(accounting_find("a 99999999999999999999999", "a") == UINT64_MAX);
        assert_true(accounting_find("", "a") == UINT64_MAX);
}

static void test_no_cgroup(void **state) {
        Accounting a = {}, none = ACCOUNTING_NULL;

        accounting_read(-EBADF, &a);
        assert_memory_equal(&a, &none, sizeof(a));
}

static void test_folder(void **state) {
        int fd = test_folder_open(state);
        Accounting a;

        assert_ok(file_write_atomic_string(
                fd, "cpu.stat", "usage_usec 7\nuser_usec 4\nsystem_usec 3\n", 0600, 0));
        assert_ok(file_write_atomic_string(fd, "memory.peak", "4096\n", 0600, 0));
        assert_ok(file_write_atomic_string(fd, "pids.peak", "max\n", 0600, 0));
        accounting_read(fd, &a);
        assert_true(a.cpu_usage_nsec == 7000);
        assert_true(a.memory_peak == 4096);
        assert_true(a.pids_peak == UINT64_MAX);
        assert_true(a.io_read_bytes == UINT64_MAX);
        assert_true(a.oom_kills == UINT64_MAX);
        fd_close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cpu),
                cmocka_unit_test(test_io),
                cmocka_unit_test(test_memory_events),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_no_cgroup),
                cmocka_unit_test_setup_teardown(
                        test_folder, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
