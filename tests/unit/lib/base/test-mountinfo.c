/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/mountinfo.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void test_parse(void **state) {
        _cleanup_(mountinfo_done) MountTable t = {};

        assert_ok(mountinfo_parse("36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 "
                                  "/dev/r\\134oot rw,errors=x\n"
                                  "37 35 0:5 / /mnt\\0402/b ro - tmpfs  rw\n"
                                  "38 37 0:6 / /mnt\\0402/b rw - overlay overlay",
                &t));
        assert_int_equal(t.n_entries, 3);
        assert_string_equal(t.entries[0].target, "/mnt 2");
        assert_string_equal(t.entries[0].source, "/dev/r\\oot");
        assert_string_equal(t.entries[0].propagation, "master:1 shared:7");
        assert_string_equal(t.entries[0].super_options, "rw,errors=x");
        assert_int_equal(major(t.entries[0].device), 98);
        assert_string_equal(t.entries[1].source, "");
        assert_string_equal(t.entries[1].propagation, "");
        assert_string_equal(t.entries[2].super_options, "");

        assert_ptr_equal(mountinfo_find(&t, "/mnt 2/b"), t.entries + 2);
        assert_null(mountinfo_find(&t, "/mnt 2/c"));
        assert_ptr_equal(mountinfo_find_above(&t, "/mnt 2/c"), t.entries + 0);
        assert_ptr_equal(mountinfo_find_above(&t, "/mnt 2/b/c"), t.entries + 2);
        assert_null(mountinfo_find_above(&t, "/"));
}

static void test_wrong(void **state) {
        static const char *const rows[] = { "\n", "36 35 98:0 / / rw\n",
                "36 35 98 / / rw - a b c\n", "x 35 98:0 / / rw - a b c\n",
                "36 35 98:0 / / rw -\n" };
        MountTable t = {};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(mountinfo_parse(rows[i], &t), -EBADMSG);
        assert_ok(mountinfo_parse("", &t));
        assert_int_equal(t.n_entries, 0);
}

static void test_host(void **state) {
        _cleanup_(mountinfo_done) MountTable t = {};

        assert_ok(mountinfo_read(NULL, &t));
        assert_true(t.n_entries > 0);
        assert_non_null(mountinfo_find(&t, "/proc"));
        assert_int_equal(mount_is_mount_point(AT_FDCWD, "/proc"), 1);
        assert_int_equal(mount_is_mount_point(AT_FDCWD, "/proc/self/"), 0);
        assert_int_equal(mount_is_mount_point(AT_FDCWD, "/none"), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_host),
        };

        return cmocka_run_group_tests_name("mountinfo", tests, NULL, NULL);
}
