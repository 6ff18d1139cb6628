/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tests/unit/test.h"

#include "lib/base/pattern.h"

static void test_cost(void **state) {
        assert_int_equal(pattern_cost(""), 0);
        assert_int_equal(pattern_cost("^web-[0-9]+$"), 12);
        assert_int_equal(pattern_cost("a{10}"), 50);
        assert_int_equal(pattern_cost("(a+)+"), 10);
        assert_int_equal(pattern_cost("a\\{9999}"), 8);
        assert_true(pattern_cost("(a{1,100}){1,100}") > PATTERN_COST_MAX);
        assert_true(pattern_cost("((a{1,100}){1,100}){1,100}") > PATTERN_COST_MAX);
        assert_true(pattern_cost("a{99999999999999999999}") > PATTERN_COST_MAX);
        assert_true(pattern_cost("(.*)\\1") > PATTERN_COST_MAX);
}

static void test_too_long(void **state) {
        char text[PATTERN_MAX + 2] = {};

        memset(text, '(', PATTERN_MAX);
        assert_int_equal(pattern_cost(text), PATTERN_MAX);
        text[PATTERN_MAX] = '(';
        assert_true(pattern_cost(text) > PATTERN_COST_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cost),
                cmocka_unit_test(test_too_long),
        };

        return cmocka_run_group_tests_name("lib/base/pattern", tests, NULL, NULL);
}
