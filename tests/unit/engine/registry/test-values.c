/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "lib/base/clock.h"
#include "tests/unit/test.h"

static void test_retry_after(void **state) {
        const int64_t now = 1700000000 * NSEC_PER_SEC; /* Tue, 14 Nov 2023 22:13:20 GMT */

        assert_int_equal(retry_after_parse("0", now), 0);
        assert_int_equal(retry_after_parse("120", now), 120);
        assert_int_equal(retry_after_parse("99999999999999999999", now), INT32_MAX);
        assert_int_equal(retry_after_parse("Tue, 14 Nov 2023 22:13:30 GMT", now), 10);
        assert_int_equal(retry_after_parse("Tue, 14 Nov 2023 22:13:00 GMT", now), 0);
        assert_int_equal(retry_after_parse(NULL, now), -EINVAL);
        assert_int_equal(retry_after_parse("", now), -EINVAL);
        assert_int_equal(retry_after_parse("-1", now), -EINVAL);
        assert_int_equal(retry_after_parse("soon", now), -EINVAL);
        assert_int_equal(retry_after_parse("Tue, 14 Nov 2023 22:13:30 GMT!", now), -EINVAL);
}

static void test_delay(void **state) {
        assert_int_equal(retry_delay(1), USEC_PER_SEC);
        assert_int_equal(retry_delay(3), 4 * USEC_PER_SEC);
        assert_int_equal(retry_delay(6), 30 * USEC_PER_SEC);
        assert_int_equal(retry_delay(4000000000U), 30 * USEC_PER_SEC);
}

static void test_content_range(void **state) {
        static const char *const bad[] = { "", "bytes", "bytes 1-2", "bytes 2-1/5", "bytes 0-5/5",
                "bytes -5/5", "items 0-1/5", "bytes 0-1/5x", "bytes 0-1/",
                "bytes 99999999999999999999-1/*", "bytes 0-1 /5" };
        uint64_t first, last, size;

        assert_int_equal(content_range_parse("bytes 100-199/200", &first, &last, &size), 0);
        assert_true(first == 100 && last == 199 && size == 200);
        assert_int_equal(content_range_parse("Bytes 5-5/*", &first, &last, &size), 0);
        assert_true(first == 5 && last == 5 && size == UINT64_MAX);
        assert_int_equal(content_range_parse(NULL, &first, &last, &size), -EINVAL);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(content_range_parse(bad[i], &first, &last, &size), -EINVAL);
}

static void test_network(void **state) {
        struct sockaddr_in in = { .sin_family = AF_INET };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

        (void) inet_pton(AF_INET, "10.1.255.7", &in.sin_addr);
        (void) inet_pton(AF_INET6, "fd00:1::7", &in6.sin6_addr);
        assert_true(network_has("10.0.0.0/8", (struct sockaddr *) &in));
        assert_true(network_has("10.1.128.0/17", (struct sockaddr *) &in));
        assert_true(network_has("10.1.255.7/32", (struct sockaddr *) &in));
        assert_true(network_has("0.0.0.0/0", (struct sockaddr *) &in));
        assert_false(network_has("10.1.0.0/17", (struct sockaddr *) &in));
        assert_false(network_has("10.1.255.6/32", (struct sockaddr *) &in));
        assert_false(network_has("10.0.0.0/33", (struct sockaddr *) &in));
        assert_false(network_has("10.0.0.0", (struct sockaddr *) &in));
        assert_false(network_has("::/0", (struct sockaddr *) &in));
        assert_true(network_has("fd00::/8", (struct sockaddr *) &in6));
        assert_true(network_has("fd00:1::7/128", (struct sockaddr *) &in6));
        assert_false(network_has("fd00:2::/32", (struct sockaddr *) &in6));
}

static void test_no_proxy(void **state) {
        assert_true(no_proxy_fits(NULL, "localhost", 80));
        assert_true(no_proxy_fits(NULL, "127.0.0.5", 80));
        assert_true(no_proxy_fits(NULL, "::1", 80));
        assert_false(no_proxy_fits(NULL, "example.com", 443));
        assert_true(no_proxy_fits("*", "example.com", 443));
        assert_true(no_proxy_fits("a, Example.com", "example.COM", 443));
        assert_true(no_proxy_fits("example.com", "r.example.com", 443));
        assert_true(no_proxy_fits(".example.com", "r.example.com", 443));
        assert_true(no_proxy_fits("*.example.com", "r.example.com", 443));
        assert_false(no_proxy_fits(".example.com", "example.com", 443));
        assert_false(no_proxy_fits("example.com", "notexample.com", 443));
        assert_true(no_proxy_fits("example.com:5000", "example.com", 5000));
        assert_false(no_proxy_fits("example.com:5000", "example.com", 443));
        assert_true(no_proxy_fits("10.0.0.0/8", "10.9.9.9", 443));
        assert_true(no_proxy_fits("fd00::1", "fd00::1", 443));
        assert_false(no_proxy_fits("0.9.9", "10.9.9.9", 443));
}

static void test_insecure(void **state) {
        char *const list[] = { (char *) "r.example:5000", (char *) "10.0.0.0/8", NULL };

        assert_true(insecure_names(list, "R.example:5000"));
        assert_false(insecure_names(list, "r.example"));
        assert_false(insecure_names(list, "10.0.0.0/8"));
        assert_false(insecure_names(NULL, "x"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_retry_after),
                cmocka_unit_test(test_delay),
                cmocka_unit_test(test_content_range),
                cmocka_unit_test(test_network),
                cmocka_unit_test(test_no_proxy),
                cmocka_unit_test(test_insecure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
