/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/monitor/exec-process.h"

#include <string.h>

#include "lib/api/exec-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/base/users.h"
#include "lib/json/json.h"
#include "tests/unit/test.h"

#define S(s) ((char *) (s))

static const char config[] =
        "{\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":1,\"width\":2},\"args\":["
        "\"init\"],"
        "\"cwd\":\"/srv\",\"env\":[\"A=1\",\"B=2\",\"HOME=/"
        "root\"],\"apparmorProfile\":\"docker-default\","
        "\"noNewPrivileges\":true,"
        "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"]}}}";

static void make(const ExecSpec *spec, char *const *capabilities, bool home_is_ours, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        UserIdentity user = { .home = S("/home/u") };

        assert_ok(json_parse(config, sizeof(config) - 1, 65536, &v, NULL));
        assert_ok(exec_process_make(v, spec, &user, capabilities, home_is_ours, &text));
        assert_ok(json_parse(text, strlen(text), 65536, ret, NULL));
}

static bool has_env(const Json *p, const char *entry) {
        const Json *env = json_get(p, "env");

        for (size_t i = 0; i < json_count(env); i++)
                if (streq(json_to_text(json_at(env, i)), entry))
                        return true;
        return false;
}

/* What nobody asked to be changed is the container's: so is what holds it. */
static void test_keeps(void **state) {
        char *cmd[] = { S("id"), S("-u"), NULL };
        _cleanup_(json_unrefp) Json *p = NULL;

        make(&(ExecSpec) { .cmd = cmd }, NULL, false, &p);
        assert_int_equal(json_count(json_get(p, "args")), 2);
        assert_string_equal(json_to_text(json_get(p, "cwd")), "/srv");
        assert_string_equal(json_to_text(json_get(p, "apparmorProfile")), "docker-default");
        assert_true(has_env(p, "A=1") && has_env(p, "HOME=/root"));
        assert_null(json_get(p, "consoleSize"));
}

static void test_changes(void **state) {
        char *cmd[] = { S("sh"), NULL }, *env[] = { S("A"), S("B=3"), S("C=4"), S("=x"), NULL };
        uint32_t size[] = { 24, 80 };
        _cleanup_(json_unrefp) Json *p = NULL;

        make(&(ExecSpec) { .cmd = cmd,
                     .env = env,
                     .working_dir = S("/tmp"),
                     .tty = true,
                     .console_size = size,
                     .n_console_size = 2 },
                NULL, true, &p);
        assert_string_equal(json_to_text(json_get(p, "cwd")), "/tmp");
        assert_true(has_env(p, "B=3") && has_env(p, "C=4") && has_env(p, "TERM=xterm"));
        assert_false(has_env(p, "A=1") || has_env(p, "HOME=/root") || has_env(p, "=x"));
        assert_non_null(json_get(p, "consoleSize"));
}

static void test_privileged(void **state) {
        char *cmd[] = { S("sh"), NULL }, *all[] = { S("CAP_KILL"), S("CAP_SYS_ADMIN"), NULL };
        _cleanup_(json_unrefp) Json *p = NULL;

        make(&(ExecSpec) { .cmd = cmd, .privileged = true }, all, false, &p);
        assert_int_equal(json_count(json_get(json_get(p, "capabilities"), "permitted")), 2);
        assert_null(json_get(json_get(p, "capabilities"), "inheritable"));
        assert_null(json_get(p, "apparmorProfile"));
}

static void test_no_process(void **state) {
        _cleanup_(json_unrefp) Json *v = NULL;
        char *text = NULL;

        assert_ok(json_parse("{\"process\":[]}", 14, 4096, &v, NULL));
        assert_int_equal(
                exec_process_make(v, &(ExecSpec) {}, &(UserIdentity) {}, NULL, false, &text),
                -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keeps),
                cmocka_unit_test(test_changes),
                cmocka_unit_test(test_privileged),
                cmocka_unit_test(test_no_process),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
