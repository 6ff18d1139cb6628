/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/endpoint.h"

#include <errno.h>

#include "lib/api/fetch-spec.h"
#include "lib/base/str.h"
#include "tests/unit/test.h"

static int is_local(const char *host_port, void *userdata) {
        return str_starts(host_port, "localhost") != NULL;
}

static void test_hub(void **state) {
        char *mirrors[] = { (char *) "https://m.example:5000/",
                (char *) "http://localhost:5000/hub//", NULL };
        FetchSpec spec = { .domain = (char *) "docker.io", .mirrors = mirrors };
        RegistryEndpoint *list;
        size_t n;

        assert_int_equal(endpoints_new(&spec, is_local, NULL, &list, &n, NULL), 0);
        assert_int_equal(n, 3);
        assert_string_equal(list[0].base, "https://m.example:5000");
        assert_true(list[0].mirror && !list[0].insecure && !list[0].plain);
        assert_string_equal(list[1].base, "http://localhost:5000/hub");
        assert_string_equal(list[1].host_port, "localhost:5000");
        assert_true(list[1].mirror && list[1].insecure && list[1].plain);
        assert_string_equal(list[2].base, "https://registry-1.docker.io");
        assert_false(list[2].mirror || list[2].insecure);
        assert_true(endpoint_may_follow(list + 1, list + 2, /* answered= */ true));
        endpoints_free(list, n);
}

/* Mirrors are the Hub's only; nobody is asked without TLS who was not named insecure. */
static void test_private(void **state) {
        char *mirrors[] = { (char *) "https://m.example", NULL };
        FetchSpec spec = { .domain = (char *) "r.example:5000", .mirrors = mirrors };
        RegistryEndpoint *list;
        size_t n;

        assert_int_equal(endpoints_new(&spec, is_local, NULL, &list, &n, NULL), 0);
        assert_int_equal(n, 1);
        assert_string_equal(list[0].base, "https://r.example:5000");
        assert_false(list[0].insecure);
        endpoints_free(list, n);

        spec.domain = (char *) "localhost:5000";
        assert_int_equal(endpoints_new(&spec, is_local, NULL, &list, &n, NULL), 0);
        assert_int_equal(n, 2);
        assert_true(list[0].insecure && !list[0].plain && list[1].plain);
        assert_string_equal(list[1].base, "http://localhost:5000");
        assert_true(endpoint_may_follow(list, list + 1, /* answered= */ false));
        assert_false(endpoint_may_follow(list, list + 1, /* answered= */ true));
        endpoints_free(list, n);
}

static void test_bad_mirror(void **state) {
        static const char *const bad[] = { "m.example", "ftp://x", "https://", "https:///x",
                "https://me:pw@x", "https://x?y" };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                char *mirrors[] = { (char *) bad[i], NULL };
                FetchSpec spec = { .domain = (char *) "docker.io", .mirrors = mirrors };
                RegistryEndpoint *list;
                size_t n;

                assert_int_equal(endpoints_new(&spec, is_local, NULL, &list, &n, NULL), -EINVAL);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hub),
                cmocka_unit_test(test_private),
                cmocka_unit_test(test_bad_mirror),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
