/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/log/json-line.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"

static char *line_of(
        LogStream stream, const char *data, size_t size, uint64_t time, const char *attrs) {
        _cleanup_(buffer_done) Buffer b = {};
        LogMessage m = { .stream = stream, .data = data, .size = size, .time_nsec = time };

        assert_ok(json_line_write(&b, &m, attrs));
        return buffer_take_string(&b, NULL);
}

static void test_write(void **state) {
        static const struct {
                const char *data, *json;
        } cases[] = {
                { "plain\n", "plain\\n" },
                { "<&>\n", "\\u003c\\u0026\\u003e\\n" },
                { "\t\r\001\x7f", "\\u0009\\r\\u0001\x7f" },
                { "\"\\/", "\\\"\\\\/" },
                { "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xb3", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xb3" },
                { "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029" },
                { "\xff\xc3", "\\ufffd\\ufffd" },            /* no UTF-8 */
                { "\xc0\x80", "\\ufffd\\ufffd" },            /* overlong */
                { "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" }, /* half of a pair */
                { "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *line = NULL, *expected = NULL;

                line = line_of(LOG_STREAM_STDOUT, cases[i].data, strlen(cases[i].data),
                        UINT64_C(1767225600123000000), NULL);
                assert_true(asprintf(&expected,
                                    "{\"log\":\"%s\",\"stream\":\"stdout\",\"time\":\"2026-01-"
                                    "01T00:00:00.123Z\"}\n",
                                    cases[i].json) > 0);
                assert_string_equal(line, expected);
        }
}

static void test_write_rest(void **state) {
        _cleanup_(freep) char *a = NULL, *b = NULL, *attrs = NULL;
        char *fields[] = { (char *) "a=1", (char *) "b=x\"=y", (char *) "c", NULL };

        assert_ok(json_line_attrs(fields, &attrs));
        assert_string_equal(attrs, "{\"a\":\"1\",\"b\":\"x\\\"=y\",\"c\":\"\"}");
        a = line_of(LOG_STREAM_STDERR, "x", 1, 0, attrs);
        assert_string_equal(a, "{\"log\":\"x\",\"stream\":\"stderr\",\"attrs\":{\"a\":\"1\",\"b\":"
                               "\"x\\\"=y\",\"c\":\"\"},"
                               "\"time\":\"1970-01-01T00:00:00Z\"}\n");
        b = line_of(LOG_STREAM_STDERR, "", 0, 1, NULL);
        assert_string_equal(
                b, "{\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:00.000000001Z\"}\n");

        attrs = mfree(attrs);
        assert_ok(json_line_attrs(NULL, &attrs));
        assert_null(attrs);
}

static void test_parse(void **state) {
        static const char good[] = "{\"log\":\"a\\u003c\\n\",\"stream\":\"stderr\",\"attrs\":{"
                                   "\"k\":\"v\",\"l\":\"\"},\"time\":\"2026-01-01T00:00:00.5Z\"}";
        /* other shapes of the same */
        static const char *const others[] = {
                "{ \"log\" : \"a<\\n\", "
                "\"stream\":\"stderr\",\"attrs\":{\"k\":\"v\",\"l\":\"\"},\"time\":\"2026-01-01T00:"
                "00:00.5Z\"}",
                "{\"time\":\"2026-01-01T00:00:00.500Z\",\"stream\":\"stderr\",\"log\":\"a<\\n\","
                "\"attrs\":{\"k\":\"v\",\"l\":\"\"}}",
                "{\"log\":\"a<\\n\",\"stream\":\"stderr\",\"extra\":[1,{}],\"attrs\":{\"k\":\"v\","
                "\"l\":\"\"},\"time\":\"2026-01-01T01:00:00.5+01:00\"}",
        };
        _cleanup_(json_line_done) JsonLine l = {};

        for (size_t i = 0; i <= ARRAY_SIZE(others); i++) {
                const char *text = i == 0 ? good : others[i - 1];

                assert_ok(json_line_parse(text, strlen(text), &l));
                assert_int_equal(l.message.stream, LOG_STREAM_STDERR);
                assert_int_equal(l.message.size, 3);
                assert_memory_equal(l.message.data, "a<\n", 3);
                assert_false(l.message.partial);
                assert_true(l.message.time_nsec == UINT64_C(1767225600500000000));
                assert_int_equal(strv_length(l.message.attrs), 2);
                assert_string_equal(l.message.attrs[0], "k=v");
                assert_string_equal(l.message.attrs[1], "l=");
        }
}

static void test_parse_bad(void **state) {
        static const char *const bad[] = {
                "",
                "{",
                "x",
                "[]",
                "{}",
                "null",
                "{\"log\":\"x\"}",
                "{\"log\":\"x\",\"stream\":\"stdout\"}",
                "{\"log\":\"x\",\"stream\":\"stdin\",\"time\":\"2026-01-01T00:00:00Z\"}",
                "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"yesterday\"}",
                "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"",
                "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}}",
                "{\"log\":\"x\\q\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}",
                "{\"log\":\"x\\u12\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}",
                "{\"log\":\"x\\",
                "{\"log\":\"x\",\"stream\":\"stdout\",\"attrs\":{\"a\":\"b\"",
        };
        _cleanup_(json_line_done) JsonLine l = {};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(json_line_parse(bad[i], strlen(bad[i]), &l), -EBADMSG);
}

static void check_round_trip(
        const char *data, size_t size, const char *expected, size_t n_expected) {
        _cleanup_(json_line_done) JsonLine l = {};
        _cleanup_(freep) char *line = NULL;

        line = line_of(LOG_STREAM_STDOUT, data, size, 12345, NULL);
        assert_ok(json_line_parse(line, strlen(line) - 1, &l));
        assert_int_equal(l.message.size, n_expected);
        assert_memory_equal(l.message.data, expected, n_expected);
        assert_true(l.message.time_nsec == 12345);
}

static void test_round_trip(void **state) {
        char all[256];

        for (int i = 0; i < 128; i++)
                all[i] = (char) i;
        check_round_trip(all, 128, all, 128); /* with its NUL */
        check_round_trip("\xf0\x9f\x90\xb3\xe2\x80\xa8\xc3\xbc", 9,
                "\xf0\x9f\x90\xb3\xe2\x80\xa8\xc3\xbc", 9);
        check_round_trip("a\xff"
                         "b",
                3,
                "a\xef\xbf\xbd"
                "b",
                5);
}

static void test_surrogates(void **state) {
        static const struct {
                const char *json, *text;
        } cases[] = {
                { "\\ud83d\\udc33", "\xf0\x9f\x90\xb3" },
                { "\\uD83D\\uDC33", "\xf0\x9f\x90\xb3" },
                { "\\ud83dx", "\xef\xbf\xbdx" },
                { "\\udc33", "\xef\xbf\xbd" },
                { "\\ud83d\\u0041", "\xef\xbf\xbd"
                                    "A" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(json_line_done) JsonLine l = {};
                _cleanup_(freep) char *line = NULL;

                assert_true(asprintf(&line,
                                    "{\"log\":\"%s\",\"stream\":\"stdout\",\"time\":\"2026-01-"
                                    "01T00:00:00Z\"}",
                                    cases[i].json) > 0);
                assert_ok(json_line_parse(line, strlen(line), &l));
                assert_int_equal(l.message.size, strlen(cases[i].text));
                assert_memory_equal(l.message.data, cases[i].text, l.message.size);
                assert_true(l.message.partial);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_write_rest),
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_parse_bad),
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_surrogates),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
