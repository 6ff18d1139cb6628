/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/log/rotate.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static char *path_in(void **state, const char *name) {
        char *path;

        assert_ok(str_printf(&path, "%s/%s", (char *) *state, name));
        return path;
}

static void put(void **state, const char *name, const char *text) {
        int fd = test_folder_open(state);

        assert_ok(file_write_atomic_string(fd, name, text, 0640, 0));
        fd_close(fd);
}

static void check(void **state, const char *name, const char *text) {
        _cleanup_(freep) char *path = path_in(state, name), *is = NULL;

        assert_ok(file_read(path, 100, &is, NULL));
        assert_string_equal(is, text);
}

static void test_shift(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log");
        int fd = test_folder_open(state);

        put(state, "log", "new");
        put(state, "log.1", "older");
        put(state, "log.2", "oldest");
        assert_ok(rotate_shift(path, 3));
        assert_int_equal(file_exists_at(fd, "log"), 0);
        check(state, "log.1", "new");
        check(state, "log.2", "older");
        assert_int_equal(file_exists_at(fd, "log.3"), 0);

        put(state, "log", "newest");
        assert_ok(file_unlink(fd, "log.1")); /* a hole */
        assert_ok(rotate_shift(path, 3));
        check(state, "log.1", "newest");

        put(state, "log", "only");
        assert_ok(rotate_shift(path, 1));
        assert_int_equal(file_exists_at(fd, "log"), 0);
        check(state, "log.1", "newest");
        assert_ok(rotate_shift(path, 1)); /* nothing there */
        fd_close(fd);
}

static void test_open_all(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log");
        int *fds, next;
        char text[10] = {};
        size_t n;

        assert_ok(rotate_open_all(path, &fds, &n));
        assert_int_equal(n, 0);
        rotate_close_all(fds, n);

        put(state, "log", "c");
        put(state, "log.1", "b");
        put(state, "log.2", "a");
        put(state, "log.4", "x"); /* behind a hole: not ours */
        assert_ok(rotate_open_all(path, &fds, &n));
        assert_int_equal(n, 3);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(read(fds[i], text, sizeof(text)), 1);
                assert_int_equal(text[0], "abc"[i]);
        }

        assert_ok(rotate_open_next(path, fds[0], &next));
        assert_int_equal(read(next, text, sizeof(text)), 1);
        assert_int_equal(text[0], 'b');
        fd_close(next);
        assert_int_equal(rotate_open_next(path, fds[2], &next), -EAGAIN);

        /* two rotations later, c is log.2, and a and b are gone */
        assert_ok(rotate_shift(path, 3));
        put(state, "log", "d");
        assert_ok(rotate_shift(path, 3));
        assert_int_equal(rotate_open_next(path, fds[2], &next), 0);
        assert_int_equal(read(next, text, sizeof(text)), 1);
        assert_int_equal(text[0], 'd');
        fd_close(next);
        put(state, "log", "e");
        assert_ok(rotate_open_next(path, fds[0], &next)); /* dropped: the oldest that is left */
        assert_int_equal(read(next, text, sizeof(text)), 1);
        assert_int_equal(text[0], 'c');
        fd_close(next);
        rotate_close_all(fds, n);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_shift, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_open_all, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
