/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"

#include <string.h>

#include "tests/unit/test.h"

static void test_overflow(void **state) {
        volatile size_t huge = SIZE_MAX / 4;
        size_t allocated = 0;
        uint64_t *array = NULL;

        assert_null(new0(uint64_t, huge));
        assert_null(new (uint64_t, huge));
        assert_int_equal(array_grow(&array, &allocated, huge), -ENOMEM);
        assert_null(array);
        assert_int_equal(allocated, 0);
}

static void test_grow(void **state) {
        _cleanup_(freep) int *array = NULL;
        size_t allocated = 0, moves = 0;

        for (int i = 0; i < 1000; i++) {
                size_t before = allocated;

                assert_ok(array_grow(&array, &allocated, (size_t) i + 1));
                moves += before != allocated;
                assert_int_equal(array[i], 0);
                array[i] = i;
        }
        assert_int_equal(array[999], 999);
        assert_true(moves < 12);
}

static void test_copies(void **state) {
        _cleanup_(freep) char *empty = alloc_copy(NULL, 0), *text = alloc_copy0("abcdef", 3);

        assert_non_null(empty);
        assert_string_equal(text, "abc");
}

static void test_take(void **state) {
        char *p = strdup("x"), *q = TAKE_PTR(p);
        int fd = 7, taken = TAKE_FD(fd);

        assert_null(p);
        assert_non_null(q);
        free(q);
        assert_int_equal(fd, -EBADF);
        assert_int_equal(taken, 7);
        assert_int_equal(MAX(MIN(3, 5), MIN(7, 2)), 3);
        assert_int_equal(CLAMP(17, 0, 9), 9);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_overflow),
                cmocka_unit_test(test_grow),
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_take),
        };

        return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
