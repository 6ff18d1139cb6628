/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/channel.h"

#include <string.h>

#include "tests/unit/test.h"

static void test_raw(void **state) {
        int pair[2], fds[CHANNEL_FDS_MAX], one = STDERR_FILENO;
        static char large[CHANNEL_INLINE_MAX + 1];
        char data[16];
        size_t n = 99;

        assert_ok(channel_pair(pair));
        assert_ok(channel_send_raw(pair[0], "request", 7, &one, 1));
        assert_int_equal(channel_receive_raw(pair[1], data, sizeof(data), fds, &n), 7);
        assert_memory_equal(data, "request", 7);
        assert_int_equal(n, 1);
        fd_close_many(fds, n);

        assert_ok(channel_send_raw(pair[0], "request", 7, &one, 1));
        assert_int_equal(channel_receive_raw(pair[1], data, sizeof(data), NULL, NULL), -EPROTO);
        assert_int_equal(channel_send_raw(pair[0], large, sizeof(large), NULL, 0), -EMSGSIZE);
        assert_ok(channel_send_raw(pair[0], large, sizeof(large) - 1, NULL, 0));
        assert_int_equal(channel_receive_raw(pair[1], data, sizeof(data), fds, &n), -EMSGSIZE);
        (void) fd_close(pair[0]);
        assert_int_equal(channel_receive_raw(pair[1], data, sizeof(data), fds, &n), 0);
        (void) fd_close(pair[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_raw),
        };

        return cmocka_run_group_tests_name("channel-raw", tests, NULL, NULL);
}
