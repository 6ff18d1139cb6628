/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/run-options.h"
#include <string.h>

#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/json/json.h"
#include "tests/unit/test.h"

static int body(char **words, char **ret, Error *reterr) {
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(container_spec_done) ContainerSpec spec;
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        container_spec_init(&spec);
        assert_ok(options_parse(run_options, words, /* interspersed= */ false, &o, reterr));
        r = run_options_spec(o, "stauer", &spec, reterr);
        if (r >= 0)
                r = run_options_body(&spec, &v, reterr);
        return r < 0 ? r : json_print(v, JSON_COMPACT, ret);
}

static void has(const char *part, char **words) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;

        assert_ok(body(words, &text, &e));
        if (!strstr(text, part))
                fail_msg("%s is not in %s", part, text);
}
#define HAS(part, ...) has(part, (char **) (const char *[]) { __VA_ARGS__, "image", NULL })

static void refused(const char *part, char **words) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;

        assert_true(body(words, &text, &e) < 0);
        if (!e.text || !strstr(e.text, part))
                fail_msg("%s is not in %s", part, e.text ? e.text : "(nothing)");
}
#define REFUSED(part, ...) refused(part, (char **) (const char *[]) { __VA_ARGS__, "image", NULL })

static void test_words(void **state) {
        has("\"Cmd\":[\"sh\",\"-c\",\"x y\"]",
                (char **) (const char *[]) { "-d", "image", "sh", "-c", "x y", NULL });
        HAS("\"Image\":\"image\"", "-d");
        HAS("\"Entrypoint\":[\"/bin/x\"]", "--entrypoint", "/bin/x");
        HAS("\"Entrypoint\":[\"\"]", "--entrypoint=");
        HAS("\"Env\":[\"A=1\",\"B=two words\"]", "-e", "A=1", "--env", "B=two words");
        HAS("\"a\":\"b=c\"", "--label", "a=b=c");
        HAS("\"Hostname\":\"berth\"", "-h", "berth");
        HAS("\"Binds\":[\"/a:/b:ro\",\"/c:/d\"]", "-v", "/a:/b:ro", "-v", "/c:/d");
        HAS("\"NetworkMode\":\"none\"", "--network", "none");
        HAS("\"/t\":\"size=1m\"", "--tmpfs", "/t:size=1m");
        HAS("\"AutoRemove\":true", "--rm");
}

static void test_limits(void **state) {
        HAS("\"Memory\":67108864", "-m", "64m");
        HAS("\"MemorySwap\":-1", "--memory-swap", "-1");
        HAS("\"NanoCpus\":1500000000", "--cpus", "1.5");
        HAS("\"PidsLimit\":100", "--pids-limit", "100");
        HAS("\"ShmSize\":1073741824", "--shm-size", "1g");
        HAS("\"Hard\":200", "--ulimit", "nofile=100:200");
        HAS("\"Hard\":100", "--ulimit", "nofile=100");
        HAS("\"PathOnHost\":\"/dev/a\",\"PathInContainer\":\"/dev/b\",\"CgroupPermissions\":\"r\"",
                "--device", "/dev/a:/dev/b:r");
        HAS("\"MaximumRetryCount\":3", "--restart", "on-failure:3");
}

static void test_refused(void **state) {
        REFUSED("invalid argument \"much\" for \"-m, --memory\" flag", "-m", "much");
        REFUSED("--cpus", "--cpus", "x");
        REFUSED("--ulimit", "--ulimit", "nofile");
        REFUSED("--oom-score-adj", "--oom-score-adj", "x");
        REFUSED("maximum retry count must be an integer", "--restart", "on-failure:x");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
