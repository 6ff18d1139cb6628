/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

static Json *parse(const char *text) {
        _cleanup_(error_done) Error e = {};
        Json *v = NULL;

        if (json_parse(text, strlen(text), JSON_SIZE_MAX, &v, &e) < 0)
                fail_msg("%s: %s", text, error_text(&e, 0));
        return v;
}

static void assert_prints(const Json *v, const char *expected) {
        _cleanup_(freep) char *s = NULL;

        assert_int_equal(json_print(v, JSON_COMPACT, &s), 0);
        assert_string_equal(s, expected);
}

static void assert_refused(const char *text, size_t size, const char *expected) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};

        if (json_parse(text, size, JSON_SIZE_MAX, &v, &e) != -EINVAL)
                fail_msg("not refused: %s", text);
        assert_null(v);
        assert_int_equal(e.kind, ERROR_INVALID);
        if (!strstr(e.text, expected))
                fail_msg("\"%s\" is not in \"%s\"", expected, e.text);
}

static void test_round_trip(void **state) {
        static const char *const texts[] = {
                "null",
                "true",
                "0",
                "-9223372036854775808",
                "18446744073709551615",
                "\"\"",
                "[]",
                "{}",
                "{\"a\":[1,null,{\"b\":\"/x\"}],\"\":false}",
                "\"\\u0001\\n\\\"\\\\\"",
                "\"<&>ä€😀\"",
                "[0.5]",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(json_unrefp) Json *v = parse(texts[i]);

                assert_prints(v, texts[i]);
        }
}

static void test_refuses(void **state) {
        static const struct {
                const char *text, *expected;
        } rows[] = {
                { " ", "line 1, column 2: unexpected end" },
                { "{\"a\":\n  tru}", "line 2" },
                { "[1,]", "column 4" },
                { "{\"a\":1,}", "column 8" },
                { "[1] x", "column 5" },
                { "{} {}", "unexpected content after JSON" },
                { "{a:1}", "column 2" },
                { "{'a':1}", "column 2" },
                { "[1, /* x */ 2]", "column 5" },
                { "[NaN]", "column 2" },
                { "[-Infinity]", "column 2" },
                { "[Infinity]", "column 2" },
                { "[1\f]", "column 3" },
                { "[01]", "" },
                { "[-01]", "" },
                { "[00]", "" },
                { "[.5]", "" },
                { "[1.]", "" },
                { "[1.e5]", "" },
                { "[1e]", "" },
                { "[-]", "" },
                { "[+1]", "" },
                { "[--1]", "" },
                { "[1.5.5]", "" },
                { "[1 2]", "" },
                { "[,1]", "" },
                { "{,}", "" },
                { "{\"a\"}", "" },
                { "{\"a\":}", "" },
                { "{\"a\":1 \"b\":2}", "" },
                { "]", "" },
                { "[}", "" },
                { "-", "" },
                { "nul", "" },
                { "1 1", "" },
                { "[18446744073709551616]", "out of range" },
                { "[-9223372036854775809]", "out of range" },
                { "[TRUE]", "" },
                { "[Null]", "column 2" },
                { "\"a\nb\"", "control character" },
                { "\"\\u0000\"", "NUL" },
                { "{\"Memory\\u0000x\":1}", "NUL" },
                { "\"abc", "unexpected end" },
                { "[", "unexpected end" },
                { "\"\\x\"", "" },
                { "\xef\xbb\xbf{}", "column 1" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_refused(rows[i].text, strlen(rows[i].text), rows[i].expected);

        assert_refused("", 0, "empty document");
        assert_refused("{}\0", 3, "NUL byte");
}

static void test_backslashes(void **state) {
        _cleanup_(json_unrefp) Json *v = parse("[\"\\\\u0000\",\"\\\\\"]");

        assert_string_equal(
                json_to_text(json_at(v, 0)), "\\u0000"); /* an escaped backslash, no NUL */
        assert_string_equal(json_to_text(json_at(v, 1)), "\\");
}

static void test_limits(void **state) {
        char deep[2 * JSON_DEPTH_MAX + 3] = {};
        _cleanup_(error_done) Error e = {};
        Json *v = NULL;

        memset(deep, '[', JSON_DEPTH_MAX + 1);
        memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
        assert_refused(deep, strlen(deep), "nested deeper");

        memset(deep, '[', JSON_DEPTH_MAX - 2);
        memset(deep + JSON_DEPTH_MAX - 2, ']', JSON_DEPTH_MAX - 2);
        deep[2 * (JSON_DEPTH_MAX - 2)] = 0;
        v = parse(deep);
        v = json_unref(v);

        assert_int_equal(json_parse("[1,2]", 5, 4, &v, &e), -EFBIG);
        assert_int_equal(e.kind, ERROR_TOO_LARGE);
}

static void test_bad_utf8_is_mended(void **state) {
        _cleanup_(json_unrefp) Json *v = parse("[\"a\xff\xc3\xa4\xed\xa0\x80z\"]"), *t = NULL;

        assert_string_equal(json_to_text(json_at(v, 0)), "a�ä���z");

        assert_int_equal(json_new_text_n("x\0\xfe", 3, &t), 0);
        assert_string_equal(json_to_text(t), "x��");
}

static void test_duplicates(void **state) {
        _cleanup_(json_unrefp) Json *v = parse("{\"a\":1,\"a\":2}");

        assert_int_equal(json_count(v), 1);
        assert_int_equal(json_get_int64(v, "a", 0), 2);
}

static void test_integers(void **state) {
        _cleanup_(json_unrefp) Json *v =
                parse("[-1,9223372036854775807,9223372036854775808,1.0,\"1\"]");
        uint64_t u;
        int64_t i;

        assert_int_equal(json_to_int64(json_at(v, 0), &i), 0);
        assert_int_equal(i, -1);
        assert_int_equal(json_to_uint64(json_at(v, 0), &u), -ERANGE);
        assert_int_equal(json_to_int64(json_at(v, 1), &i), 0);
        assert_true(i == INT64_MAX);
        assert_int_equal(json_to_int64(json_at(v, 2), &i), -ERANGE);
        assert_int_equal(json_to_uint64(json_at(v, 2), &u), 0);
        assert_true(u == (uint64_t) INT64_MAX + 1);
        assert_int_equal(json_to_int64(json_at(v, 3), &i), -EINVAL);
        assert_int_equal(json_to_int64(json_at(v, 4), &i), -EINVAL);
        assert_int_equal(json_to_int64(NULL, &i), -EINVAL);
}

static void test_build(void **state) {
        _cleanup_(json_unrefp) Json *v = NULL, *n = NULL;
        char *strv[] = { (char *) "x", (char *) "y", NULL };
        char *pairs[] = { (char *) "z", (char *) "1", (char *) "b", (char *) "2", NULL };
        Json *inner, *list;

        assert_int_equal(json_new_object(&v), 0);
        assert_int_equal(json_set_text(v, "text", "a/b<c>"), 0);
        assert_int_equal(json_set_text(v, "none", NULL), 0);
        assert_int_equal(json_set_textf(v, "f", "%d-%s", 7, "x"), 0);
        assert_int_equal(json_set_bool(v, "yes", true), 0);
        assert_int_equal(json_set_int64(v, "n", INT64_MIN), 0);
        assert_int_equal(json_set_uint64(v, "u", UINT64_MAX), 0);
        assert_int_equal(json_set_strv(v, "strv", strv), 0);
        assert_int_equal(json_set_strv(v, "empty", NULL), 0);
        assert_int_equal(json_set_pairs(v, "pairs", pairs), 0);
        assert_int_equal(json_set_new_object(v, "o", &inner), 0);
        assert_int_equal(json_set_new_list(inner, "l", &list), 0);
        assert_int_equal(json_append_int64(list, 5), 0);
        assert_int_equal(json_append_text(list, "s"), 0);
        assert_int_equal(json_new_null(&n), 0);
        assert_int_equal(json_append(list, n), 0);
        assert_int_equal(json_set_bool(v, "gone", true), 0);
        json_unset(v, "gone");

        assert_prints(v,
                "{\"text\":\"a/b<c>\",\"none\":null,\"f\":\"7-x\",\"yes\":true,"
                "\"n\":-9223372036854775808,\"u\":18446744073709551615,\"strv\":[\"x\",\"y\"],"
                "\"empty\":[],\"pairs\":{\"b\":\"2\",\"z\":\"1\"},\"o\":{\"l\":[5,\"s\",null]}}");
}

static void test_look(void **state) {
        _cleanup_(json_unrefp) Json *v = parse("{\"null\":null,\"t\":\"x\",\"b\":true,\"l\":[]}");

        assert_non_null(json_get(v, "null"));
        assert_true(json_is_null(json_get(v, "null")));
        assert_null(json_get(v, "absent"));
        assert_true(json_is_null(NULL));
        assert_null(json_get(json_get(v, "t"), "x"));
        assert_null(json_at(v, 0));
        assert_null(json_at(json_get(v, "l"), 0));
        assert_string_equal(json_get_text(v, "t"), "x");
        assert_null(json_get_text(v, "b"));
        assert_true(json_get_bool(v, "b", false));
        assert_true(json_get_bool(v, "t", true));
        assert_int_equal(json_count(v), 4);
        assert_int_equal(json_count(json_get(v, "t")), 0);
}

static void test_walk(void **state) {
        _cleanup_(json_unrefp) Json *v = parse("{\"a\":[1,2],\"b\":null}");
        const char *key, *inner_key;
        size_t n = 0, n_inner = 0;
        Json *value, *element;

        JSON_FOREACH (key, value, v) {
                assert_string_equal(key, n == 0 ? "a" : "b");
                JSON_FOREACH (inner_key, element, value) {
                        assert_null(inner_key);
                        n_inner++;
                }
                n++;
        }

        assert_int_equal(n, 2);
        assert_int_equal(n_inner, 2);

        JSON_FOREACH (key, value, NULL)
                fail();
}

static void test_pretty(void **state) {
        _cleanup_(json_unrefp) Json *v = parse("{\"a\":[1]}");
        _cleanup_(freep) char *s = NULL;

        assert_int_equal(json_print(v, JSON_PRETTY, &s), 0);
        assert_string_equal(s, "{\n  \"a\": [\n    1\n  ]\n}\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_backslashes),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_bad_utf8_is_mended),
                cmocka_unit_test(test_duplicates),
                cmocka_unit_test(test_integers),
                cmocka_unit_test(test_build),
                cmocka_unit_test(test_look),
                cmocka_unit_test(test_walk),
                cmocka_unit_test(test_pretty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
