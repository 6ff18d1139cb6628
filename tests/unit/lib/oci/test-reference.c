/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/oci/reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA   "sha256:" HEX64

static void test_normal_forms(void **state) {
        static const struct {
                const char *in, *normal, *familiar;
        } rows[] = {
                { "alpine", "docker.io/library/alpine:latest", "alpine:latest" },
                { "alpine:3.19", "docker.io/library/alpine:3.19", "alpine:3.19" },
                { "user/app", "docker.io/user/app:latest", "user/app:latest" },
                { "library/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
                { "library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest" },
                { "docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
                { "index.docker.io/a/b:1", "docker.io/a/b:1", "a/b:1" },
                { "docker.io/x.io/a", "docker.io/x.io/a:latest", "docker.io/x.io/a:latest" },
                { "quay.io/a/b/c:x_Y.-1", "quay.io/a/b/c:x_Y.-1", "quay.io/a/b/c:x_Y.-1" },
                { "localhost/x", "localhost/x:latest", "localhost/x:latest" },
                { "localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest" },
                { "localhost:5000", "docker.io/library/localhost:5000", "localhost:5000" },
                { "[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1" },
                { "UPPER/x", "UPPER/x:latest", "UPPER/x:latest" }, /* a host, as Docker reads it */
                { "a@" SHA, "docker.io/library/a@" SHA, "a@" SHA },
                { "a:t@" SHA, "docker.io/library/a:t@" SHA, "a:t@" SHA },
                { "a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest", "a__b/c--d.e_f:latest" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(reference_done) Reference r = {}, copy = {};
                _cleanup_(freep) char *normal = NULL, *familiar = NULL;

                if (reference_parse(rows[i].in, &r) < 0)
                        fail_msg("%s", rows[i].in);
                assert_int_equal(reference_copy(&r, &copy), 0);
                assert_int_equal(reference_format(&copy, &normal), 0);
                assert_int_equal(reference_format_familiar(&r, &familiar), 0);
                assert_string_equal(normal, rows[i].normal);
                assert_string_equal(familiar, rows[i].familiar);
                assert_true(reference_same_repository(&r, &copy));
        }
}

static void test_refused(void **state) {
        static const char *const rows[] = {
                "",
                ":",
                "@",
                "/",
                "a/",
                "/a",
                "a//b",
                "UPPER",
                "a/B",
                "a:",
                "a:-x",
                "a:.x",
                "a b",
                "a\n",
                "a:tag:tag",
                "a@sha256:abc",
                "a@md5:" HEX64,
                "a@" SHA "0",
                "a@sha256:" HEX64 "/x",
                HEX64,
                "a@SHA256:" HEX64,
                "a.",
                ".a",
                "-a",
                "a-",
                "a___b",
                "a..b",
                "a._b",
                "a.io:/x",
                "a.io:x/y",
                "-a.io/x",
                "a-.io/x",
                "[]/x",
                "[::1/x",
                "[::1]x/y",
                "[g]/x",
                "a/../b",
                "..",
                "a/.b",
                "http://a/b",
                "ä",
                "a/ä",
                "a.io/",
                "a..io/b",
                "a:"
                "0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
                "23456789"
                "012345678901234567890123456789012345678",
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(reference_done) Reference r = {};

                if (reference_parse(rows[i], &r) != -EINVAL)
                        fail_msg("%s", rows[i]);
                assert_null(r.domain);
        }
}

static void test_lengths(void **state) {
        _cleanup_(reference_done) Reference r = {};
        char name[5001];

        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        assert_int_equal(reference_parse(name, &r), -EINVAL);
        name[REFERENCE_NAME_MAX + 1 - strlen("docker.io/library/")] = 0;
        assert_int_equal(reference_parse(name, &r), -EINVAL);
        name[REFERENCE_NAME_MAX - strlen("docker.io/library/")] = 0;
        assert_int_equal(reference_parse(name, &r), 0);
}

static void test_untagged(void **state) {
        _cleanup_(reference_done) Reference r = {};
        _cleanup_(freep) char *name = NULL;

        assert_int_equal(reference_parse_untagged("quay.io/a", &r), 0);
        assert_null(r.tag);
        assert_int_equal(reference_format_familiar_name(&r, &name), 0);
        assert_string_equal(name, "quay.io/a");
}

static void test_matches(void **state) {
        _cleanup_(reference_done) Reference r = {};

        assert_int_equal(reference_parse("user/app:1.2", &r), 0);
        assert_true(reference_matches(&r, "user/app"));
        assert_true(reference_matches(&r, "user/app:1.2"));
        assert_true(reference_matches(&r, "*/*"));
        assert_true(reference_matches(&r, "*/app:1.*"));
        assert_true(reference_matches(&r, "us?r/[a-c]pp"));
        assert_false(reference_matches(&r, "*"));
        assert_false(reference_matches(&r, "app"));
        assert_false(reference_matches(&r, "*/*:2*"));
        assert_false(reference_matches(&r, "*/*/*"));
        assert_false(reference_matches(&r, ""));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_normal_forms),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_lengths),
                cmocka_unit_test(test_untagged),
                cmocka_unit_test(test_matches),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
