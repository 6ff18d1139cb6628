/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/beneath.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

/* root/ with links that lead up, away, around; canary beside it. */
static int make_root(void **state) {
        _cleanup_(fd_closep) int dir = test_folder_open(state);
        int root;

        assert_ok(file_write_atomic_string(dir, "canary", "outside", 0600, 0));
        root = file_mkdir_open(dir, "root", 0755);
        assert_true(root >= 0);
        assert_int_equal(mkdirat(root, "etc", 0755), 0);
        assert_ok(file_write_atomic_string(root, "etc/passwd", "inside", 0644, 0));
        assert_int_equal(symlinkat("../../../../..", root, "up"), 0);
        assert_int_equal(symlinkat("/etc/passwd", root, "absolute"), 0);
        assert_int_equal(symlinkat("../canary", root, "canary"), 0);
        assert_int_equal(symlinkat("loop", root, "loop"), 0);
        assert_int_equal(symlinkat("nowhere", root, "dangling"), 0);
        assert_int_equal(symlinkat("/proc/self/root/etc/passwd", root, "magic"), 0);
        assert_int_equal(symlinkat("/etc", root, "conf"), 0);
        return root;
}

static void check_read(int root, const char *path, BeneathFlags how, const char *expected) {
        _cleanup_(freep) char *text = NULL;
        int fd;

        fd = beneath_open(root, path, O_RDONLY, 0, how);
        assert_true(fd >= 0);
        assert_ok(file_read_fd(fd, 100, &text, NULL));
        assert_string_equal(text, expected);
        (void) fd_close(fd);
}

static void test_open(void **state) {
        _cleanup_(fd_closep) int root = make_root(state);
        struct stat st, top;

        check_read(root, "/etc/passwd", 0, "inside");
        check_read(root, "up/etc/passwd", 0, "inside");
        check_read(root, "/../../../etc/passwd", 0, "inside");
        check_read(root, "absolute", 0, "inside");
        check_read(root, "etc/passwd", BENEATH_STRICT, "inside");
        assert_int_equal(beneath_open(root, "canary", O_RDONLY, 0, 0),
                -ELOOP); /* to itself: it stays inside */
        assert_int_equal(beneath_open(root, "loop", O_RDONLY, 0, 0), -ELOOP);
        assert_int_equal(beneath_open(root, "absolute", O_RDONLY | O_NOFOLLOW, 0, 0), -ELOOP);
        assert_int_equal(beneath_open(root, "absolute", O_RDONLY, 0, BENEATH_STRICT), -ELOOP);
        assert_int_equal(beneath_open(root, "conf/passwd", O_RDONLY, 0, BENEATH_STRICT), -ELOOP);
        assert_int_equal(beneath_open(root, "../canary", O_RDONLY, 0, BENEATH_STRICT), -EXDEV);
        assert_int_equal(beneath_open(root, "magic", O_RDONLY, 0, 0), -ENOENT);

        assert_ok(beneath_stat(root, "/", 0, &st));
        assert_int_equal(fstat(root, &top), 0);
        assert_int_equal(st.st_ino, top.st_ino);
        assert_ok(beneath_stat(root, "up", 0, &st));
        assert_int_equal(st.st_ino, top.st_ino);
}

static void test_magic_links(void **state) {
        _cleanup_(fd_closep) int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(beneath_open(proc, "exe", O_RDONLY, 0, 0), -ELOOP);
        assert_int_equal(beneath_open(proc, "root/etc", O_RDONLY, 0, 0), -ELOOP);
        assert_int_equal(beneath_open(proc, "fd/0", O_RDONLY, 0, 0), -ELOOP);
}

static void test_parent(void **state) {
        _cleanup_(fd_closep) int root = make_root(state), dir = -EBADF;
        _cleanup_(freep) char *name = NULL;

        assert_ok(beneath_open_parent(root, "/conf/new/", 0, &dir, &name));
        assert_string_equal(name, "new");
        assert_int_equal(file_exists_at(dir, "passwd"), 1);
        assert_int_equal(beneath_open_parent(root, "/", 0, &dir, &name), -EINVAL);
        assert_int_equal(beneath_open_parent(root, "a/..", 0, &dir, &name), -EINVAL);
        assert_int_equal(beneath_open_parent(root, "none/a", 0, &dir, &name), -ENOENT);
        assert_int_equal(beneath_open_parent(root, "conf/a", BENEATH_STRICT, &dir, &name), -ELOOP);
}

static void test_mkdir(void **state) {
        _cleanup_(fd_closep) int root = make_root(state), fd = -EBADF, again = -EBADF, up = -EBADF;
        struct stat st;

        fd = beneath_mkdir_p(root, "/conf/a/b/c", 0751, UID_INVALID, GID_INVALID, 0);
        assert_true(fd >= 0);
        assert_int_equal(fstatat(root, "etc/a/b/c", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0751);
        again = beneath_mkdir_p(root, "/conf/a/b/c", 0700, UID_INVALID, GID_INVALID, 0);
        assert_true(again >= 0);
        assert_int_equal(fstatat(root, "etc/a/b/c", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0751);

        /* Upwards ends at the root. */
        up = beneath_mkdir_p(root, "up/up/new", 0755, UID_INVALID, GID_INVALID, 0);
        assert_true(up >= 0);
        assert_int_equal(file_is_dir_at(root, "new"), 1);

        assert_int_equal(
                beneath_mkdir_p(root, "etc/passwd/x", 0755, UID_INVALID, GID_INVALID, 0), -ENOTDIR);
        assert_true(beneath_mkdir_p(root, "dangling/x", 0755, UID_INVALID, GID_INVALID, 0) < 0);
        assert_int_equal(
                beneath_mkdir_p(root, "loop/x", 0755, UID_INVALID, GID_INVALID, 0), -ELOOP);
        assert_int_equal(
                beneath_mkdir_p(root, "conf/y", 0755, UID_INVALID, GID_INVALID, BENEATH_STRICT),
                -ELOOP);
        assert_int_equal(file_exists_at(root, "etc/y"), 0);
        assert_int_equal(file_exists_at(root, "nowhere"), 0);
        assert_int_equal(
                beneath_mkdir_p(root, "none/../x", 0755, UID_INVALID, GID_INVALID, 0) < 0, 0);
}

static void test_target(void **state) {
        _cleanup_(fd_closep) int root = make_root(state), fd = -EBADF, old = -EBADF;
        struct stat st;

        fd = beneath_make_target(root, "/conf/deep/hosts", /* directory= */ false, 0644, 0);
        assert_true(fd >= 0);
        assert_int_equal(fstatat(root, "etc/deep/hosts", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(st.st_mode));
        old = beneath_make_target(root, "absolute", /* directory= */ false, 0644, 0);
        assert_true(old >= 0);
        assert_int_equal(
                beneath_make_target(root, "etc", /* directory= */ false, 0644, 0), -EISDIR);
        assert_int_equal(
                beneath_make_target(root, "dangling", /* directory= */ false, 0644, 0), -ELOOP);
        assert_int_equal(
                beneath_make_target(root, "absolute", /* directory= */ false, 0644, BENEATH_STRICT),
                -ELOOP);
        assert_int_equal(
                beneath_make_target(root, "etc/passwd", /* directory= */ true, 0755, 0), -ENOTDIR);
        assert_int_equal(file_exists_at(root, "nowhere"), 0);
}

static void test_read(void **state) {
        _cleanup_(fd_closep) int root = make_root(state), big = -EBADF;
        _cleanup_(freep) char *text = NULL;

        assert_ok(beneath_read(root, "/etc/passwd", 100, &text));
        assert_string_equal(text, "inside");
        assert_int_equal(beneath_read(root, "absolute", 100, &text), -ELOOP);
        assert_int_equal(beneath_read(root, "etc", 100, &text), -EBADFD);
        assert_int_equal(mkfifoat(root, "fifo", 0666), 0);
        assert_int_equal(beneath_read(root, "fifo", 100, &text), -EBADFD);
        big = openat(root, "big", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(ftruncate(big, INT64_C(2) << 30), 0);
        assert_int_equal(beneath_read(root, "big", 1 << 20, &text), -EFBIG);
        assert_int_equal(beneath_read(root, "none", 100, &text), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_open, test_folder_setup, test_folder_teardown),
                cmocka_unit_test(test_magic_links),
                cmocka_unit_test_setup_teardown(
                        test_parent, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_mkdir, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_target, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(test_read, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("beneath", tests, NULL, NULL);
}
