/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "lib/api/stream-frame.h"
#include "lib/base/error.h"
#include "rest/request.h"
#include "rest/status.h"
#include "rest/stream.h"
#include "tests/unit/test.h"

static void answers(ErrorKind kind, unsigned status, const char *body) {
        _cleanup_(error_done) Error e = {};
        Response a = {};
        int r;

        r = error_set(&e, kind, "No <such> \"x\" & y");
        assert_ok(response_error(&a, r, &e));
        assert_int_equal(a.status, status);
        if (body) {
                assert_int_equal(a.size, strlen(body));
                assert_memory_equal(a.body, body, a.size);
                assert_string_equal(a.content_type, "application/json");
        } else
                assert_int_equal(a.size, 0);
        response_done(&a);
}

static void test_errors(void **state) {
        static const char body[] = "{\"message\":\"No <such> \\\"x\\\" & y\"}\n";

        answers(ERROR_INVALID, 400, body);
        answers(ERROR_NOT_FOUND, 404, body);
        answers(ERROR_CONFLICT, 409, body);
        answers(ERROR_FORBIDDEN, 403, body);
        answers(ERROR_NOT_IMPLEMENTED, 501, body);
        answers(ERROR_INTERNAL, 500, body);
        answers(ERROR_TOO_LARGE, 413, body);
        answers(ERROR_NOT_MODIFIED, 304, NULL);
        assert_int_equal(status_from_error(-ENOENT, NULL), 404);
        assert_int_equal(status_from_error(-ENOMEM, NULL), 500);
}

static void test_frame(void **state) {
        static const uint8_t expected[] = { 2, 0, 0, 0, 0x01, 0x02, 0x03, 0x04 };
        uint8_t header[FRAME_HEADER_SIZE];

        frame_header(header, FRAME_STDERR, 0x01020304);
        assert_memory_equal(header, expected, sizeof expected);
}

static void count(Stream *s, void *userdata) {
        (*(int *) userdata)++;
}

static void test_stream(void **state) {
        static char block[64 * 1024];
        char data[16];
        Request q = {};
        int drained = 0;
        Stream *s;

        assert_ok(stream_new(&q, "text/plain", &s));
        stream_set_callbacks(s, count, NULL, &drained);
        assert_int_equal(stream_read(s, data, sizeof data), 0);
        assert_ok(stream_write_string(s, "hello"));
        assert_int_equal(stream_read(s, data, 3), 3);
        assert_memory_equal(data, "hel", 3);
        assert_int_equal(stream_read(s, data, sizeof data), 2);

        while (!stream_is_full(s))
                assert_ok(stream_write(s, block, sizeof block));
        assert_int_equal(drained, 0);
        while (drained == 0)
                assert_true(stream_read(s, block, sizeof block) > 0);
        stream_end(s);
        while (stream_read(s, block, sizeof block) > 0)
                ;
        assert_int_equal(stream_read(s, data, sizeof data), -1);
        stream_unref(s);
        response_done(&q.response);
}

/* Who does not read is told to have gone, once, and costs no more than the limit. */
static void test_stream_of_a_sleeper(void **state) {
        static char block[1024 * 1024];
        Request q = {};
        int gone = 0, r = 0;
        Stream *s;

        assert_ok(stream_new(&q, "text/plain", &s));
        stream_set_callbacks(s, NULL, count, &gone);
        for (int i = 0; r >= 0 && i < 100; i++)
                r = stream_write(s, block, sizeof block);
        assert_int_equal(r, -ENOBUFS);
        assert_int_equal(gone, 1);
        assert_int_equal(stream_write(s, block, 1), -EPIPE);
        assert_int_equal(stream_read(s, block, 1), -1);
        stream_unref(s);
        response_done(&q.response);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_frame),
                cmocka_unit_test(test_stream),
                cmocka_unit_test(test_stream_of_a_sleeper),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
