/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/ident.h"

#include <string.h>

#include "tests/unit/test.h"

static void test_ids(void **state) {
        char a[IDENT_SIZE], b[IDENT_SIZE], s[IDENT_SHORT_SIZE];

        ident_random(a);
        ident_random(b);
        assert_true(ident_is_valid(a));
        assert_string_not_equal(a, b);
        assert_int_equal(strlen(ident_short(a, s)), 12);
        assert_memory_equal(a, s, 12);
        assert_string_equal(ident_short("sha256:0123456789abcdef", s), "0123456789ab");
        assert_string_equal(ident_short("ab", s), "ab");
        assert_true(ident_is_prefix("ab"));
        assert_false(ident_is_prefix(""));
        assert_false(ident_is_prefix("AB"));
        assert_false(ident_is_valid("ab"));
        assert_false(ident_is_valid(NULL));
        a[63] = 'G';
        assert_false(ident_is_valid(a));
}

static void test_names(void **state) {
        char text[300];

        assert_true(ident_is_name("web-1.a_B"));
        assert_false(ident_is_name("a")); /* Docker wants two */
        assert_false(ident_is_name("-a"));
        assert_false(ident_is_name("a b"));
        assert_false(ident_is_name("a/b"));
        assert_false(ident_is_name("a\xc3\xa4"));
        assert_false(ident_is_name(""));
        assert_false(ident_is_name(NULL));
        memset(text, 'a', sizeof(text));
        text[255] = 0;
        assert_true(ident_is_name(text));
        text[255] = 'a';
        text[256] = 0;
        assert_false(ident_is_name(text));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
