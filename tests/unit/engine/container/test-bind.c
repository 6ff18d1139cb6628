/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/bind.h"

static void test_good(void **state) {
        static const struct {
                const char *text, *source, *target, *mode, *propagation;
                bool read_only, is_volume;
        } table[] = {
                { "/a:/b", "/a", "/b", "", "rprivate", false, false },
                { "/a/../c//d:/b/:ro", "/c/d", "/b", "ro", "rprivate", true, false },
                { "/a:/b:rw,z,rshared", "/a", "/b", "rw,z,rshared", "rshared", false, false },
                { "data:/var/lib:nocopy", "data", "/var/lib", "nocopy", "rprivate", false, true },
                { "/:/host:cached", "/", "/host", "cached", "rprivate", false, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(bind_done) Bind b = {};

                assert_int_equal(bind_parse(table[i].text, &b, NULL), 0);
                assert_string_equal(b.source, table[i].source);
                assert_string_equal(b.target, table[i].target);
                assert_string_equal(b.mode, table[i].mode);
                assert_string_equal(b.propagation, table[i].propagation);
                assert_int_equal(b.read_only, table[i].read_only);
                assert_int_equal(b.is_volume, table[i].is_volume);
        }
}

static void test_bad(void **state) {
        static const char *const table[] = { "", ":", "/a", "/a:", ":/b", "/a:b", "/a:/",
                "/a:/x/..", "/a:/b:ro,rw", "/a:/b:nosuch", "/a:/b:ro:x", "x:/b", "a b:/b",
                "/a:/b:shared,slave", "/a\n:/b" };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(error_done) Error e = {};
                Bind b = {};

                assert_int_equal(bind_parse(table[i], &b, &e), -EINVAL);
                assert_non_null(e.text);
                assert_null(b.source);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests_name("engine/container/bind", tests, NULL, NULL);
}
