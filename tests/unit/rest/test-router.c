/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/router.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "rest/request.h"
#include "tests/unit/test.h"

static void request_clear(Request *q) {
        for (size_t i = 0; i < q->n_vars; i++)
                free(q->vars[i].value);
        free(q->path);
        error_done(&q->error);
        *q = (Request) {};
}

/* What the pattern's only variable is; NULL when it has none. */
static void found(const char *method, const char *path, const char *pattern, unsigned api,
        const char *value) {
        Request q = { .method = (char *) method };

        assert_ok(router_find(&q, path));
        assert_string_equal(q.route->pattern, pattern);
        assert_int_equal(q.api, api);
        assert_int_equal(q.n_vars, value ? 1 : 0);
        if (value)
                assert_string_equal(q.vars[0].value, value);
        request_clear(&q);
}

static void not_found(const char *method, const char *path, int r, const char *text) {
        Request q = { .method = (char *) method };

        assert_int_equal(router_find(&q, path), r);
        assert_string_equal(q.error.text, text);
        assert_null(q.route);
        assert_int_equal(q.n_vars, 0);
        request_clear(&q);
}

static void test_versions(void **state) {
        found("GET", "/info", "/info", 1051, NULL); /* none: the newest */
        found("GET", "/v1.24/info", "/info", 1024, NULL);
        found("GET", "/v1.51/info", "/info", 1051, NULL);
        not_found("GET", "/v1.52/info", -EINVAL,
                "client version 1.52 is too new. Maximum supported API version is 1.51");
        not_found("GET", "/v1.9/info", -EINVAL,
                "client version 1.9 is too old. Minimum supported API version is 1.24, please "
                "upgrade your client to a newer version");
        not_found("GET", "/v1.2.3/info", -EINVAL, "invalid API version \"1.2.3\"");
        not_found("GET", "/v1/info", -EINVAL, "invalid API version \"1\"");
        not_found("GET", "/v99999999999.1/info", -EINVAL, "invalid API version \"99999999999.1\"");
        not_found("GET", "/v1.41", -ENOENT, "page not found");
        not_found("GET", "/v1.41x/info", -ENOENT, "page not found");
        not_found("GET", "/version/info", -ENOENT, "page not found");
}

static void test_variables(void **state) {
        found("GET", "/containers/ship/json", "/containers/{id}/json", 1051, "ship");
        found("GET", "/v1.41//containers//ship/json", "/containers/{id}/json", 1041, "ship");
        found("DELETE", "/containers/json", "/containers/{id}", 1051, "json");
        found("GET", "/images/json", "/images/json", 1051, NULL);
        found("GET", "/images/busybox/json", "/images/{name...}/json", 1051, "busybox");
        found("GET", "/images/q.io:5000/a/b:c/json", "/images/{name...}/json", 1051,
                "q.io:5000/a/b:c");
        found("DELETE", "/images/a/b", "/images/{name...}", 1051, "a/b");
        found("GET", "/images/json/json", "/images/{name...}/json", 1051, "json");
}

static void test_nothing(void **state) {
        static const char *const paths[] = { "", "/", "//", "/containers/", "/containers//json/x",
                "/images//json/", "info", "/infox", "/inf", "/containers/a/b/json" };

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                not_found("GET", paths[i], -ENOENT, "page not found");
        not_found("PUT", "/info", -ENOENT, "page not found");
        not_found("HEAD", "/info", -ENOENT, "page not found");
        found("HEAD", "/_ping", "/_ping", 1051, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_variables),
                cmocka_unit_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
