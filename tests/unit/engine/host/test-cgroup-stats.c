/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/host/cgroup-stats.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"

static void test_host(void **state) {
        HostCpu h;

        host_cpu_parse(
                "cpu  1 2 3 4 5 6 7 100 100\ncpu0 1 2 3 4 5 6 7\ncpu1 0 0\nintr 5 cpu2\n", 100, &h);
        assert_int_equal(h.busy_nsec, 280000000);
        assert_int_equal(h.n_cpus, 2);
        host_cpu_parse("", 100, &h);
        assert_int_equal(h.busy_nsec, 0);
        assert_int_equal(h.n_cpus, 0);
}

static void test_io(void **state) {
        CgroupStats s = {};

        assert_ok(cgroup_stats_parse_io("8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0\n"
                                        "bad rbytes=1\n254:16 wbytes=x rbytes=7\n",
                &s));
        assert_int_equal(s.n_devices, 2);
        assert_int_equal(s.devices[0].write_bytes, 20);
        assert_int_equal(s.devices[1].major, 254);
        assert_int_equal(s.devices[1].minor, 16);
        assert_int_equal(s.devices[1].read_bytes, 7);
        assert_int_equal(s.devices[1].write_bytes, 0);
        cgroup_stats_done(&s);
}

static void write_file(const char *folder, const char *name, const char *text) {
        _cleanup_(fd_closep) int fd = file_open_dir(AT_FDCWD, folder);

        assert_ok(file_write_atomic_string(fd, name, text, 0644, 0));
}

/* Limits and what they cause are the scope's, figures the container's own. */
static void test_folders(void **state) {
        const char *scope = *state;
        _cleanup_(freep) char *own = path_join(scope, "container");
        CgroupStats s;

        assert_int_equal(cgroup_stats_read(scope, own, &s), -ENOENT);
        assert_ok(file_mkdir_p(own, 0755));
        assert_ok(cgroup_stats_read(scope, own, &s));
        assert_int_equal(s.memory_limit, 0);
        assert_int_equal(s.n_devices, 0);

        write_file(scope, "memory.max", "max\n");
        write_file(scope, "pids.max", "100\n");
        write_file(scope, "cpu.stat",
                "usage_usec 9\nnr_periods 4\nnr_throttled 3\nthrottled_usec 2\n");
        write_file(scope, "memory.events", "low 0\noom 6\noom_kill 5\n");
        write_file(own, "cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 0\n");
        write_file(own, "memory.stat", "anon 11\nfile 12\ninactive_file 13\nanon_thp 14\n");
        write_file(own, "memory.current", "4096\n");
        write_file(own, "memory.max", "77\n");
        write_file(own, "pids.current", "2\n");
        write_file(own, "pids.max", "20\n"); /* the scope's is for the monitor, too */
        assert_ok(cgroup_stats_read(scope, own, &s));
        assert_true(s.memory_limit == UINT64_MAX);
        assert_int_equal(s.pids_limit, 20);
        assert_int_equal(s.memory_failures, 6);
        assert_int_equal(s.cpu_usage_nsec, 5000);
        assert_int_equal(s.cpu_periods, 4);
        assert_int_equal(s.cpu_throttled_periods, 3);
        assert_int_equal(s.cpu_throttled_nsec, 2000);
        assert_int_equal(s.memory_current, 4096);
        assert_int_equal(s.pids_current, 2);
        assert_int_equal(cgroup_stats_memory(&s, "anon"), 11);
        assert_int_equal(cgroup_stats_memory(&s, "inactive_file"), 13);
        assert_int_equal(cgroup_stats_memory(&s, "anon_thp"), 14);
        assert_int_equal(cgroup_stats_memory(&s, "nothing"), 0);
        cgroup_stats_done(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_host),
                cmocka_unit_test(test_io),
                cmocka_unit_test_setup_teardown(
                        test_folders, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("engine/host/cgroup-stats", tests, NULL, NULL);
}
