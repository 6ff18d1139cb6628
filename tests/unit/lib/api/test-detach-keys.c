/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/detach-keys.h"

#include <errno.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "tests/unit/test.h"

static DetachKeys parse(const char *text) {
        DetachKeys keys;

        assert_int_equal(detach_keys_parse(text, &keys, NULL), 0);
        return keys;
}

static void assert_out(Buffer *out, const char *expected, size_t size) {
        assert_int_equal(buffer_size(out), size);
        assert_memory_equal(buffer_head(out), expected, size);
        buffer_reset(out);
}

static void test_usual_keys(void **state) {
        DetachKeys keys = parse(NULL);

        assert_int_equal(keys.n, 2);
        assert_int_equal(keys.keys[0], 16);
        assert_int_equal(keys.keys[1], 17);
        keys = parse("");
        assert_int_equal(keys.n, 2);
}

static void test_all_kinds_of_keys(void **state) {
        const DetachKeys keys = parse("a,ctrl-a,ctrl-z,ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_");
        const unsigned char expected[] = { 'a', 1, 26, 0, 27, 28, 29, 30, 31 };

        assert_int_equal(keys.n, sizeof(expected));
        assert_memory_equal(keys.keys, expected, sizeof(expected));
}

static void test_wrong_keys(void **state) {
        const char *const wrong[] = { "ctrl-", "ctrl-A", "ctrl-1", "ab", "a,,b", "a,", ",",
                "ctrl-ab", "Ctrl-a", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q" };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                _cleanup_(error_done) Error e = {};
                DetachKeys keys;

                assert_true(detach_keys_parse(wrong[i], &keys, &e) < 0);
                assert_int_equal(e.kind, ERROR_INVALID);
        }
}

static void test_sequence_cut_anywhere(void **state) {
        _cleanup_(buffer_done) Buffer out = {};
        DetachKeys keys = parse(NULL);

        assert_int_equal(detach_keys_feed(&keys, "ls\r\x10", 4, &out), 0);
        assert_out(&out, "ls\r", 3); /* the first key is held back */
        assert_int_equal(detach_keys_feed(&keys, "\x11 behind", 8, &out), 1);
        assert_int_equal(buffer_size(&out), 0);
}

static void test_broken_sequence_is_given_out(void **state) {
        _cleanup_(buffer_done) Buffer out = {};
        DetachKeys keys = parse(NULL);

        assert_int_equal(detach_keys_feed(&keys, "\x10", 1, &out), 0);
        assert_int_equal(detach_keys_feed(&keys, "x", 1, &out), 0);
        assert_out(&out, "\x10x", 2);
        assert_int_equal(detach_keys_feed(&keys, "\x10\x10\x11", 3, &out), 1);
        assert_out(&out, "\x10", 1); /* the second one began the sequence */
}

static void test_sequence_that_repeats_itself(void **state) {
        _cleanup_(buffer_done) Buffer out = {};
        DetachKeys keys = parse("a,a,b");

        assert_int_equal(detach_keys_feed(&keys, "aaab", 4, &out), 1);
        assert_out(&out, "a", 1);
        keys = parse("a,b,a,c");
        assert_int_equal(detach_keys_feed(&keys, "abaxababac", 10, &out), 1);
        assert_out(&out, "abaxab", 6);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_usual_keys),
                cmocka_unit_test(test_all_kinds_of_keys),
                cmocka_unit_test(test_wrong_keys),
                cmocka_unit_test(test_sequence_cut_anywhere),
                cmocka_unit_test(test_broken_sequence_is_given_out),
                cmocka_unit_test(test_sequence_that_repeats_itself),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
