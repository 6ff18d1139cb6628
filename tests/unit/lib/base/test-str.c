/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/str.h"

#include <errno.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void test_predicates(void **state) {
        assert_true(str_equal(NULL, NULL));
        assert_false(str_equal(NULL, ""));
        assert_string_equal(str_starts("sha256:ab", "sha256:"), "ab");
        assert_null(str_starts("sha", "sha256:"));
        assert_string_equal(str_ends("a.tar", ".tar"), ".tar");
        assert_null(str_ends("tar", ".tar"));
        assert_true(STR_IN_SET("b", "a", "b"));
        assert_false(STR_IN_SET(NULL, "a", "b"));
        assert_true(str_is_hex("0af", 3));
        assert_false(str_is_hex("0aF", 3));
        assert_false(str_is_hex("0af0", 3));
        assert_false(str_is_hex("0a", 3));
}

static void test_copies(void **state) {
        _cleanup_(freep) char *s = NULL, *left = NULL, *right = NULL, *word = NULL;
        char text[] = "  a b\r\n";
        const char *p = " one  two";

        assert_ok(str_copy(&s, "abc"));
        assert_ok(str_copy_n(&s, "abcdef", 2));
        assert_string_equal(s, "ab");
        assert_ok(str_appendf(&s, "-%i", 7));
        assert_string_equal(s, "ab-7");
        assert_ok(str_copy(&s, NULL));
        assert_null(s);
        assert_ok(str_appendf(&s, "%s", "x"));
        assert_string_equal(s, "x");

        assert_string_equal(str_strip(text), "a b");
        assert_ok(str_split_pair("k=v=w", '=', &left, &right));
        assert_string_equal(left, "k");
        assert_string_equal(right, "v=w");
        assert_int_equal(str_split_pair("k", '=', &left, &right), -EINVAL);

        assert_int_equal(str_next_word(&p, " ", &word), 1);
        assert_string_equal(word, "one");
        word = mfree(word);
        assert_int_equal(str_next_word(&p, " ", &word), 1);
        assert_string_equal(word, "two");
        word = mfree(word);
        assert_int_equal(str_next_word(&p, " ", &word), 0);
        assert_null(word);

        free(s);
        s = str_concat("a", "", "bc");
        assert_string_equal(s, "abc");
}

static void check_escape(const char *s, const char *expected) {
        _cleanup_(freep) char *escaped = str_escape_terminal(s);

        assert_string_equal(escaped, expected);
        assert_false(str_needs_escape(escaped));
        assert_int_equal(str_needs_escape(s), !str_equal(s, expected));
}

static void test_escape_terminal(void **state) {
        _cleanup_(freep) char *lines = str_escape_terminal_lines("a\tb\n\033c"),
                              *null = str_escape_terminal(NULL);
        _cleanup_(freep) char *nul = str_escape_terminal_n("a\0b", 3);

        check_escape("plain text, Gr\xc3\xbc\xc3\x9f"
                     "e \xe2\x82\xac \xf0\x9f\x90\xb3 \\",
                "plain text, Gr\xc3\xbc\xc3\x9f"
                "e \xe2\x82\xac \xf0\x9f\x90\xb3 \\");
        check_escape("\033]0;x\007", "\\x1b]0;x\\x07");
        check_escape("a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f");
        check_escape("\xc2\x9b"
                     "31m",
                "\\xc2\\x9b31m"); /* C1 as UTF-8 */
        check_escape("\x9b"
                     "31m",
                "\\x9b31m"); /* C1 as a byte */
        check_escape("\xe2\x80\xae"
                     "x",
                "\\xe2\\x80\\xaex");                              /* right-to-left override */
        check_escape("\xe2\x80\x8b", "\\xe2\\x80\\x8b");          /* zero width space */
        check_escape("\xc0\xaf", "\\xc0\\xaf");                   /* overlong */
        check_escape("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
        check_escape("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond Unicode */
        check_escape("\xe2\x82", "\\xe2\\x82");                   /* cut off */
        assert_string_equal(lines, "a\tb\n\\x1bc");
        assert_string_equal(null, "");
        assert_string_equal(nul, "a\\x00b");
}

static void test_escape_json(void **state) {
        _cleanup_(freep) char *plain = str_escape_json("{\n  \"a\": \"ä😀\\n\"\n}"),
                              *harmful = str_escape_json("[\"\xc2\x9b"
                                                         "31m\u202e\U000e0001\"]"),
                              *none = str_escape_json(NULL);

        assert_string_equal(plain, "{\n  \"a\": \"ä😀\\n\"\n}");
        assert_string_equal(harmful, "[\"\\u009b31m\\u202e\\udb40\\udc01\"]");
        assert_string_equal(none, "");
}

static void test_utf8(void **state) {
        assert_true(str_is_utf8("\xc3\xa4", 2));
        assert_false(str_is_utf8("\xc3", 1));
        assert_false(str_is_utf8("a\0", 2));
        assert_true(str_is_utf8("", 0));
}

static void test_quote(void **state) {
        _cleanup_(freep) char *a = str_quote_shell("plain-1.2"), *b = str_quote_shell("it's a"),
                              *c = str_quote_shell("");

        assert_string_equal(a, "plain-1.2");
        assert_string_equal(b, "'it'\\''s a'");
        assert_string_equal(c, "''");
}

static void test_hex(void **state) {
        uint8_t bytes[3];
        char text[7];

        str_hex("\x00\xab\x7f", 3, text);
        assert_string_equal(text, "00ab7f");
        assert_ok(str_unhex(text, 6, bytes));
        assert_memory_equal(bytes, "\x00\xab\x7f", 3);
        assert_int_equal(str_unhex("0g", 2, bytes), -EINVAL);
        assert_int_equal(str_unhex("0", 1, bytes), -EINVAL);
}

static void test_matches(void **state) {
        char text[2001], pattern[65];

        assert_true(str_matches("*.c", "a.c"));
        assert_false(str_matches("*.c", "a.h"));
        assert_true(str_matches("a*b*c", "a--b-b--c"));
        assert_true(str_matches("[a-c]?[!x]", "bzy"));
        assert_false(str_matches("[a-c]?[!x]", "bzx"));
        assert_true(str_matches("\\*", "*"));
        assert_false(str_matches("\\*", "x"));
        assert_true(str_matches("[", "["));
        assert_true(str_matches("", ""));
        assert_false(str_matches("?", ""));
        assert_true(str_matches("**", ""));

        /* The classic blow-up: many stars, no match. */
        memset(text, 'a', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        for (size_t i = 0; i < 31; i++)
                memcpy(pattern + 2 * i, "*a", 2);
        memcpy(pattern + 62, "*b", 3);
        assert_false(str_matches(pattern, text));
}

typedef enum Fruit {
        FRUIT_APPLE,
        FRUIT_PEAR,
        _FRUIT_MAX,
        _FRUIT_INVALID = -EINVAL,
} Fruit;
static const char *const fruit_table[_FRUIT_MAX] = {
        [FRUIT_APPLE] = "apple", [FRUIT_PEAR] = "pear"
};
const char *fruit_to_string(Fruit f);
Fruit fruit_from_string(const char *s);
DEFINE_STRING_TABLE(fruit, Fruit);

static void test_table(void **state) {
        assert_string_equal(fruit_to_string(FRUIT_PEAR), "pear");
        assert_null(fruit_to_string(_FRUIT_MAX));
        assert_null(fruit_to_string(_FRUIT_INVALID));
        assert_int_equal(fruit_from_string("apple"), FRUIT_APPLE);
        assert_int_equal(fruit_from_string("plum"), _FRUIT_INVALID);
        assert_int_equal(fruit_from_string(NULL), _FRUIT_INVALID);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape_json),
                cmocka_unit_test(test_predicates),
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_escape_terminal),
                cmocka_unit_test(test_utf8),
                cmocka_unit_test(test_quote),
                cmocka_unit_test(test_hex),
                cmocka_unit_test(test_matches),
                cmocka_unit_test(test_table),
        };

        return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
