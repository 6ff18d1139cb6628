/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/log/local-line.h"

static void check(LogStream stream, bool partial, const char *data, size_t size, const char *line) {
        const LogMessage m = { .stream = stream,
                .time_nsec = 0x18a5c0ffee123456,
                .data = data,
                .size = size,
                .partial = partial };
        _cleanup_(json_line_done) JsonLine l = {};
        _cleanup_(buffer_done) Buffer b = {};

        assert_ok(local_line_write(&b, &m, NULL));
        assert_string_equal(buffer_string(&b), line);
        assert_ok(local_line_parse(buffer_head(&b), buffer_size(&b) - 1, &l));
        assert_int_equal(l.message.stream, stream);
        assert_int_equal(l.message.partial, partial);
        assert_true(l.message.time_nsec == m.time_nsec);
        assert_int_equal(l.message.size, size);
        assert_memory_equal(l.message.data, data, size);
}

#define CHECK(stream, partial, data, line) check(stream, partial, data, sizeof(data) - 1, line)

static void test_both_ways(void **state) {
        CHECK(LOG_STREAM_STDOUT, false, "hello\n", "o18a5c0ffee123456 hello\n");
        CHECK(LOG_STREAM_STDERR, false, "\n", "e18a5c0ffee123456 \n");
        CHECK(LOG_STREAM_STDOUT, true, "no feed", "O18a5c0ffee123456 no feed\n");
        CHECK(LOG_STREAM_STDERR, true, "", "E18a5c0ffee123456 \n");
        CHECK(LOG_STREAM_STDOUT, false, "a\\n\xff\0b\n", "o18a5c0ffee123456 a\\\\n\xff\\0b\n");
}

static void test_refuses(void **state) {
        static const char *const lines[] = { "", "o", "o1", "o ", "x1 a", "o1g a",
                "o18a5c0ffee1234567 a", "oA a", "o1 a\\", "o1 a\\x", "{\"log\":\"x\"}" };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                _cleanup_(json_line_done) JsonLine l = {};

                if (local_line_parse(lines[i], strlen(lines[i]), &l) != -EBADMSG)
                        fail_msg("%s", lines[i]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_both_ways),
                cmocka_unit_test(test_refuses) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
