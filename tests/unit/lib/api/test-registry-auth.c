/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/registry-auth.h"

#include <errno.h>

#include "tests/unit/test.h"

static void test_header(void **state) {
        RegistryAuth a = {};

        /* {"username":"me","password":"a?>b"} */
        assert_int_equal(
                registry_auth_read_header("eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJhPz5iIn0=", &a),
                0);
        assert_string_equal(a.username, "me");
        assert_string_equal(a.password, "a?>b");
        registry_auth_done(&a);
        assert_int_equal(
                registry_auth_read_header("eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJhPz5iIn0", &a),
                0);
        assert_string_equal(a.password, "a?>b");
        registry_auth_done(&a);
        /* {"registrytoken":"\u00bf\u00bf?>"}: the URL alphabet */
        assert_int_equal(registry_auth_read_header("eyJyZWdpc3RyeXRva2VuIjoiwr_Cvz8-In0=", &a), 0);
        assert_string_equal(a.registry_token, "\xc2\xbf\xc2\xbf?>");
        registry_auth_done(&a);
}

static void test_garbage(void **state) {
        static const char *const bad[] = { "", "=", "x", "eyJ1c2VybmFtZSI6", "!!!!",
                "bnVsbA==", "W10=", "e30=", "AAAA", "e30=e30=" };
        RegistryAuth a = {};

        assert_int_equal(registry_auth_read_header(NULL, &a), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                assert_int_equal(registry_auth_read_header(bad[i], &a), 0);
                assert_null(a.username);
                assert_null(a.password);
                registry_auth_done(&a);
        }
}

static void test_text(void **state) {
        RegistryAuth a = {};

        assert_int_equal(
                registry_auth_read_text("{\"auth\":\"bWU6cGE6c3M=\",\"email\":\"x\"}", &a), 0);
        assert_string_equal(a.username, "me");
        assert_string_equal(a.password, "pa:ss");
        registry_auth_done(&a);

        assert_int_equal(registry_auth_read_text("", &a), 0);
        assert_int_equal(registry_auth_read_text("[]", &a), -EINVAL);
        assert_int_equal(
                registry_auth_read_text("{\"auth\":\"bWU=\"}", &a), -EINVAL); /* no colon */
        assert_int_equal(
                registry_auth_read_text("{\"registrytoken\":\"a\\r\\nHost: b\"}", &a), -EINVAL);
        assert_null(a.registry_token);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_header),
                cmocka_unit_test(test_garbage),
                cmocka_unit_test(test_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
