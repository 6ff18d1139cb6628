/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/build/words.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static const char *value(const char *name, void *userdata) {
        return strv_env_get(userdata, name);
}

static const char *const env[] = { "A=one", "EMPTY=", "PATH=/usr/local/bin:/bin", "S=a b  c",
        "F=archive.tar.gz", NULL };

static const Words words = { .escape = '\\', .value = value, .userdata = (void *) env };

static void test_expand(void **state) {
        static const struct {
                const char *text, *expected;
        } table[] = {
                { "", "" },
                { "plain", "plain" },
                { "$A", "one" },
                { "$A.x${A}y", "one.xoney" },
                { "$NONE-", "-" },
                { "a$", "a$" },
                { "$1", "" },
                { "\\$A", "$A" },
                { "'$A'", "$A" },
                { "\"$A\"", "one" },
                { "\"\\$A\\\"\\x\"", "$A\"\\x" },
                { "a\\ b", "a b" },
                { "'it'\"'s\"", "it's" },
                { "${A:-two}", "one" },
                { "${NONE:-two}", "two" },
                { "${EMPTY:-two}", "two" },
                { "${EMPTY-two}", "" },
                { "${NONE-two}", "two" },
                { "${A:+two}", "two" },
                { "${EMPTY:+two}", "" },
                { "${EMPTY+two}", "two" },
                { "${NONE+two}", "" },
                { "${NONE:-${A}x${EMPTY:-y}}", "onexy" },
                { "${NONE:-\"a}b\"}", "a}b" },
                { "${A:?never}", "one" },
                { "${F#*.}", "tar.gz" },
                { "${F##*.}", "gz" },
                { "${F%.*}", "archive.tar" },
                { "${F%%.*}", "archive" },
                { "${F%zip}", "archive.tar.gz" },
                { "${F#a?c}", "hive.tar.gz" },
                { "${PATH/bin/sbin}", "/usr/local/sbin:/bin" },
                { "${PATH//bin/sbin}", "/usr/local/sbin:/sbin" },
                { "${PATH//\\//_}", "_usr_local_bin:_bin" },
                { "${F/.tar}", "archive.gz" },
                { "${A/one/$A$A}", "oneone" },
                { "${NONE#x}", "" },
                { "\\", "" },
                { "\xc3\xa4$A", "\xc3\xa4one" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *out = NULL;

                assert_ok(words_expand(&words, table[i].text, &out, NULL));
                assert_string_equal(out, table[i].expected);
        }
}

static void test_bad(void **state) {
        static const struct {
                const char *text, *error;
        } table[] = {
                { "'x", "matching single-quote" },
                { "\"x", "matching double-quote" },
                { "${A", "missing '}'" },
                { "${", "missing '}'" },
                { "${}", "bad substitution" },
                { "${:x}", "bad substitution" },
                { "${A^}", "unsupported modifier (^)" },
                { "${A:=x}", "unsupported modifier (:)" },
                { "${NONE?}", "NONE: not allowed to be unset" },
                { "${EMPTY:?}", "EMPTY: not allowed to be empty" },
                { "${NONE:?give it $A}", "NONE: give it one" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(error_done) Error e = {};
                _cleanup_(freep) char *out = NULL;

                assert_true(words_expand(&words, table[i].text, &out, &e) < 0);
                assert_non_null(strstr(error_text(&e, 0), table[i].error));
        }
}

static void assert_list(char **list, const char *expected) {
        _cleanup_(freep) char *joined = strv_join(list, "|");

        assert_string_equal(joined, expected);
        strv_free(list);
}

static void test_split(void **state) {
        static const struct {
                const char *text, *expected;
        } table[] = {
                { "", "" },
                { "  a  b ", "a|b" },
                { "a\\ b 'c d' \"e f\"", "a b|c d|e f" },
                { "$S", "a|b|c" },
                { "\"$S\" x", "a b  c|x" },
                { "x$S", "xa|b|c" },
                { "''", "" },
                { "$EMPTY $NONE x", "x" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                char **list;

                assert_ok(words_split(&words, table[i].text, &list, NULL));
                assert_list(list, table[i].expected);
        }
}

static void test_split_raw(void **state) {
        char **list;

        assert_ok(words_split_raw('\\', " a=\"b c\" d\\ e='$x y'  z ", &list));
        assert_list(list, "a=\"b c\"|d\\ e='$x y'|z");
        assert_ok(words_split_raw('`', "a` b c\\ d", &list));
        assert_list(list, "a` b|c\\|d");
}

static void test_escape(void **state) {
        Words other = words;
        _cleanup_(freep) char *out = NULL;

        other.escape = '`';
        assert_ok(words_expand(&other, "c:\\$A`$A", &out, NULL));
        assert_string_equal(out, "c:\\one$A");
}

static void test_heredoc(void **state) {
        Words text = words;
        _cleanup_(freep) char *out = NULL;

        text.keep_quotes = true;
        assert_ok(words_expand(&text, "say \"$A\" '$A' \\$A \\n\n", &out, NULL));
        assert_string_equal(out, "say \"one\" 'one' $A \\n\n");
}

/* A variable made of itself, and what is nested too deep. */
static void test_bounded(void **state) {
        static const char *const big[] = {
                "B="
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                NULL
        };
        Words w = words;
        _cleanup_(error_done) Error e = {};
        char deep[4 * 100 + 1] = "", *text, *out = NULL;
        size_t n = 20000;

        for (int i = 0; i < 80; i++)
                strcat(deep, "${N-");
        assert_true(words_expand(&words, deep, &out, &e) < 0);

        w.userdata = (void *) big;
        text = calloc(n + 1, 2);
        for (size_t i = 0; i < n; i++)
                memcpy(text + 2 * i, "$B", 2);
        assert_int_equal(words_expand(&w, text, &out, NULL), -EFBIG);
        free(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_expand),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_split_raw),
                cmocka_unit_test(test_escape),
                cmocka_unit_test(test_heredoc),
                cmocka_unit_test(test_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
