/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/websocket.h"

#include <errno.h>

#include "lib/api/stream-frame.h"
#include "lib/base/buffer.h"
#include "tests/unit/test.h"

/* "Hello" in one masked text message, as RFC 6455 5.7 has it; two fragments with a ping between; and a close. */
static const unsigned char talk[] = { 0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51,
        0x58, 0x02, 0x82, 0, 0, 0, 0, 'a', 'b', 0x89, 0x81, 1, 1, 1, 1, 'o', 0x80, 0x81, 0, 0, 0, 0,
        'c', 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8, 'b', 'e', 'h', 'i', 'n', 'd' };

static void assert_bytes(const Buffer *b, const char *expected, size_t size) {
        assert_int_equal(buffer_size(b), size);
        assert_memory_equal(buffer_head(b), expected, size);
}

static void test_rfc_example(void **state) {
        _cleanup_(buffer_done) Buffer data = {}, answer = {};
        WebsocketReader w = {};

        assert_int_equal(websocket_read(&w, talk, 6, &data, &answer), 0);
        assert_true(buffer_empty(&data));
        assert_int_equal(websocket_read(&w, talk + 6, 5, &data, &answer), 0);
        assert_bytes(&data, "Hello", 5);
        assert_true(buffer_empty(&answer));
}

/* In pieces of every size the same comes out. */
static void test_pieces(void **state) {
        for (size_t step = 1; step <= sizeof talk; step++) {
                _cleanup_(buffer_done) Buffer data = {}, answer = {};
                WebsocketReader w = {};
                int r = 0;

                for (size_t at = 0; at < sizeof talk; at += step)
                        r = websocket_read(
                                &w, talk + at, MIN(step, sizeof talk - at), &data, &answer);
                assert_int_equal(r, 1);
                assert_bytes(&data, "Helloabc", 8);
                assert_bytes(&answer,
                        "\x8a\x01n"
                        "\x88\x02\x03\xe8",
                        7);
        }
}

static void assert_broken(const char *bytes, size_t size) {
        _cleanup_(buffer_done) Buffer data = {}, answer = {};
        WebsocketReader w = {};

        assert_int_equal(websocket_read(&w, bytes, size, &data, &answer), -EPROTO);
        assert_bytes(&answer, "\x88\x02\x03\xea", 4);
        assert_int_equal(websocket_read(&w, bytes, size, &data, &answer), 1);
        assert_bytes(&answer, "\x88\x02\x03\xea", 4); /* once */
        assert_true(buffer_empty(&data));
}

static void test_rules(void **state) {
#define BROKEN(s) assert_broken(s, sizeof(s) - 1)
        BROKEN("\x82\x01");                             /* no mask */
        BROKEN("\xc2\x81");                             /* a reserved bit */
        BROKEN("\x83\x81");                             /* opcode 3 */
        BROKEN("\x8b\x81");                             /* opcode 11 */
        BROKEN("\x80\x81");                             /* goes on, but nothing began */
        BROKEN("\x09\x80");                             /* a control frame in fragments */
        BROKEN("\x89\xfe");                             /* a large one */
        BROKEN("\x82\xfe\x00\x7d\0\0\0\0");             /* 125 in 16 bits */
        BROKEN("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0"); /* 65535 in 64 bits */
        BROKEN("\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0");   /* 2^63 */
        BROKEN("\x88\x81\0\0\0\0x");                    /* half a status */
        BROKEN("\x88\x82\0\0\0\0\x03\xed");             /* 1005 */
        BROKEN("\x88\x82\0\0\0\0\x03\xe7");             /* 999 */
        BROKEN("\x02\x80\0\0\0\0\x81\x80");             /* a second message begins inside of one */
        BROKEN("\x82\x80\0\0\0\0\x80\x80");             /* an empty message is a whole one */
#undef BROKEN
}

static void test_close_without_status(void **state) {
        _cleanup_(buffer_done) Buffer data = {}, answer = {};
        WebsocketReader w = {};

        assert_int_equal(websocket_read(&w, "\x88\x80\1\2\3\4", 6, &data, &answer), 1);
        assert_bytes(&answer, "\x88\x00", 2);
}

static void test_writing(void **state) {
        static const char data[70000];
        static const struct {
                size_t size;
                const char *head;
                size_t n_head;
        } rows[] = {
                { 0, "\x82\x00", 2 },
                { 125, "\x82\x7d", 2 },
                { 126, "\x82\x7e\x00\x7e", 4 },
                { 65535, "\x82\x7e\xff\xff", 4 },
                { 65536, "\x82\x7f\0\0\0\0\0\1\0\0", 10 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(buffer_done) Buffer b = {};

                assert_ok(stream_frame_append(
                        &b, STREAM_WEBSOCKET, FRAME_STDERR, data, rows[i].size));
                assert_int_equal(buffer_size(&b), rows[i].n_head + rows[i].size);
                assert_memory_equal(buffer_head(&b), rows[i].head, rows[i].n_head);
        }
}

static void test_framings(void **state) {
        _cleanup_(buffer_done) Buffer bare = {}, frames = {}, text = {};

        assert_ok(stream_frame_append(&bare, STREAM_BARE, FRAME_STDERR, "x", 1));
        assert_ok(stream_frame_append_end(&bare, STREAM_BARE));
        assert_bytes(&bare, "x", 1);
        assert_ok(stream_frame_append(&frames, STREAM_FRAMES, FRAME_STDERR, "x", 1));
        assert_ok(stream_frame_append_end(&frames, STREAM_FRAMES));
        assert_bytes(&frames, "\2\0\0\0\0\0\0\1x", 9);
        assert_ok(stream_frame_append(&text, STREAM_WEBSOCKET_TEXT, FRAME_STDERR, "x", 1));
        assert_ok(stream_frame_append_end(&text, STREAM_WEBSOCKET_TEXT));
        assert_bytes(&text, "\x81\1x\x88\2\3\xe8", 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rfc_example),
                cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_close_without_status),
                cmocka_unit_test(test_writing),
                cmocka_unit_test(test_framings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
