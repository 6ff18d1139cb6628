/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/env-value.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static void assert_decodes(const char *raw, const char *value) {
        _cleanup_(env_value_done) EnvValue v = {};

        assert_int_equal(env_value_decode(raw, &v), 0);
        assert_string_equal(v.text, value);
        assert_int_equal(v.n, strlen(value));
}

static void test_decode_as_systemd(void **state) {
        static const struct {
                const char *raw, *value;
        } rows[] = {
                { "", "" }, { "\"\"", "" }, { "''", "" }, { "plain", "plain" },
                { "two words", "two words" }, { "cut   ", "cut" }, { "kept\\ ", "kept " },
                { "\"a b\"", "a b" }, { "'a b'", "a b" }, { "\"a\" 'b'", "ab" },
                { "\"a\"b c", "ab c" },
                { "a\"b\"", "a\"b\"" }, /* quotes inside of a bare value are letters */
                { "\"a\\\"b\"", "a\"b" }, { "\"a\\\\b\"", "a\\b" }, { "\"a\\$b\\`c\"", "a$b`c" },
                { "\"a\\nb\"", "a\\nb" },               /* a backslash before anything else stays */
                { "\"a\\\nb\"", "ab" },                 /* a continued line */
                { "a\\\nb", "ab" }, { "a\\nb", "anb" }, /* bare: it takes any next letter */
                { "'a\\nb'", "a\\nb" }, { "\"$HOME `x` $(y)\"", "$HOME `x` $(y)" },
                { "\"a b\" # why", "a b# why" }, /* the trap */
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_decodes(rows[i].raw, rows[i].value);
}

static void test_decode_refuses(void **state) {
        EnvValue v;

        assert_int_equal(env_value_decode("\"open", &v), -EBADMSG);
        assert_int_equal(env_value_decode("'open", &v), -EBADMSG);
        assert_int_equal(env_value_decode("\"a\"\nb", &v), -EBADMSG);
        assert_int_equal(env_value_decode("a\nb", &v), -EBADMSG);
        assert_int_equal(env_value_decode("\xff", &v), -EBADMSG);
}

static void test_comment_is_noticed(void **state) {
        _cleanup_(env_value_done) EnvValue v = {}, w = {};

        assert_int_equal(env_value_decode("\"a\" # why", &v), 0);
        assert_true(v.trailing_comment);
        assert_int_equal(env_value_decode("\"a # b\"", &w), 0);
        assert_false(w.trailing_comment);
}

static void test_encode(void **state) {
        _cleanup_(freep) char *raw = NULL;
        char *none = NULL;

        assert_int_equal(env_value_encode("a \"b\" $c `d` \\e 'f'", &raw), 0);
        assert_string_equal(raw, "\"a \\\"b\\\" \\$c \\`d\\` \\\\e 'f'\"");
        assert_decodes(raw, "a \"b\" $c `d` \\e 'f'");
        assert_int_equal(env_value_encode("a\x01", &none), -EINVAL);
        assert_int_equal(env_value_encode("a\rb", &none), -EINVAL);
}

static void assert_splices(
        const char *raw, size_t offset, size_t n, const char *text, const char *expected) {
        _cleanup_(env_value_done) EnvValue v = {};
        _cleanup_(freep) char *out = NULL;

        assert_int_equal(env_value_decode(raw, &v), 0);
        assert_int_equal(env_value_splice(raw, &v, offset, n, text, &out), 0);
        assert_string_equal(out, expected);
}

static void test_splice(void **state) {
        assert_splices("\"\"", 0, 0, "-D", "\"-D\"");
        assert_splices("''", 0, 0, "-D", "'-D'");
        assert_splices("''", 0, 0, "it's", "\"it's\""); /* does not fit into single quotes */
        assert_splices("", 0, 0, "-D", "\"-D\"");
        assert_splices("\"-s vfs\"", 3, 3, "a$b", "\"-s a\\$b\"");
        assert_splices("'-s vfs'", 3, 3, "a$b", "'-s a$b'");
        assert_splices("\"-s vfs\"", 6, 0, " -D", "\"-s vfs -D\"");
        assert_splices("\"a\" 'b'", 1, 1, "c", "\"a\" 'c'");
        assert_splices("\"a\" 'b'", 0, 2, "c", "\"c\""); /* across two pieces: quoted anew */
        assert_splices("-D", 2, 0, " -l", "\"-D -l\"");  /* a bare value must not get a blank */
        assert_splices("-lx", 2, 1, "debug", "-ldebug");
        assert_splices(
                "\"-D \\\n-l\"", 1, 1, "E", "\"-E \\\n-l\""); /* the continued line stays one */
}

static uint32_t seed = 12345;

static unsigned dice(unsigned n) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 8) % n;
}

/* Whatever the raw text and the edit: the value is what it was with the bytes replaced, and raw
 * bytes outside of the edit are the same as long as it was patched in place. */
static void test_splice_property(void **state) {
        static const char letters[] = "ab \\\"'$`#=-\n\t";
        unsigned done = 0;

        for (unsigned round = 0; round < 20000; round++) {
                _cleanup_(env_value_done) EnvValue v = {}, w = {};
                _cleanup_(freep) char *out = NULL, *expected = NULL;
                char raw[16], text[6];
                size_t n = dice(sizeof(raw) - 1), m = dice(sizeof(text) - 1), offset, count;
                int r;

                for (size_t i = 0; i < n; i++)
                        raw[i] = letters[dice(sizeof(letters) - 1)];
                raw[n] = 0;
                for (size_t i = 0; i < m; i++)
                        text[i] = letters[dice(sizeof(letters) - 1)];
                text[m] = 0;

                if (env_value_decode(raw, &v) < 0)
                        continue;
                offset = dice((unsigned) v.n + 1);
                count = dice((unsigned) (v.n - offset) + 1);

                assert_int_equal(str_printf(&expected, "%.*s%s%s", (int) offset, v.text, text,
                                         v.text + offset + count),
                        0);
                r = env_value_splice(raw, &v, offset, count, text, &out);
                assert_int_equal(r, 0);
                assert_int_equal(env_value_decode(out, &w), 0);
                assert_string_equal(w.text, expected);
                done++;
        }
        assert_true(done > 5000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_decode_as_systemd),
                cmocka_unit_test(test_decode_refuses),
                cmocka_unit_test(test_comment_is_noticed),
                cmocka_unit_test(test_encode),
                cmocka_unit_test(test_splice),
                cmocka_unit_test(test_splice_property),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
