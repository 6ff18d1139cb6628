/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static const char *const keys[] = { "name", "label", "label!", "id", "dangling", "status", NULL };

static Filter *parse(const char *text) {
        _cleanup_(error_done) Error e = {};
        Filter *f = NULL;

        if (filter_parse(text, keys, &f, &e) < 0)
                fail_msg("%s: %s", text, error_text(&e, 0));
        return f;
}

static void test_both_forms(void **state) {
        static const char *const texts[] = {
                "{\"name\":{\"x\":true,\"y\":true}}",
                "{\"name\":[\"x\",\"y\",\"x\"]}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(filter_freep) Filter *f = parse(texts[i]);

                assert_true(filter_has(f, "name"));
                assert_int_equal(strv_length(filter_values(f, "name")), 2);
                assert_true(filter_match_exact(f, "name", "x"));
                assert_false(filter_match_exact(f, "name", "z"));
                assert_false(filter_match_exact(f, "name", NULL));
                assert_true(filter_match_exact(f, "id", "whatever"));
                assert_null(filter_values(f, "id"));
        }
}

static void test_empty(void **state) {
        static const char *const texts[] = { NULL, "", "{}", "null", "{\"name\":{}}",
                "{\"name\":null}" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(filter_freep) Filter *f = parse(texts[i]);

                assert_true(filter_match_exact(f, "name", "x"));
                assert_true(filter_match_name(f, "name", "x"));
                assert_true(filter_match_labels(f, NULL));
        }
        assert_true(filter_match_prefix(NULL, "name", "x"));
        assert_false(filter_has(NULL, "name"));
}

static void test_errors(void **state) {
        static const struct {
                const char *text, *error;
        } rows[] = {
                { "{\"nane\":[\"x\"]}", "invalid filter 'nane'" },
                { "{\"nane\":{}}", "invalid filter 'nane'" },
                { "[]", "invalid filter" },
                { "{", "invalid filter" },
                { "name=x", "invalid filter" },
                { "{\"name\":\"x\"}", "invalid filter" },
                { "{\"name\":[1]}", "invalid filter" },
                { "{\"name\":{\"x\":1}}", "invalid filter" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(filter_freep) Filter *f = NULL;
                _cleanup_(error_done) Error e = {};

                assert_int_equal(filter_parse(rows[i].text, keys, &f, &e), -EINVAL);
                assert_string_equal(e.text, rows[i].error);
                assert_null(f);
        }
}

static void test_labels(void **state) {
        char *pairs[] = { (char *) "a", (char *) "1", (char *) "b", (char *) "", NULL };
        static const struct {
                const char *text;
                bool passes;
        } rows[] = {
                { "{\"label\":[\"a\"]}", true },
                { "{\"label\":[\"a=1\"]}", true },
                { "{\"label\":[\"a=1\",\"b\"]}", true },
                { "{\"label\":[\"b=\"]}", true },
                { "{\"label\":[\"a=2\"]}", false },
                { "{\"label\":[\"a=1\",\"c\"]}", false },
                { "{\"label!\":[\"c\"]}", true },
                { "{\"label!\":[\"a=2\"]}", true },
                { "{\"label!\":[\"a\"]}", false },
                { "{\"label!\":[\"a=1\"]}", false },
                { "{\"label!\":[\"a\",\"c\"]}",
                        true }, /* as Docker: only who has all of them is left out */
                { "{\"label\":[\"b\"],\"label!\":[\"a\"]}", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(filter_freep) Filter *f = parse(rows[i].text);

                if (filter_match_labels(f, pairs) != rows[i].passes)
                        fail_msg("%s", rows[i].text);
        }
}

static void test_names(void **state) {
        static const struct {
                const char *pattern;
                bool passes;
        } rows[] = {
                { "web", true },
                { "eb", true },
                { "^web$", false },
                { "^web-1$", true },
                { "^/web-1$", true },
                { "/web", true },
                { "w.b-[0-9]", true },
                { "^(db|web)-", true },
                { "db", false },
                { "w{2}", false },
                { "(", false },
                { "web-1\\", false },
                { "*", false },
                { "", true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(filter_freep) Filter *f = NULL;

                assert_int_equal(filter_new(&f), 0);
                assert_int_equal(filter_add(f, "name", rows[i].pattern), 0);
                for (unsigned twice = 0; twice < 2; twice++) /* compiled, then ready */
                        if (filter_match_name(f, "name", "/web-1") != rows[i].passes)
                                fail_msg("%s", rows[i].pattern);
        }
}

/* Each of these would take gigabytes or minutes in the C library. */
static void test_costly_patterns(void **state) {
        static const char *const patterns[] = {
                "((((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+",
                "a++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++",
                "(((a{1,255}){1,255}){1,255}){1,255}",
                "a{32767}{32767}",
                "((a*)(a*)(a*)(a*)(a*)(a*)(a*)(a*)(a*)(a*))\\1\\1\\1\\1\\1\\1b",
        };

        for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
                _cleanup_(filter_freep) Filter *f = NULL;

                assert_int_equal(filter_new(&f), 0);
                assert_int_equal(filter_add(f, "name", patterns[i]), 0);
                assert_false(
                        filter_match_pattern(f, "name", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
                assert_true(filter_match_pattern(f, "name", patterns[i])); /* but equal is equal */
        }
}

static void test_prefix_and_any(void **state) {
        _cleanup_(filter_freep) Filter *f =
                parse("{\"id\":[\"ab\"],\"status\":[\"exited\",\"dead\"]}");
        char *none[] = { (char *) "running", NULL },
             *some[] = { (char *) "x", (char *) "dead", NULL };

        assert_true(filter_match_prefix(f, "id", "abcd"));
        assert_false(filter_match_prefix(f, "id", "a"));
        assert_false(filter_match_any(f, "status", none));
        assert_true(filter_match_any(f, "status", some));
        assert_false(filter_match_any(f, "status", NULL));
}

static void test_bool(void **state) {
        static const struct {
                const char *text;
                int r, value;
                const char *error;
        } rows[] = {
                { "{\"dangling\":[\"true\"]}", 0, true, NULL },
                { "{\"dangling\":{\"1\":true}}", 0, true, NULL },
                { "{\"dangling\":[\"0\"]}", 0, false, NULL },
                { "{}", -ENOENT, true, NULL },
                { "{\"dangling\":[\"yes\"]}", -EINVAL, true, "invalid filter 'dangling=[yes]'" },
                { "{\"dangling\":[\"1\",\"0\"]}", -EINVAL, true,
                        "invalid filter 'dangling=[1 0]'" },
                { "{\"dangling\":[]}", -EINVAL, true, "invalid filter 'dangling'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(filter_freep) Filter *f = parse(rows[i].text);
                _cleanup_(error_done) Error e = {};
                bool b = true;

                assert_int_equal(filter_get_bool(f, "dangling", &b, &e), rows[i].r);
                assert_int_equal(b, rows[i].value);
                if (rows[i].error)
                        assert_string_equal(e.text, rows[i].error);
        }
}

static void test_limits(void **state) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(filter_freep) Filter *f = NULL;
        _cleanup_(error_done) Error e = {};

        assert_int_equal(str_copy(&text, "{\"name\":[\"0\""), 0);
        for (unsigned i = 1; i <= FILTER_VALUES_MAX; i++)
                assert_int_equal(str_appendf(&text, ",\"%u\"", i), 0);
        assert_int_equal(str_appendf(&text, "]}"), 0);
        assert_int_equal(filter_parse(text, keys, &f, &e), -EINVAL);
        assert_string_equal(e.text, "invalid filter: more than 1000 values");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both_forms),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_labels),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_costly_patterns),
                cmocka_unit_test(test_prefix_and_any),
                cmocka_unit_test(test_bool),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
