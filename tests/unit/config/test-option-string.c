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
#include "config/option-string.h"
#include "config/settings-table.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static void assert_words(const char *value, const char *joined) {
        _cleanup_(option_string_done) OptionString s = {};
        _cleanup_(freep) char *got = NULL;

        assert_int_equal(option_string_parse(value, &s), 0);
        for (size_t i = 0; i < s.n_words; i++)
                assert_int_equal(str_appendf(&got, "[%s]", s.words[i].text), 0);
        assert_string_equal(str_or_empty(got), joined);
}

static void test_split_as_systemd(void **state) {
        assert_words("", "");
        assert_words("  \t ", "");
        assert_words("a  b\tc\nd", "[a][b][c][d]");
        assert_words("'a b' \"c d\"", "[a b][c d]");
        assert_words("--label='a b'c", "[--label=a bc]");
        assert_words("a\\ b", "[a b]");
        assert_words("'a\\'b'", "[a'b]"); /* a backslash works in single quotes too */
        assert_words("\"a\\nb\"", "[anb]");
        assert_words("'' x \"\"", "[][x][]");
        assert_words("'open  word", "[open  word]");
        assert_words("x\\", "[x]");
        assert_words("$HOME ~ *", "[$HOME][~][*]");
}

static void assert_uses(const char *value, const char *joined) {
        _cleanup_(option_string_done) OptionString s = {};
        _cleanup_(freep) OptionUse *uses = NULL;
        _cleanup_(freep) char *got = NULL;
        size_t n;

        assert_int_equal(option_string_parse(value, &s), 0);
        assert_int_equal(option_string_uses(&s, &uses, &n), 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(str_appendf(&got, "[%s%s%s]", uses[i].row->name,
                                         uses[i].missing ? "?"
                                         : uses[i].value ? "="
                                                         : "",
                                         str_or_empty(uses[i].value)),
                        0);
        for (size_t i = 0; i < s.n_words; i++)
                if (s.words[i].kind == OPTION_UNKNOWN || s.words[i].kind == OPTION_STRAY)
                        assert_int_equal(str_appendf(&got, "{%s}", s.words[i].text), 0);
        assert_string_equal(str_or_empty(got), joined);
}

static void test_flags_as_dockerd(void **state) {
        assert_uses("--storage-driver=vfs", "[storage-driver=vfs]");
        assert_uses("--storage-driver vfs", "[storage-driver=vfs]");
        assert_uses("-s vfs -svfs -s=vfs",
                "[storage-driver=vfs][storage-driver=vfs][storage-driver=vfs]");
        assert_uses("-D", "[debug]");
        assert_uses("--debug=false", "[debug=false]");
        assert_uses("-D=false", "[debug=false]");
        assert_uses(
                "--debug false", "[debug]{false}"); /* a boolean takes its value with "=" only */
        assert_uses("-Dl debug", "[debug][log-level=debug]");
        assert_uses("-Dldebug", "[debug][log-level=debug]");
        assert_uses("-Dl=debug", "[debug][log-level=debug]");
        assert_uses("--label --debug", "[label=--debug]");
        assert_uses("--label", "[label?]");
        assert_uses("--label=", "[label=]");
        assert_uses("--nope=1 x -Q", "{--nope=1}{x}{-Q}");
        assert_uses("-D -- -D", "[debug]{-D}");
        assert_uses("-", "{-}");
        assert_uses("-g /x --graph /y", "[data-root=/x][graph=/y]");
        assert_uses("-Dq", "{-Dq}");
}

static void test_quote(void **state) {
        static const char *const words[] = { "", "a", "a b", "it's", "say \"x\"", "it's \"x\"",
                "a\\b", "\\", "$x `y`", "a#b" };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                _cleanup_(option_string_done) OptionString s = {};
                _cleanup_(freep) char *quoted = NULL;

                assert_int_equal(option_word_quote(words[i], &quoted), 0);
                assert_int_equal(option_string_parse(quoted, &s), 0);
                assert_int_equal(s.n_words, 1);
                assert_string_equal(s.words[0].text, words[i]);
        }
        assert_int_equal(option_word_quote("a\nb", &(char *) { NULL }), -EINVAL);
}

static void assert_edit(
        const char *raw, const char *name, const char *values, const char *expected) {
        _cleanup_(strv_freep) char **list = NULL;
        _cleanup_(freep) char *out = NULL;
        int r;

        if (values)
                assert_int_equal(strv_split(values, "|", true, &list), 0);
        r = option_raw_edit(raw, setting_find(name), list, &out);
        if (!expected) {
                assert_true(r < 0);
                return;
        }
        assert_int_equal(r, !streq(raw, expected));
        assert_string_equal(out, expected);
}

static void test_edit_single(void **state) {
        assert_edit("\"-s btrfs -D\"", "storage-driver", "vfs", "\"-s vfs -D\"");
        assert_edit("\"--storage-driver=btrfs  -D\"", "storage-driver", "vfs",
                "\"--storage-driver=vfs  -D\"");
        assert_edit("\"-sbtrfs\"", "storage-driver", "vfs", "\"-svfs\"");
        assert_edit("\"-s btrfs -s aufs\"", "storage-driver", "vfs", "\"-s btrfs -s vfs\"");
        assert_edit("\"-s btrfs\"", "storage-driver", "btrfs", "\"-s btrfs\"");
        assert_edit("\"--graph=/a\"", "data-root", "/b", "\"--graph=/b\"");
        assert_edit("\"-D\"", "storage-driver", "vfs", "\"-D --storage-driver=vfs\"");
        assert_edit("\"\"", "storage-driver", "vfs", "\"--storage-driver=vfs\"");
        assert_edit("", "storage-driver", "vfs", "\"--storage-driver=vfs\"");
        assert_edit("\"-D -- x\"", "group", "g", "\"-D --group=g -- x\"");
        assert_edit("\"-- x\"", "group", "g", "\"--group=g -- x\"");
        assert_edit("'--group=g'", "group", "it's", "\"--group=\\\"it's\\\"\"");
        assert_edit("\"'--data-root=/a b' -D\"", "data-root", "/c", "\"--data-root=/c -D\"");
        assert_edit("\"-D --unknown  x\"", "group", "g", "\"-D --unknown  x --group=g\"");
        assert_edit("-D", "group", "g", "\"-D --group=g\"");
        assert_edit("--group=a", "group", "b", "--group=b");
        assert_edit("\"-D 'open\"", "group", "g", NULL); /* it would land inside of the quote */
}

static void test_edit_boolean(void **state) {
        assert_edit("\"-D\"", "debug", "false", "\"-D=false\"");
        assert_edit("\"--debug\"", "debug", "false", "\"--debug=false\"");
        assert_edit("\"--debug=false\"", "debug", "true", "\"--debug=true\"");
        assert_edit("\"--debug\"", "debug", "true", "\"--debug\"");
        assert_edit("\"\"", "debug", "true", "\"--debug\"");
        assert_edit("\"-Dl debug\"", "debug", "false", "\"-Dl debug --debug=false\"");
}

static void test_edit_unset(void **state) {
        assert_edit("\"-s btrfs -D\"", "storage-driver", NULL, "\"-D\"");
        assert_edit("\"-D -s btrfs\"", "storage-driver", NULL, "\"-D\"");
        assert_edit("\"-D  -s   btrfs  -l debug\"", "storage-driver", NULL, "\"-D   -l debug\"");
        assert_edit("\"-s a -D -s b\"", "storage-driver", NULL, "\"-D\"");
        assert_edit("\"-s a -s b\"", "storage-driver", NULL, "\"\"");
        assert_edit("\"-Dl debug\"", "debug", NULL, "\"-l debug\"");
        assert_edit("\"-Dl debug x\"", "log-level", NULL, "\"-D x\"");
        assert_edit("\"-DD -D x\"", "debug", NULL, "\"x\"");
        assert_edit("\"-D\"", "storage-driver", NULL, "\"-D\"");
}

static void test_edit_list(void **state) {
        assert_edit("\"--label=a=1 -D --label b=2\"", "label", "a=1|b=3",
                "\"--label=a=1 -D --label b=3\"");
        assert_edit("\"--label=a=1 -D --label b=2\"", "label", "b=2", "\"-D --label b=2\"");
        assert_edit("\"--label=a=1 -D\"", "label", "a=1|b=2|c=3",
                "\"--label=a=1 --label=b=2 --label=c=3 -D\"");
        assert_edit("\"--label=a=1 -D\"", "label", "b=2|a=1", "\"--label=b=2 --label=a=1 -D\"");
        assert_edit("\"\"", "label", "a=1|b=x y", "\"--label=a=1 --label='b=x y'\"");
        assert_edit("\"--label=a=1 --label=b=2 --label=c=3\"", "label", "a=1|c=3",
                "\"--label=a=1 --label=c=3\"");
        assert_edit("\"--label=a=1 -D\"", "label", NULL, "\"-D\"");
        assert_edit("\"-- x\"", "label", "a=1|b=2", "\"--label=a=1 --label=b=2 -- x\"");
}

static uint32_t seed = 4711;

static unsigned dice(unsigned n) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 8) % n;
}

/* Random option strings, random edits: whenever an edit succeeds the option has the wanted value
 * (checked inside of option_raw_edit() as well), the result is stable, and taking the option out
 * again gives a value without it. */
static void test_edit_property(void **state) {
        static const char *const pieces[] = {
                "-D",
                "-s vfs",
                "--label=a=1",
                "--label 'b=2 3'",
                "-Dl debug",
                "--unknown=1",
                "--host=fd://",
                "-H unix://",
                "--debug",
                "--debug=false",
                "-g /x",
                "--graph=/y",
                "stray",
                "'--group=g'",
                "--group g\\ h",
                "--tls",
        };
        static const struct {
                const char *name, *value;
        } edits[] = {
                { "storage-driver", "overlay2" },
                { "label", "c=it's" },
                { "debug", "false" },
                { "debug", "true" },
                { "data-root", "/new place" },
                { "host", "fd://" },
                { "group", "a\\b" },
                { "log-level", "warn" },
        };
        unsigned edited = 0;

        for (unsigned round = 0; round < 5000; round++) {
                _cleanup_(freep) char *value = NULL, *raw = NULL, *out = NULL, *again = NULL,
                                      *without = NULL;
                unsigned n = dice(6), e = dice(ARRAY_SIZE(edits));
                char *values[] = { (char *) edits[e].value, NULL };
                const Setting *row = setting_find(edits[e].name);
                int r;

                for (unsigned i = 0; i < n; i++)
                        assert_int_equal(str_appendf(&value, "%s%s", dice(2) ? " " : "  ",
                                                 pieces[dice(ARRAY_SIZE(pieces))]),
                                0);
                assert_int_equal(env_value_encode(str_or_empty(value), &raw), 0);

                r = option_raw_edit(raw, row, values, &out);
                assert_true(r >= 0);
                edited += (unsigned) r;
                assert_int_equal(option_raw_edit(out, row, values, &again), 0);
                assert_string_equal(out, again);
                assert_true(option_raw_edit(out, row, NULL, &without) >= 0);
        }
        assert_true(edited > 3000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_split_as_systemd),
                cmocka_unit_test(test_flags_as_dockerd),
                cmocka_unit_test(test_quote),
                cmocka_unit_test(test_edit_single),
                cmocka_unit_test(test_edit_boolean),
                cmocka_unit_test(test_edit_unset),
                cmocka_unit_test(test_edit_list),
                cmocka_unit_test(test_edit_property),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
