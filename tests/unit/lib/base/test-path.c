/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/path.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void check_join(char *joined, const char *expected) {
        assert_string_equal(joined, expected);
        free(joined);
}

static void test_join(void **state) {
        check_join(path_join("/a", "b"), "/a/b");
        check_join(path_join("/a/", "/b/", "c"), "/a/b/c");
        check_join(path_join("/", "b"), "/b");
        check_join(path_join("a", NULL, "", "b"), "a/b");
        check_join(path_join(NULL, "/b"), "/b");
        check_join(path_join(""), "");
}

static void test_normalise(void **state) {
        /* From Go's path.Clean(). */
        static const char *const rows[][2] = {
                { "", "." },
                { "abc", "abc" },
                { "abc/def", "abc/def" },
                { ".", "." },
                { "..", ".." },
                { "../..", "../.." },
                { "../../abc", "../../abc" },
                { "/abc", "/abc" },
                { "/", "/" },
                { "abc/", "abc" },
                { "../", ".." },
                { "/abc/", "/abc" },
                { "abc//def//ghi", "abc/def/ghi" },
                { "//abc", "/abc" },
                { "///abc", "/abc" },
                { "abc/./def", "abc/def" },
                { "/./abc/def", "/abc/def" },
                { "abc/.", "abc" },
                { "abc/def/ghi/../jkl", "abc/def/jkl" },
                { "abc/def/..", "abc" },
                { "abc/def/../..", "." },
                { "/abc/def/../..", "/" },
                { "abc/def/../../..", ".." },
                { "/abc/def/../../..", "/" },
                { "abc/def/../../../ghi/jkl/../../../mno", "../../mno" },
                { "abc/./../def", "def" },
                { "abc//./../def", "def" },
                { "abc/../../././../def", "../../def" },
                { "/../a", "/a" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(freep) char *clean = NULL;

                assert_ok(path_normalise(rows[i][0], &clean));
                assert_string_equal(clean, rows[i][1]);
        }
        assert_true(path_is_normalised("/"));
        assert_true(path_is_normalised("/a/..b/.c"));
        assert_false(path_is_normalised("/a/"));
        assert_false(path_is_normalised("/a/../b"));
        assert_false(path_is_normalised("a"));
        assert_false(path_is_normalised("//"));
}

static void test_below(void **state) {
        assert_string_equal(path_below("/a/b", "/a"), "b");
        assert_string_equal(path_below("/a", "/a/"), "");
        assert_string_equal(path_below("/a", "/"), "a");
        assert_null(path_below("/ab", "/a"));
        assert_true(path_is_below("/a/b/c", "/a/b"));
        assert_false(path_is_below("/a", "/a/b"));
}

static void test_names(void **state) {
        char longest[257];

        memset(longest, 'x', 256);
        longest[256] = 0;
        assert_false(path_is_safe_name(longest));
        longest[255] = 0;
        assert_true(path_is_safe_name(longest));
        assert_false(path_is_safe_name(""));
        assert_false(path_is_safe_name("."));
        assert_false(path_is_safe_name(".."));
        assert_false(path_is_safe_name("a/b"));
        assert_false(path_is_safe_name("a\nb"));
        assert_true(path_is_safe_name("..."));
}

static void test_parts(void **state) {
        _cleanup_(freep) char *a = NULL, *b = NULL;
        const char *p = "/./a//../bc/", *part;
        size_t n;

        assert_ok(path_parent("/a/b", &a));
        assert_string_equal(a, "/a");
        assert_ok(path_parent("/a", &b));
        assert_string_equal(b, "/");
        assert_int_equal(path_parent("a", &b), -EINVAL);
        assert_string_equal(path_last("/a/b"), "b");

        assert_int_equal(path_next(&p, &part, &n), 1);
        assert_true(n == 1 && part[0] == 'a');
        assert_int_equal(path_next(&p, &part, &n), 1);
        assert_true(n == 2 && part[0] == '.');
        assert_int_equal(path_next(&p, &part, &n), 1);
        assert_true(n == 2 && part[0] == 'b');
        assert_int_equal(path_next(&p, &part, &n), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_join),
                cmocka_unit_test(test_normalise),
                cmocka_unit_test(test_below),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_parts),
        };

        return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
