/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/buffer.h"

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void test_stream(void **state) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(freep) char *rest = NULL;
        uint64_t in = 0, out = 0;
        size_t n;

        /* Written faster than read, then emptied: order and content hold whatever moves inside. */
        for (unsigned i = 0; i < 2000; i++) {
                char piece[13];

                for (size_t k = 0; k < sizeof(piece); k++)
                        piece[k] = (char) in++;
                assert_ok(buffer_append(&b, piece, sizeof(piece)));
                for (size_t k = 0, take = i % 17; k < take && !buffer_empty(&b); k++) {
                        assert_int_equal(buffer_head(&b)[0], (char) out++);
                        buffer_consume(&b, 1);
                }
        }
        assert_int_equal(buffer_size(&b), in - out);
        n = buffer_size(&b);
        rest = buffer_take_string(&b, &n);
        for (size_t k = 0; k < n; k++)
                assert_int_equal(rest[k], (char) out++);
        assert_int_equal(rest[n], 0);
        assert_true(buffer_empty(&b));
}

static void test_limit(void **state) {
        _cleanup_(buffer_done) Buffer b = { .max = 8 };

        assert_ok(buffer_append_string(&b, "12345678"));
        assert_int_equal(buffer_append_char(&b, '9'), -EFBIG);
        assert_string_equal(buffer_string(&b), "12345678");
        buffer_consume(&b, 3);
        assert_ok(buffer_append_string(&b, "9"));
        assert_string_equal(buffer_string(&b), "456789");
}

static void test_lines(void **state) {
        _cleanup_(buffer_done) Buffer b = {};

        assert_int_equal(buffer_line(&b), 0);
        assert_ok(buffer_printf(&b, "a%i\nrest", 1));
        assert_int_equal(buffer_line(&b), 3);
        buffer_consume(&b, 3);
        assert_int_equal(buffer_line(&b), 0);
}

static void test_fd(void **state) {
        _cleanup_(buffer_done) Buffer b = {};
        int p[2];

        assert_ok(fd_pipe(p, O_NONBLOCK));
        assert_ok(buffer_append_string(&b, "hello"));
        assert_int_equal(buffer_write_fd(&b, p[1]), 5);
        assert_true(buffer_empty(&b));
        assert_int_equal(buffer_read_fd(&b, p[0], 3), 3);
        assert_int_equal(buffer_read_fd(&b, p[0], 100), 2);
        assert_string_equal(buffer_string(&b), "hello");
        assert_int_equal(buffer_read_fd(&b, p[0], 100), -EAGAIN);
        (void) fd_close(p[1]);
        assert_int_equal(buffer_read_fd(&b, p[0], 100), 0);
        (void) fd_close(p[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stream),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_fd),
        };

        return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
