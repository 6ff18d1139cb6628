/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/websocket.h"

#include "tests/unit/test.h"

static void test_accept(void **state) {
        char accept[WEBSOCKET_ACCEPT_SIZE];

        /* RFC 6455 1.3 */
        assert_ok(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept));
        assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_int_equal(websocket_accept("", accept), -EINVAL);
        assert_int_equal(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=", accept), -EINVAL);
        assert_int_equal(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==x", accept), -EINVAL);
        assert_int_equal(websocket_accept("dGhlIHNhbXBsZS\rub25jZQ==", accept), -EINVAL);
}

static void test_lists(void **state) {
        assert_true(websocket_list_has("Upgrade", "upgrade"));
        assert_true(websocket_list_has("keep-alive, Upgrade", "upgrade"));
        assert_true(websocket_list_has(",, \tWebSocket ,", "websocket"));
        assert_false(websocket_list_has("upgraded", "upgrade"));
        assert_false(websocket_list_has("", "upgrade"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_accept),
                cmocka_unit_test(test_lists),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
