/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/log/tail.h"

static int file_of(const char *text, size_t size) {
        int fd = fd_memfd("tail");

        assert_true(fd >= 0);
        assert_ok(fd_write_full(fd, text, size));
        return fd;
}

static void check(const int *fds, size_t n, uint64_t lines, size_t file, uint64_t offset) {
        size_t f = SIZE_MAX;
        uint64_t o = UINT64_MAX;

        assert_int_equal(tail_find(fds, n, &lines, &f, &o), 0);
        assert_int_equal(f, file);
        assert_int_equal(o, offset);
}

static void test_one_file(void **state) {
        int fd = file_of("a\nbb\nccc\n", 9), open_end = file_of("a\nbb", 4), empty = file_of("", 0),
            feeds = file_of("\n\n\n", 3);

        check(&fd, 1, 0, 0, 9);
        check(&fd, 1, 1, 0, 5);
        check(&fd, 1, 2, 0, 2);
        check(&fd, 1, 3, 0, 0);
        check(&fd, 1, 4, 0, 0);
        check(&fd, 1, UINT64_MAX, 0, 0);
        check(&open_end, 1, 1, 0, 2);
        check(&open_end, 1, 2, 0, 0);
        check(&empty, 1, 1, 0, 0);
        check(&empty, 1, 0, 0, 0);
        check(&feeds, 1, 1, 0, 2);
        check(&feeds, 1, 3, 0, 0);
        check(NULL, 0, 5, 0, 0);
        fd_close(fd);
        fd_close(open_end);
        fd_close(empty);
        fd_close(feeds);
}

static void test_many_files(void **state) {
        int fds[] = { file_of("1\n2\n", 4), file_of("", 0), file_of("3\n", 2),
                file_of("4\n5\n", 4) };

        check(fds, 4, 0, 3, 4);
        check(fds, 4, 2, 3, 0);
        check(fds, 4, 3, 2, 0);
        check(fds, 4, 4, 0, 2);
        check(fds, 4, 5, 0, 0);
        check(fds, 4, 50, 0, 0);
        fd_close_many(fds, 4);
}

/* Lines that cross the blocks in which the file is read. */
static void test_blocks(void **state) {
        enum { LINE = 1000, N = 100 };
        char *text = malloc(LINE * N);
        int fd;

        assert_non_null(text);
        memset(text, 'x', LINE * N);
        for (int i = 1; i <= N; i++)
                text[i * LINE - 1] = '\n';
        fd = file_of(text, LINE * N);
        for (uint64_t i = 1; i <= N; i++)
                check(&fd, 1, i, 0, (N - i) * LINE);
        fd_close(fd);
        free(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_file),
                cmocka_unit_test(test_many_files),
                cmocka_unit_test(test_blocks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
