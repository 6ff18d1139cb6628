/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/file.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "tests/unit/test.h"

static void test_read(void **state) {
        _cleanup_(fd_closep) int dir = test_folder_open(state);
        _cleanup_(freep) char *text = NULL, *proc = NULL, *line = NULL;
        size_t n;

        assert_int_equal(file_read_at(dir, "none", 10, &text, NULL), -ENOENT);
        assert_ok(file_write_atomic(dir, "a",
                "12\0"
                "45",
                5, 0640, 0));
        assert_int_equal(file_read_at(dir, "a", 4, &text, &n), -EFBIG);
        assert_int_equal(file_read_at(dir, "a", 5, &text, NULL), -EBADMSG);
        assert_ok(file_read_at(dir, "a", 5, &text, &n));
        assert_int_equal(n, 5);

        /* Says size 0, has more. */
        assert_ok(file_read("/proc/self/status", 1024 * 1024, &proc, NULL));
        assert_non_null(strstr(proc, "Pid:"));
        assert_int_equal(file_read("/proc/self/status", 10, &proc, NULL), -EFBIG);
        assert_ok(file_read_line("/proc/sys/kernel/ostype", &line));
        assert_string_equal(line, "Linux");

        /* Never waits, never reads a device. */
        assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
        assert_int_equal(file_read_at(dir, "fifo", 10, &text, &n), -EBADFD);
        assert_int_equal(file_read("/dev/zero", 10, &text, &n), -EBADFD);
        assert_int_equal(file_read_at(dir, ".", 10, &text, &n), -EISDIR);
}

static void test_atomic(void **state) {
        _cleanup_(fd_closep) int dir = test_folder_open(state);
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) char *text = NULL;
        struct stat st;

        assert_ok(file_write_atomic_string(dir, "a", "one", 0604, FILE_WRITE_DURABLE));
        assert_int_equal(file_write_atomic_string(dir, "a", "two", 0600, FILE_WRITE_NEW), -EEXIST);
        assert_ok(file_read_at(dir, "a", 10, &text, NULL));
        assert_string_equal(text, "one");
        assert_int_equal(fstatat(dir, "a", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0604);
        assert_int_equal(file_write_atomic_string(dir, "sub/a", "x", 0600, 0), -ENOENT);
        assert_ok(
                file_write_atomic_string(dir, "b", "x", 0600, FILE_WRITE_NEW | FILE_WRITE_DURABLE));
        assert_int_equal(file_mkdir_open(dir, "d", 0700) < 0, 0);
        assert_int_equal(file_write_atomic_string(dir, "d", "x", 0600, 0), -EISDIR);

        /* No attempt leaves anything behind. */
        assert_ok(file_list(dir, ".", /* hidden= */ true, &names));
        assert_int_equal(strv_length(names), 3);
        assert_string_equal(names[0], "a");
}

static void test_folders(void **state) {
        _cleanup_(fd_closep) int dir = test_folder_open(state), exact = -EBADF;
        _cleanup_(freep) char *path = NULL;
        struct stat st;

        assert_int_not_equal(asprintf(&path, "%s/x/y/z", (char *) *state), -1);
        assert_ok(file_mkdir_p(path, 0755));
        assert_ok(file_mkdir_p(path, 0755));
        assert_int_equal(file_is_dir_at(dir, "x/y/z"), 1);
        assert_int_equal(file_exists_at(dir, "x/q"), 0);
        assert_int_equal(mkdirat(dir, "e", 0777), 0);
        exact = file_mkdir_open_exact(dir, "e", 0710);
        assert_true(exact >= 0);
        assert_int_equal(fstat(exact, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0710);
        assert_int_equal(symlinkat("e", dir, "link"), 0);
        assert_true(file_open_dir(dir, "link") < 0);
        assert_int_equal(file_is_dir_at(dir, "link"), 0);
        assert_int_equal(file_unlink(dir, "link"), 1);
        assert_int_equal(file_unlink(dir, "link"), 0);
        assert_ok(file_write_atomic_string(dir, "f", "x", 0600, 0));
        assert_int_equal(file_rename_durable(dir, "f", exact, "f", RENAME_NOREPLACE), 0);
        assert_int_equal(file_exists_at(exact, "f"), 1);
}

/* Deeper than any path and any number of fds, with folders that nobody may enter, and a link out
 * of it. */
static void test_remove(void **state) {
        _cleanup_(fd_closep) int dir = test_folder_open(state), fd = -EBADF;

        assert_ok(file_write_atomic_string(dir, "canary", "x", 0600, 0));
        assert_int_equal(file_remove_tree(dir, "t"), 0);
        fd = file_mkdir_open(dir, "t", 0700);
        for (int i = 0; i < 3000; i++) {
                int next = file_mkdir_open(fd, "a-rather-long-name-for-a-folder", 0700);

                assert_true(next >= 0);
                if (i % 100 == 0) {
                        assert_int_equal(symlinkat("/", fd, "root"), 0);
                        assert_int_equal(symlinkat((char *) *state, fd, "up"), 0);
                        assert_ok(file_write_atomic_string(fd, "file", "x", 0000, 0));
                        assert_int_equal(mkdirat(fd, "closed", 0700), 0);
                        assert_int_equal(mkdirat(fd, "closed/inner", 0000), 0);
                        assert_int_equal(fchmodat(fd, "closed", 0000, 0), 0);
                }
                (void) fd_close(fd);
                fd = next;
        }
        fd = fd_close(fd);

        assert_int_equal(file_remove_tree(dir, "t"), 1);
        assert_int_equal(file_exists_at(dir, "t"), 0);
        assert_int_equal(file_exists_at(dir, "canary"), 1);
        assert_int_equal(file_remove_tree(dir, "canary"), 1);
        assert_ok(file_write_atomic_string(dir, "x", "x", 0600, 0));
        assert_ok(file_remove_contents(dir));
        assert_int_equal(file_exists_at(dir, "x"), 0);
}

static void test_copy(void **state) {
        _cleanup_(fd_closep) int dir = test_folder_open(state), from = -EBADF, to = -EBADF;
        char text[8] = "";
        struct stat a, b;
        uint64_t blocks, apparent;
        int p[2];

        from = openat(dir, "from", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        to = openat(dir, "to", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(pwrite(from, "begin", 5, 0), 5);
        assert_int_equal(pwrite(from, "middle", 6, 50 << 20), 6);
        assert_int_equal(ftruncate(from, 100 << 20), 0);

        assert_int_equal(file_copy_fd(from, to, UINT64_MAX), 100 << 20);
        assert_int_equal(fstat(from, &a), 0);
        assert_int_equal(fstat(to, &b), 0);
        assert_int_equal(a.st_size, b.st_size);
        assert_true(b.st_blocks * 512 < 1 << 20); /* the holes are holes */
        assert_int_equal(pread(to, text, 6, 50 << 20), 6);
        assert_string_equal(text, "middle");
        assert_ok(file_tree_usage(dir, ".", &blocks, &apparent));
        assert_int_equal(apparent, 200 << 20);
        assert_true(blocks < 2 << 20);

        /* From a pipe, and with a limit. */
        assert_ok(fd_pipe(p, 0));
        assert_ok(fd_write_string(p[1], "pipe-data"));
        assert_int_equal(file_copy_fd(p[0], to, 4), 4);
        p[1] = fd_close(p[1]);
        assert_int_equal(file_copy_fd(p[0], to, UINT64_MAX), 5);
        p[0] = fd_close(p[0]);
        assert_int_equal(lseek(from, 0, SEEK_SET), 0);
        assert_int_equal(ftruncate(to, 0), 0);
        assert_int_equal(lseek(to, 0, SEEK_SET), 0);
        assert_int_equal(file_copy_fd(from, to, 3), 3);
        assert_int_equal(fstat(to, &b), 0);
        assert_int_equal(b.st_size, 3);
}

static void test_lock(void **state) {
        _cleanup_(fd_closep) int a = test_folder_open(state), b = test_folder_open(state);

        assert_ok(file_lock(a, /* exclusive= */ true, /* wait= */ false));
        assert_int_equal(file_lock(b, /* exclusive= */ true, /* wait= */ false), -EAGAIN);
        a = fd_close(a);
        assert_ok(file_lock(b, /* exclusive= */ true, /* wait= */ false));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_read, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_atomic, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_folders, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_remove, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(test_copy, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(test_lock, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
