/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/archive/tar-extract.h"
#include "lib/archive/tar-write.h"
#include "lib/base/buffer.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"

#define LONG_NAME                                                                                 \
        "a-name-that-is-longer-than-the-hundred-bytes-which-the-first-tar-had-for-it-and-so-has-" \
        "to-stand-in-an-extended-header"

static int sink(void *userdata, const void *data, size_t size) {
        return buffer_append(userdata, data, size);
}

static void make_file(int dir_fd, const char *name, const char *text, mode_t mode) {
        _cleanup_(fd_closep) int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_ok(fd_write_string(fd, text));
        assert_true(fchmod(fd, mode) >= 0);
}

static void make_tree(int fd) {
        _cleanup_(fd_closep) int from = -EBADF, sparse = -EBADF;

        from = file_mkdir_open(fd, "from", 0755);
        assert_true(from >= 0);
        make_file(from, "f", "hello", 04711);
        make_file(from, LONG_NAME, "long", 0640);
        make_file(from, "\xff\xfe", "no UTF-8", 0644);
        assert_true(mkdirat(from, "d", 0700) >= 0);
        assert_true(linkat(from, "f", from, "d/g", 0) >= 0);
        assert_true(symlinkat("../../nowhere", from, "link") >= 0);
        assert_true(mkfifoat(from, "pipe", 0600) >= 0);

        sparse = openat(from, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        assert_true(sparse >= 0);
        assert_ok(fd_pwrite_full(sparse, "end", 3, 64 << 20));
        (void) fsetxattr(sparse, "user.note", "kept", 4, 0);
}

static void write_tree(int fd, TarTreeFlags flags, Buffer *b) {
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;

        assert_ok(tar_writer_new(
                &(const TarWriterOptions) { .sink = { sink, b }, .proc_fd = -EBADF }, &t));
        assert_ok(tar_writer_add_tree(t, fd, "from", "top", flags, NULL));
        assert_ok(tar_writer_finish(t, NULL));
}

static void test_round_trip(void **state) {
        _cleanup_(fd_closep) int fd = test_folder_open(state), to = -EBADF;
        _cleanup_(buffer_done) Buffer b = {};
        struct stat st, other;
        MemorySource memory;
        ByteSource source;
        char text[16] = "";

        make_tree(fd);
        write_tree(fd, 0, &b);
        assert_true(buffer_size(&b) < 1 << 20); /* the hole is none of it */

        to = file_mkdir_open(fd, "to", 0755);
        memory = (MemorySource) { .data = buffer_head(&b), .size = buffer_size(&b), .step = 1000 };
        source = memory_source(&memory);
        assert_ok(tar_extract(&(const TarExtract) { .root_fd = to }, &source, NULL, NULL));

        assert_true(fstatat(to, "top/f", &st, 0) >= 0);
        assert_int_equal(st.st_mode, S_IFREG | 04711);
        assert_true(fstatat(to, "top/d/g", &other, 0) >= 0);
        assert_int_equal(st.st_ino, other.st_ino);
        assert_true(fstatat(to, "top/" LONG_NAME, &st, 0) >= 0);
        assert_true(fstatat(to, "top/\xff\xfe", &st, 0) >= 0);
        assert_true(fstatat(to, "top/d", &st, 0) >= 0 && st.st_mode == (S_IFDIR | 0700));
        assert_int_equal(readlinkat(to, "top/link", text, sizeof(text)), 13);
        assert_true(fstatat(to, "top/pipe", &st, 0) >= 0 && S_ISFIFO(st.st_mode));
        assert_true(fstatat(to, "top/sparse", &st, 0) >= 0);
        assert_int_equal(st.st_size, (64 << 20) + 3);
        assert_true((uint64_t) st.st_blocks * 512 < 1 << 20);
}

/* A name that is a link by now is a link in the archive; what is above is not entered. */
static void test_links_are_not_followed(void **state) {
        _cleanup_(fd_closep) int fd = test_folder_open(state);
        _cleanup_(buffer_done) Buffer b = {};

        assert_true(mkdirat(fd, "from", 0755) >= 0);
        assert_true(symlinkat("/etc", fd, "from/etc") >= 0);
        write_tree(fd, TAR_TREE_NO_MOUNTS, &b);
        assert_null(memmem(buffer_head(&b), buffer_size(&b), "passwd", 6));
}

static void test_whiteout(void **state) {
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        _cleanup_(buffer_done) Buffer b = {};

        assert_ok(tar_writer_new(
                &(const TarWriterOptions) { .sink = { sink, &b }, .proc_fd = -EBADF }, &t));
        assert_ok(tar_writer_add_whiteout(t, "a/b", NULL));
        assert_ok(tar_writer_finish(t, NULL));
        assert_string_equal(buffer_head(&b), "a/.wh.b");
}

static int full(void *userdata, const void *data, size_t size) {
        return -ENOSPC;
}

static void test_full_disk(void **state) {
        _cleanup_(fd_closep) int fd = test_folder_open(state);
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        int r;

        make_tree(fd);
        assert_ok(tar_writer_new(
                &(const TarWriterOptions) { .sink = { full, NULL }, .proc_fd = -EBADF }, &t));
        r = tar_writer_add_tree(t, fd, "from", "top", 0, NULL);
        if (r >= 0)
                r = tar_writer_finish(t, NULL);
        assert_int_equal(r, -ENOSPC);
        assert_int_equal(tar_writer_add_tree(t, fd, "none", "top", 0, NULL), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_round_trip, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_links_are_not_followed, test_folder_setup, test_folder_teardown),
                cmocka_unit_test(test_whiteout),
                cmocka_unit_test_setup_teardown(
                        test_full_disk, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
