/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/error.h"

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void test_set(void **state) {
        _cleanup_(error_done) Error e = {};

        assert_int_equal(
                error_set(&e, ERROR_NOT_FOUND, "No such container: %s", "a\033[31mb"), -ENOENT);
        assert_string_equal(e.text, "No such container: a\\x1b[31mb");
        assert_int_equal(e.kind, ERROR_NOT_FOUND);

        /* The innermost knows best. */
        assert_int_equal(error_set(&e, ERROR_INTERNAL, "start failed"), -EIO);
        assert_int_equal(e.kind, ERROR_NOT_FOUND);
        assert_int_equal(error_prefix(&e, -EIO, "web"), -ENOENT);
        assert_string_equal(e.text, "web: No such container: a\\x1b[31mb");
}

static void test_null(void **state) {
        assert_int_equal(error_set(NULL, ERROR_CONFLICT, "x"), -EBUSY);
        assert_int_equal(error_set_errno(NULL, -EXDEV, "x"), -EXDEV);
        assert_int_equal(error_prefix(NULL, -EXDEV, "x"), -EXDEV);
        assert_string_equal(error_text(NULL, -ENOENT), "No such file or directory");
        error_done(NULL);
}

static void test_errno(void **state) {
        _cleanup_(error_done) Error e = {}, other = {}, copy = {};

        assert_int_equal(error_set_errno(&e, -ENOSPC, "write %s", "blob"), -ENOSPC);
        assert_string_equal(e.text, "write blob: No space left on device");
        assert_int_equal(e.kind, ERROR_NO_SPACE);

        assert_ok(error_copy(&copy, &e));
        error_move(&other, &e);
        assert_false(error_is_set(&e));
        assert_null(e.text);
        assert_string_equal(other.text, copy.text);

        error_done(&other);
        assert_int_equal(error_set_errno(&other, -EACCES, "open"), -EACCES);
        assert_int_equal(other.kind, ERROR_FORBIDDEN);
}

static void test_names(void **state) {
        for (ErrorKind k = ERROR_NONE; k < _ERROR_KIND_MAX; k++) {
                assert_non_null(error_kind_to_string(k));
                assert_int_equal(error_kind_from_string(error_kind_to_string(k)), k);
                assert_int_equal(error_kind_from_errno(error_kind_to_errno(k)), k);
                if (k != ERROR_NONE)
                        assert_true(error_kind_to_errno(k) < 0);
        }
        assert_int_equal(error_kind_from_string("no such kind"), _ERROR_KIND_INVALID);
        assert_int_equal(error_kind_from_string(NULL), _ERROR_KIND_INVALID);
        assert_int_equal(error_kind_from_errno(-ENOTTY), ERROR_INTERNAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_null),
                cmocka_unit_test(test_errno),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
