/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "lib/archive/ignorefile.h"

static void test_pattern(void **state) {
        static const struct {
                const char *pattern, *path;
                bool matches;
        } table[] = {
                { "a", "a", true },
                { "a", "b", false },
                { "a", "a/b", false },
                { "*", "a", true },
                { "*", "a/b", false },
                { "*.go", "x.go", true },
                { "*.go", "d/x.go", false },
                { "**/*.go", "x.go", true },
                { "**/*.go", "d/e/x.go", true },
                { "**/x", "yx", false },
                { "a/**", "a/b/c", true },
                { "a/**", "a", false },
                { "a/**/b", "a/b", true },
                { "a/**/b", "a/x/y/b", true },
                { "a/**/b", "ab", false },
                { "a**b", "ab", true },
                { "a**b", "ax/b", true },
                { "**", "any/thing", true },
                { "?.c", "x.c", true },
                { "a?b", "a/b", false },
                { "[a-c]x", "bx", true },
                { "[^a-c]x", "bx", false },
                { "[^a-c]x", "dx", true },
                { "[a\\-]x", "-x", true },
                { "\\*", "*", true },
                { "\\*", "a", false },
                { "\\\\*", "\\a", true },
                { "a*b*c", "aXbbYc", true },
                { "a*b*c", "aXbbY", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert_int_equal(
                        path_pattern_matches(table[i].pattern, table[i].path), table[i].matches);
}

static void test_bad_pattern(void **state) {
        static const char *const table[] = { "[", "[a", "[]", "[a-]", "\\", "a\\" };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert_int_equal(path_pattern_matches(table[i], "a"), -EINVAL);
}

static void test_file(void **state) {
        static const char text[] =
                "\xef\xbb\xbf# a comment\n\n  *.log \n/build/\n!build/keep\n**/node_modules\n"
                "docs/**\n!docs/*.md\n!  spaced\nspaced\n./dot/../x\n.\n";
        static const struct {
                const char *path;
                bool excluded;
        } table[] = {
                { "a.log", true },
                { "sub/a.log", false },
                { "build", true },
                { "build/x/y", true },
                { "build/keep", false },
                { "build/keep/more", false },
                { "node_modules", true },
                { "a/b/node_modules/x", true },
                { "docs/a.md", false },
                { "docs/b/a.md", true },
                { "docs", false },
                { "spaced", true },
                { "x", true },
                { "Dockerfile", false },
        };
        _cleanup_(ignorefile_freep) IgnoreFile *f = NULL;

        assert_ok(ignorefile_parse(text, strlen(text), &f, NULL));
        assert_false(ignorefile_is_simple(f));
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert_int_equal(ignorefile_excludes(f, table[i].path), table[i].excluded);
}

static void test_bad_file(void **state) {
        _cleanup_(error_done) Error e = {}, other = {};
        IgnoreFile *f = NULL;

        assert_true(ignorefile_parse("a\n[\n", 4, &f, &e) < 0);
        assert_string_equal(e.text, ".dockerignore:2: syntax error in pattern: [");
        assert_true(ignorefile_parse("!\n", 2, &f, &other) < 0);
}

/* It would take for ever if each star were tried at each place. */
static void test_stars(void **state) {
        char pattern[401] = "", path[601] = "";

        for (int i = 0; i < 200; i++)
                strcat(pattern, "a*");
        memset(path, 'a', 599);
        path[599] = 'b';
        assert_int_equal(path_pattern_matches(pattern, path), 1);
        pattern[399] = 'c';
        assert_int_equal(path_pattern_matches(pattern, path), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pattern),
                cmocka_unit_test(test_bad_pattern),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_bad_file),
                cmocka_unit_test(test_stars),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
