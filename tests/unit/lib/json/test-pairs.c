/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/strv.h"
#include "lib/json/pairs.h"

static void test_set_and_get(void **state) {
        _cleanup_(strv_freep) char **p = NULL;

        assert_null(pairs_get(NULL, "a"));
        assert_int_equal(pairs_set(&p, "b", "1"), 1);
        assert_int_equal(pairs_set(&p, "a", ""), 1);
        assert_int_equal(pairs_set(&p, "b", "2"), 0);
        assert_int_equal(pairs_count(p), 2);
        assert_string_equal(pairs_get(p, "b"), "2");
        assert_string_equal(pairs_get(p, "a"), "");
        assert_null(pairs_get(p, "2")); /* a value is no key */

        assert_int_equal(pairs_unset(p, "b"), 1);
        assert_int_equal(pairs_unset(p, "b"), 0);
        assert_int_equal(pairs_count(p), 1);
        assert_string_equal(pairs_get(p, "a"), "");
}

static void test_merge(void **state) {
        _cleanup_(strv_freep) char **p = NULL, **q = NULL;

        assert_int_equal(pairs_set(&p, "a", "1"), 1);
        assert_int_equal(pairs_set(&q, "a", "2"), 1);
        assert_int_equal(pairs_set(&q, "b", "3"), 1);
        assert_int_equal(pairs_merge(&p, q, /* replace= */ false), 0);
        assert_string_equal(pairs_get(p, "a"), "1");
        assert_string_equal(pairs_get(p, "b"), "3");
        assert_int_equal(pairs_merge(&p, q, /* replace= */ true), 0);
        assert_string_equal(pairs_get(p, "a"), "2");
        assert_int_equal(pairs_merge(&p, NULL, true), 0);
}

static void test_walk(void **state) {
        char *pairs[] = { (char *) "k", (char *) "v", (char *) "l", (char *) "w", NULL };
        const char *key, *value;
        size_t n = 0;

        PAIRS_FOREACH(key, value, pairs) {
                assert_string_equal(key, n == 0 ? "k" : "l");
                assert_string_equal(value, n == 0 ? "v" : "w");
                n++;
        }
        assert_int_equal(n, 2);

        PAIRS_FOREACH(key, value, (char **) NULL)
        fail();
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set_and_get),
                cmocka_unit_test(test_merge),
                cmocka_unit_test(test_walk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
