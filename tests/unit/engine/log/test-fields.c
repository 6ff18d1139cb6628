/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/log/fields.h"
#include "lib/base/strv.h"

static const LogSubject subject = {
        .id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        .name = "web",
        .image_name = "busybox:1",
        .image_id = "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
        .command = "sh -c x",
        .labels = (char *[]) { (char *) "team=blue", (char *) "com.a=1", (char *) "com.b=2",
                (char *) "x=label", NULL },
        .environment = (char *[]) { (char *) "PATH=/bin", (char *) "x=env", NULL },
};

static void check(const char *a, const char *b, const char *expected) {
        char *opts[] = { (char *) a, (char *) b, NULL };
        _cleanup_(strv_freep) char **fields = NULL;
        char *joined;

        assert_ok(log_fields_make(opts, &subject, &fields, NULL));
        joined = strv_join(fields, "|");
        assert_string_equal(joined, expected);
        free(joined);
}

static void test_fields(void **state) {
        check(NULL, NULL, "");
        check("max-size=1m", NULL, "");
        check("labels=team,none,com.b", NULL, "com.b=2|team=blue");
        check("labels-regex=^com\\.", NULL, "com.a=1|com.b=2");
        check("labels=x", "env=x,PATH", "PATH=/bin|x=env");
        check("env-regex=^(PATH|HOME)$", NULL, "PATH=/bin");
        check("tag=", NULL, "");
        check("tag=plain", "labels=team", "tag=plain|team=blue");
        check("tag={{.Name}}/{{ .ID }}-{{.ImageName}}", NULL, "tag=web/0123456789ab-busybox:1");
        check("tag={{.FullName}} {{.ImageID}} {{.Command}} {{.DaemonName}}", NULL,
                "tag=/web fedcba987654 sh -c x docker");
}

static void check_bad(const char *opt, const char *words) {
        char *opts[] = { (char *) opt, NULL }, **fields = NULL;
        _cleanup_(error_done) Error e = {};

        assert_int_equal(log_fields_make(opts, &subject, &fields, &e), -EINVAL);
        assert_string_equal(e.text, words);
        assert_null(fields);
}

static void test_bad(void **state) {
        check_bad("tag={{.Nothing}}", "invalid log tag '{{.Nothing}}': there is no {{.Nothing}}");
        check_bad("tag=x{{.ID", "invalid log tag 'x{{.ID': '{{' without '}}'");
        /* A gigabyte to compile, and a search without an end. */
        check_bad("labels-regex=((a{1,100}){1,100}){1,100}",
                "invalid value for labels-regex: the regular expression is too long, repeats too "
                "much, or refers back");
        check_bad("env-regex=(a*)*(a*)*(.*)\\1\\1\\2b", "invalid value for env-regex: the regular "
                                                        "expression is too long, repeats too much, "
                                                        "or refers back");
        check_bad("labels-regex=(", "invalid value for labels-regex: '(' is no regular expression");
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_fields),
                cmocka_unit_test(test_bad) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
