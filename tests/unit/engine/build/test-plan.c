/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/build/dockerfile.h"
#include "engine/build/plan.h"
#include "lib/base/strv.h"

static const char text[] = "ARG V=1\n"
                           "ARG W\n"
                           "FROM x:$V AS One\n"
                           "RUN a\n"
                           "FROM one AS two\n"
                           "FROM scratch AS unused\n"
                           "FROM y${W:-z}\n"
                           "COPY --from=one /a /b\n"
                           "RUN --mount=type=bind,from=two,target=/x true\n"
                           "COPY --from=image /a /b\n"
                           "FROM 0\n";

static BuildPlan *plan(const Dockerfile *d, char *const *args, const char *target) {
        _cleanup_(error_done) Error e = {};
        BuildPlan *p = NULL;

        if (build_plan_new(d, args, target, &p, &e) < 0)
                fail_msg("%s", error_text(&e, 0));
        return p;
}

static void test_stages(void **state) {
        static const char *const args[] = { "V=7", "W=w", NULL };
        _cleanup_(dockerfile_freep) Dockerfile *d = NULL;
        _cleanup_(build_plan_freep) BuildPlan *p = NULL, *q = NULL;

        assert_ok(dockerfile_parse(text, strlen(text), "Dockerfile", &d, NULL));
        p = plan(d, NULL, "3");
        assert_int_equal(p->n_stages, 5);
        assert_string_equal(p->stages[0].base, "x:1");
        assert_string_equal(p->stages[0].name, "one");
        assert_int_equal(p->stages[0].n, 1);
        assert_int_equal(p->stages[1].base_stage, 0);
        assert_string_equal(p->stages[3].base, "yz");
        assert_int_equal(p->stages[3].base_stage, BUILD_NO_STAGE);
        assert_true(p->stages[0].needed && p->stages[1].needed && p->stages[3].needed);
        assert_false(p->stages[2].needed || p->stages[4].needed);
        assert_int_equal(p->stages[4].base_stage, BUILD_NO_STAGE); /* an image with this name */
        assert_true(strv_contains(p->asked, "W"));

        q = plan(d, (char *const *) args, "TWO");
        assert_string_equal(q->stages[0].base, "x:7");
        assert_string_equal(q->stages[3].base, "yw");
        assert_int_equal(q->target, 1);
        assert_true(q->stages[0].needed && !q->stages[3].needed);
}

static void test_bad(void **state) {
        static const struct {
                const char *text, *target, *error;
        } table[] = {
                { "RUN x\nFROM a\n", NULL,
                        "Dockerfile:1:1: dockerfile parse error on line 1: no build stage in "
                        "current context" },
                { "ARG x\n", NULL, "no build stage" },
                { "FROM $x\n", NULL, "base name ($x) should not be blank" },
                { "FROM a AS 1x\n", NULL, "invalid name for build stage" },
                { "FROM a AS x\n", "y", "target stage \"y\" could not be found" },
                { "FROM a AS x\n", "1", "target stage \"1\" could not be found" },
                { "FROM ${x\n", NULL, "missing '}'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(dockerfile_freep) Dockerfile *d = NULL;
                _cleanup_(error_done) Error e = {};
                BuildPlan *p = NULL;

                assert_ok(dockerfile_parse(
                        table[i].text, strlen(table[i].text), "Dockerfile", &d, NULL));
                assert_true(build_plan_new(d, NULL, table[i].target, &p, &e) < 0);
                if (!strstr(error_text(&e, 0), table[i].error))
                        fail_msg("%s: %s", table[i].text, error_text(&e, 0));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stages),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
