/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/strv.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void test_build(void **state) {
        _cleanup_(strv_freep) char **l = NULL, **copy = NULL;
        _cleanup_(freep) char *joined = NULL;

        assert_true(strv_empty(l));
        assert_ok(strv_add(&l, "b"));
        assert_ok(strv_addf(&l, "c%i", 1));
        assert_ok(strv_prepend(&l, "a"));
        assert_ok(strv_take(&l, strdup("d")));
        assert_int_equal(strv_take(&l, NULL), -ENOMEM);
        joined = strv_join(l, ", ");
        assert_string_equal(joined, "a, b, c1, d");
        assert_int_equal(strv_length(l), 4);

        copy = strv_copy(l);
        assert_true(strv_equal(l, copy));
        assert_ok(strv_add_all(&l, l));
        assert_int_equal(strv_length(l), 8);
        assert_false(strv_equal(l, copy));
        strv_sort(l);
        strv_uniq(l);
        assert_true(strv_equal(l, copy));
        assert_int_equal(strv_remove(l, "c1"), 1);
        assert_int_equal(strv_index(l, "d"), 2);
        assert_false(strv_contains(l, "c1"));
        assert_ok(strv_set(&l, l));
        assert_int_equal(strv_length(l), 3);
}

static void test_many(void **state) {
        _cleanup_(strv_freep) char **l = strv_new("x");

        for (int i = 0; i < 300; i++)
                assert_ok(strv_addf(&l, "%i", i));
        assert_int_equal(strv_length(l), 301);
        assert_string_equal(l[300], "299");
}

static void test_split(void **state) {
        _cleanup_(strv_freep) char **a = NULL, **b = NULL, **c = NULL;

        assert_ok(strv_split(":a::b:", ":", false, &a));
        assert_int_equal(strv_length(a), 2);
        assert_ok(strv_split(":a::b:", ":", true, &b));
        assert_int_equal(strv_length(b), 5);
        assert_string_equal(b[4], "");
        assert_ok(strv_split(NULL, ":", true, &c));
        assert_int_equal(strv_length(c), 0);
}

static void test_env(void **state) {
        _cleanup_(strv_freep) char **env = strv_new("A=1", "AB=2", "A=3"),
                                   **more = strv_new("B=x", "A=4", "C");

        assert_string_equal(strv_env_get(env, "A"), "3");
        assert_ok(strv_env_set(&env, "A", "9"));
        assert_int_equal(strv_length(env), 2);
        assert_string_equal(env[0], "A=9");
        assert_ok(strv_env_set(&env, "Z", "=="));
        assert_string_equal(strv_env_get(env, "Z"), "==");
        assert_ok(strv_env_merge(&env, more));
        assert_string_equal(strv_env_get(env, "A"), "4");
        assert_null(strv_env_get(env, "C"));
        assert_true(strv_contains(env, "C"));
        assert_ok(strv_env_set(&env, "A", NULL));
        assert_null(strv_env_get(env, "A"));
        assert_string_equal(strv_env_get(env, "AB"), "2");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_build),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_env),
        };

        return cmocka_run_group_tests_name("strv", tests, NULL, NULL);
}
