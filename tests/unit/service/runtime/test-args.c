/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/args.h"

#include "lib/base/error.h"
#include "tests/unit/test.h"

typedef struct Values {
        const char *bundle;
        bool force;
        unsigned fds;
} Values;

static int parse(Values *v, const char **words, char **argv, Error *reterr) {
        const Arg table[] = { { "bundle", 'b', ARG_STRING, &v->bundle },
                { "force", 'f', ARG_FLAG, &v->force }, { "preserve-fds", 0, ARG_UNSIGNED, &v->fds },
                { "criu", 0, ARG_IGNORED, NULL }, { "rootless", 0, ARG_IGNORED_FLAG, NULL }, {} };

        *v = (Values) {};
        return args_parse(argv, table, words, 1, 2, reterr);
}

static void test_order_does_not_matter(void **state) {
        char *before[] = { "-b", "/x", "--preserve-fds=3", "id", NULL };
        char *after[] = { "id", "--bundle", "/x", "--preserve-fds", "3", NULL };
        char *glued[] = { "--criu", "y", "-b/x", "id", "--preserve-fds=3", "--rootless=true",
                NULL };
        char **all[] = { before, after, glued };
        const char *words[3];
        Values v;

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                assert_ok(parse(&v, words, all[i], NULL));
                assert_string_equal(v.bundle, "/x");
                assert_int_equal(v.fds, 3);
                assert_string_equal(words[0], "id");
                assert_null(words[1]);
        }
}

static void test_flags(void **state) {
        char *on[] = { "id", "-f", NULL }, *off[] = { "--force=false", "id", NULL };
        char *ended[] = { "--", "-f", NULL };
        const char *words[3];
        Values v;

        assert_ok(parse(&v, words, on, NULL));
        assert_true(v.force);
        assert_ok(parse(&v, words, off, NULL));
        assert_false(v.force);
        assert_ok(parse(&v, words, ended, NULL));
        assert_false(v.force);
        assert_string_equal(words[0], "-f");
}

static void test_mistakes(void **state) {
        char *unknown[] = { "--frce", "id", NULL }, *missing[] = { "id", "-b", NULL },
             *none[] = { NULL };
        char *many[] = { "a", "b", "c", NULL }, *number[] = { "--preserve-fds", "-1", "id", NULL };
        _cleanup_(error_done) Error e = {};
        const char *words[3];
        Values v;

        assert_int_equal(parse(&v, words, unknown, &e), -EINVAL);
        assert_string_equal(e.text, "unknown option \"--frce\"");
        assert_int_equal(parse(&v, words, missing, NULL), -EINVAL);
        assert_int_equal(parse(&v, words, none, NULL), -EINVAL);
        assert_int_equal(parse(&v, words, many, NULL), -EINVAL);
        assert_int_equal(parse(&v, words, number, NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order_does_not_matter),
                cmocka_unit_test(test_flags),
                cmocka_unit_test(test_mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
