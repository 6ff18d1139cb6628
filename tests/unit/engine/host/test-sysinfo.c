/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/host/sysinfo.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/strv.h"

static void put(const char *root, const char *path, const char *text) {
        _cleanup_(freep) char *whole = path_join(root, path), *folder = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        assert_ok(path_parent(whole, &folder));
        assert_ok(file_mkdir_p(folder, 0755));
        fd = file_open_dir(AT_FDCWD, folder);
        assert_ok(file_write_atomic_string(fd, path_last(path), text, 0644, 0));
}

static void test_nothing_there(void **state) {
        _cleanup_(sysinfo_freep) SysInfo *s = NULL;

        assert_ok(sysinfo_new(*state, &s));
        assert_false(s->cgroup_v2);
        assert_false(s->has_memory);
        assert_false(s->has_seccomp);
        assert_true(s->n_cpus >= 1);
        assert_string_equal(s->os_name, "Linux");
        assert_non_null(s->kernel_version);
}

static void test_a_host(void **state) {
        _cleanup_(sysinfo_freep) SysInfo *s = NULL;
        const char *root = *state;

        put(root, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
        put(root, "/sys/devices/system/cpu/online", "0-2,5\n");
        put(root, "/sys/devices/system/node/online", "0\n");
        put(root, "/sys/devices/system/cpu/cpu1/thermal_throttle/x", "");
        put(root, "/proc/meminfo", "MemTotal:        2048 kB\nMemFree: 1 kB\n");
        put(root, "/proc/swaps", "Filename\n");
        put(root, "/proc/sys/kernel/osrelease", "6.12.3-test\n");
        put(root, "/proc/sys/kernel/cap_last_cap", "37\n");
        put(root, "/proc/sys/kernel/random/boot_id", "boot\n");
        put(root, "/proc/sys/kernel/seccomp/actions_avail", "allow\n");
        put(root, "/sys/module/apparmor/parameters/enabled", "N\n");
        put(root, "/etc/os-release", "NAME=x\nPRETTY_NAME=\"Test OS 1\"\nVERSION_ID='1'\n");
        assert_ok(sysinfo_new(root, &s));

        assert_true(s->cgroup_v2);
        assert_true(s->has_cpu && s->has_cpuset && s->has_memory && s->has_swap && s->has_io &&
                    s->has_pids);
        assert_false(s->has_io_weight);
        assert_int_equal(s->n_cpus, 4);
        assert_string_equal(s->cpus, "0-2,5");
        assert_int_equal(s->memory_total, 2048 * 1024);
        assert_int_equal(s->kernel[0], 6);
        assert_int_equal(s->kernel[1], 12);
        assert_int_equal(s->last_capability, 37);
        assert_string_equal(s->boot_id, "boot");
        assert_true(s->has_seccomp);
        assert_false(s->has_apparmor);
        assert_string_equal(s->os_name, "Test OS 1");
        assert_string_equal(s->os_version, "1");
        assert_int_equal(strv_length(s->thermal_throttle), 1);
        assert_string_equal(
                s->thermal_throttle[0], "/sys/devices/system/cpu/cpu1/thermal_throttle");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_nothing_there, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_a_host, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("engine/host/sysinfo", tests, NULL, NULL);
}
