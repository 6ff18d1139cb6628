/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/host/cgroup.h"
#include "lib/base/path.h"
#include "lib/base/alloc.h"

static void test_keyed(void **state) {
        assert_int_equal(cgroup_parse_keyed("usage_usec 12\nuser_usec 7\n", "user_usec"), 7);
        assert_int_equal(cgroup_parse_keyed("low 0\noom 1\noom_kill 3\n", "oom_kill"), 3);
        assert_int_equal(cgroup_parse_keyed("oom_kill_x 3", "oom_kill"), UINT64_MAX);
        assert_int_equal(cgroup_parse_keyed("", "x"), UINT64_MAX);
}

static void test_io(void **state) {
        CgroupFigures f;

        cgroup_parse_io("8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n254:1 rbytes=5 "
                        "wbytes=1 rios=1 wios=1\n",
                &f);
        assert_int_equal(f.io_read_bytes, 15);
        assert_int_equal(f.io_write_bytes, 21);
        assert_int_equal(f.io_read_operations, 2);
        assert_int_equal(f.io_write_operations, 3);
        cgroup_parse_io("8:0 rbytes=x\n", &f);
        assert_int_equal(f.io_read_bytes, 0);
}

static void write_file(const char *folder, const char *name, const char *text) {
        _cleanup_(fd_closep) int fd = file_open_dir(AT_FDCWD, folder);

        assert_ok(file_write_atomic_string(fd, name, text, 0644, 0));
}

static void test_folder(void **state) {
        const char *folder = *state;
        CgroupFigures f;

        cgroup_read("/nowhere/at/all", &f);
        assert_int_equal(f.cpu_usage_nsec, UINT64_MAX);

        write_file(folder, "cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\n");
        write_file(folder, "pids.peak", "4\n");
        write_file(folder, "memory.peak", "max\n");
        cgroup_read(folder, &f);
        assert_int_equal(f.cpu_usage_nsec, 5000);
        assert_int_equal(f.pids_peak, 4);
        assert_int_equal(f.memory_peak, UINT64_MAX);
        assert_int_equal(f.io_read_bytes, UINT64_MAX); /* no controller, no figure */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keyed),
                cmocka_unit_test(test_io),
                cmocka_unit_test_setup_teardown(
                        test_folder, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("engine/host/cgroup", tests, NULL, NULL);
}
