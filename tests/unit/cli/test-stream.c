/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs no terminal of the foreground: frames. */
#include "cli/stream.h"

#include <string.h>

#include "tests/unit/test.h"

static const char frames[] = "\1\0\0\0\0\0\0\5hello\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\3err";

/* In pieces of every size the same text comes out. */
static void test_frames(void **state) {
        for (size_t step = 1; step < sizeof frames; step++) {
                _cleanup_(buffer_done) Buffer out = {}, err = {};
                Demux d = {};

                for (size_t at = 0; at < sizeof frames - 1; at += step) {
                        size_t n = MIN(step, sizeof frames - 1 - at), size;
                        const char *p = frames + at, *piece;
                        int kind;

                        while ((kind = demux_next(&d, &p, &n, &piece, &size)) > 0)
                                assert_ok(buffer_append(
                                        kind == DEMUX_STDERR ? &err : &out, piece, size));
                        assert_int_equal(kind, 0);
                        assert_int_equal(n, 0);
                }
                assert_string_equal(buffer_string(&out), "hello");
                assert_string_equal(buffer_string(&err), "err");
        }
}

static void test_broken_frame(void **state) {
        const char *p = "\7\0\0\0\0\0\0\1x", *piece;
        size_t n = 9, size;
        Demux d = {};

        assert_int_equal(demux_next(&d, &p, &n, &piece, &size), -EPROTO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_frames),
                cmocka_unit_test(test_broken_frame),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
