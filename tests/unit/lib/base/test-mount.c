/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Real mounts, in a mount namespace of this test's own. Where a user namespace is not allowed
 * either, it is skipped. */

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/mountinfo.h"
#include "lib/base/strv.h"
#include "tests/unit/test.h"

static bool in_namespace;

static int enter_namespace(void **state) {
        in_namespace = test_enter_mount_namespace();
        return 0;
}

/* A tmpfs over the empty folder that the test has. */
static int mount_tmpfs(void **state) {
        _cleanup_(strv_freep) char **options = strv_new("size=1m", "mode=0755");
        _cleanup_(fd_closep) int mount_fd = -EBADF, target = -EBADF;

        target = open(*state, O_PATH | O_DIRECTORY | O_CLOEXEC);
        mount_fd = mount_new("tmpfs", "stauer-test", options, MOUNT_ATTR_NOSUID, NULL);
        if (mount_fd < 0)
                return mount_fd;
        return mount_attach(mount_fd, target);
}

static void test_new(void **state) {
        _cleanup_(mountinfo_done) MountTable t = {}, after = {};
        _cleanup_(fd_closep) int root = -EBADF;
        const MountEntry *m;

        if (!in_namespace)
                skip();

        assert_int_equal(mount_is_mount_point(AT_FDCWD, *state), 0);
        assert_ok(mount_tmpfs(state));
        assert_int_equal(mount_is_mount_point(AT_FDCWD, *state), 1);
        assert_ok(mountinfo_read(NULL, &t));
        m = mountinfo_find(&t, *state);
        assert_non_null(m);
        assert_string_equal(m->type, "tmpfs");
        assert_string_equal(m->source, "stauer-test");
        assert_non_null(strstr(m->options, "nosuid"));

        root = test_folder_open(state);
        assert_ok(mount_change(root, MOUNT_ATTR_RDONLY, 0, 0, /* recursive= */ false));
        assert_int_equal(mkdirat(root, "x", 0700), -1);
        assert_int_equal(errno, EROFS);
        assert_ok(mount_detach(root));
        assert_ok(mountinfo_read(NULL, &after));
        assert_null(mountinfo_find(&after, *state));
}

static void test_error_text(void **state) {
        _cleanup_(strv_freep) char **options = strv_new("size=nonsense");
        _cleanup_(freep) char *text = NULL;

        if (!in_namespace)
                skip();

        assert_int_equal(mount_new("tmpfs", NULL, options, 0, &text), -EINVAL);
        assert_non_null(text);
        assert_non_null(strstr(text, "size"));
        assert_int_equal(mount_new("no-such-fs", NULL, NULL, 0, NULL), -ENODEV);
}

/* What is mounted inside a tree is neither emptied nor walked into. */
static void test_boundaries(void **state) {
        _cleanup_(fd_closep) int outer = -EBADF, inner = -EBADF, copy = -EBADF, target = -EBADF;

        if (!in_namespace)
                skip();

        assert_ok(mount_tmpfs(state));
        outer = test_folder_open(state);
        inner = file_mkdir_open(outer, "inner", 0755);
        target = file_mkdir_open(outer, "tree", 0755);
        assert_int_equal(mkdirat(target, "below", 0755), 0);
        target = fd_close(target);
        target = openat(outer, "tree/below", O_PATH | O_CLOEXEC);

        /* The same file system, by a bind mount: only the kernel tells them apart. */
        assert_ok(file_write_atomic_string(inner, "canary", "x", 0600, 0));
        copy = mount_clone(inner, /* recursive= */ false);
        assert_true(copy >= 0);
        assert_ok(mount_attach(copy, target));
        assert_int_equal(file_exists_at(outer, "tree/below/canary"), 1);
        assert_int_equal(
                beneath_open(outer, "tree/below/canary", O_RDONLY, 0, BENEATH_NO_XDEV), -EXDEV);
        copy = fd_close(copy);
        copy = beneath_open(outer, "tree/below/canary", O_RDONLY, 0, 0);
        assert_true(copy >= 0);
        assert_int_equal(file_remove_tree(outer, "tree"), -EXDEV);
        assert_int_equal(file_exists_at(inner, "canary"), 1);
        assert_ok(mount_detach(outer));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_new, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_error_text, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_boundaries, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("mount", tests, enter_namespace, NULL);
}
