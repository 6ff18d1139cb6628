/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/challenge.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void test_bearer(void **state) {
        _cleanup_(challenge_done) Challenge c = {};

        assert_int_equal(
                challenge_parse(
                        "Bearer "
                        "realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
                        "scope=\"repository:library/x:pull\", error=invalid_token",
                        &c),
                0);
        assert_true(c.bearer);
        assert_false(c.basic);
        assert_string_equal(c.realm, "https://auth.docker.io/token");
        assert_string_equal(c.service, "registry.docker.io");
        assert_string_equal(c.scope, "repository:library/x:pull");
        assert_string_equal(c.error, "invalid_token");
}

static void test_basic(void **state) {
        _cleanup_(challenge_done) Challenge c = {};

        assert_int_equal(challenge_parse("basic realm=\"a, Bearer b\"", &c), 0);
        assert_true(c.basic);
        assert_false(c.bearer);
        assert_null(c.realm); /* a Basic realm leads nowhere */
}

/* Several in one header, and in several headers; the first Bearer counts. */
static void test_several(void **state) {
        _cleanup_(challenge_done) Challenge c = {};

        assert_int_equal(
                challenge_parse(
                        "Negotiate YWJj==, Basic realm=x, BEARER realm = \"http://a/\" , service=b",
                        &c),
                0);
        assert_int_equal(challenge_parse("Bearer realm=\"http://other/\",scope=s", &c), 0);
        assert_true(c.basic && c.bearer);
        assert_string_equal(c.realm, "http://a/");
        assert_string_equal(c.service, "b");
        assert_null(c.scope);
}

static void test_quoted(void **state) {
        _cleanup_(challenge_done) Challenge c = {}, bad = {};

        assert_int_equal(challenge_parse("Bearer realm=\"a\\\"b\\\\c\",service=\"x\ty\"", &c), 0);
        assert_string_equal(c.realm, "a\"b\\c");
        assert_null(c.service); /* a control character */

        assert_int_equal(challenge_parse("Bearer realm=\"never ends", &bad), 0);
        assert_true(bad.bearer);
        assert_null(bad.realm);
}

static void test_nothing(void **state) {
        static const char *const texts[] = { "", ",,,", "=", "\"", "Bearer", "Bearer realm",
                "Bearer realm=", "Bearer =x", "Digest realm=x", "\x80\xff" };
        char *long_one = new0(char, CHALLENGE_SIZE_MAX + 100);

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(challenge_done) Challenge c = {};

                assert_int_equal(challenge_parse(texts[i], &c), 0);
                assert_null(c.realm);
        }

        _cleanup_(challenge_done) Challenge c = {};
        memset(long_one, 'a', CHALLENGE_SIZE_MAX + 10);
        memcpy(long_one, "Bearer realm=", 13);
        assert_int_equal(challenge_parse(long_one, &c), 0);
        assert_false(c.bearer);
        free(long_one);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bearer),
                cmocka_unit_test(test_basic),
                cmocka_unit_test(test_several),
                cmocka_unit_test(test_quoted),
                cmocka_unit_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
