/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs no terminal of the foreground: frames and the keys that detach. */
#include "cli/stream.h"

#include <string.h>

#include "cli/terminal.h"
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

static void test_keys(void **state) {
        DetachKeys k;

        assert_ok(detach_keys_parse("ctrl-p,ctrl-q", &k));
        assert_int_equal(k.n, 2);
        assert_int_equal(k.keys[0], 16);
        assert_int_equal(k.keys[1], 17);
        assert_ok(detach_keys_parse("a,ctrl-[,ctrl-@", &k));
        assert_int_equal(k.keys[1], 27);
        assert_int_equal(k.keys[2], 0);
        assert_int_equal(detach_keys_parse("ctrl-", &k), -EINVAL);
        assert_int_equal(detach_keys_parse("ctrl-A", &k), -EINVAL);
        assert_int_equal(detach_keys_parse("ab", &k), -EINVAL);
        assert_int_equal(detach_keys_parse("", &k), -EINVAL);
}

static void test_detach(void **state) {
        _cleanup_(buffer_done) Buffer out = {};
        DetachKeys k;

        assert_ok(detach_keys_parse("ctrl-p,ctrl-q", &k));
        assert_int_equal(detach_keys_filter(&k, "ab\x10", 3, &out), 0);
        assert_string_equal(buffer_string(&out), "ab"); /* held back */
        assert_int_equal(detach_keys_filter(&k, "c\x10\x10", 3, &out), 0);
        assert_string_equal(buffer_string(&out), "ab\x10"
                                                 "c\x10"); /* released */
        assert_int_equal(detach_keys_filter(&k, "\x11rest", 5, &out), 1);
        assert_string_equal(buffer_string(&out), "ab\x10"
                                                 "c\x10");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_frames),
                cmocka_unit_test(test_broken_frame),
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_detach),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
