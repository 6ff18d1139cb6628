/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <ctype.h>
#include <string.h>

#include "engine/container/names.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"

static void test_check(void **state) {
        _cleanup_(error_done) Error e = {};
        const char *bare;

        assert_ok(names_check("/web", &bare, NULL));
        assert_string_equal(bare, "web");
        assert_ok(names_check("a.b_c-1", &bare, NULL));
        assert_int_equal(names_check("x", &bare, &e), -EINVAL);
        assert_string_equal(
                e.text, "Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
        assert_int_equal(names_check("//web", &bare, NULL), -EINVAL);
        assert_int_equal(names_check("-web", &bare, NULL), -EINVAL);
        assert_int_equal(names_check("", &bare, NULL), -EINVAL);
}

static void test_make(void **state) {
        for (unsigned i = 0; i < 5000; i++) {
                _cleanup_(freep) char *name = NULL;
                const char *bare;

                assert_ok(names_make(random_u64(), i % NAMES_ATTEMPTS, &name));
                assert_ok(names_check(name, &bare, NULL));
                assert_non_null(strchr(name, '_'));
                assert_int_equal(
                        !!isdigit((unsigned char) name[strlen(name) - 1]), i % NAMES_ATTEMPTS > 0);
                for (const char *c = name; *c; c++)
                        assert_true(islower((unsigned char) *c) || isdigit((unsigned char) *c) ||
                                    *c == '_');
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_make),
        };

        return cmocka_run_group_tests_name("engine/container/names", tests, NULL, NULL);
}
