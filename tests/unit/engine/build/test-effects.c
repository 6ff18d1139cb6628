/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/build/dockerfile.h"
#include "engine/build/effects.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

/* Applies all instructions; the last comment. */
static char *apply(BuildState *s, const char *text, char *const *given) {
        static char *meta[] = { (char *) "META=m", NULL };
        _cleanup_(dockerfile_freep) Dockerfile *d = NULL;
        _cleanup_(strv_freep) char **asked = NULL;
        const BuildArguments args = { given, meta, &asked };
        char *comment = NULL;

        assert_ok(dockerfile_parse(text, strlen(text), "Dockerfile", &d, NULL));
        for (size_t i = 0; i < d->n; i++) {
                _cleanup_(error_done) Error e = {};

                free(comment);
                comment = NULL;
                if (build_apply(s, d, d->list + i, &args, &comment, &e) < 0)
                        fail_msg("%s", error_text(&e, 0));
        }
        return comment;
}

static void test_values(void **state) {
        static const char *const given[] = { "A=from-outside", NULL };
        BuildState s;
        ImageRunConfig *c = &s.config.config;
        char **list;

        build_state_init(&s);
        free(apply(&s,
                "ARG A=a B C=c META\nENV X=1 Y=\"two words\" Z=$A\nENV OLD some $X \\\n  text\nENV "
                "X=5 W=$X B=env\n",
                (char *const *) given));
        assert_string_equal(strv_env_get(c->env, "X"), "5");
        assert_string_equal(strv_env_get(c->env, "W"), "1"); /* as it was before the line */
        assert_string_equal(strv_env_get(c->env, "Y"), "two words");
        assert_string_equal(strv_env_get(c->env, "Z"), "from-outside");
        assert_string_equal(strv_env_get(c->env, "OLD"), "some 1   text");
        assert_ok(build_run_arguments(&s, &list));
        assert_int_equal(strv_length(list), 3);
        assert_string_equal(list[0], "A=from-outside");
        assert_string_equal(list[1], "C=c");
        assert_string_equal(list[2], "META=m");
        strv_free(list);
        build_state_done(&s);
}

static void test_config(void **state) {
        BuildState s;
        ImageRunConfig *c = &s.config.config;

        build_state_init(&s);
        free(apply(&s,
                "LABEL a=b \"c d\"='e f' old.key=x\\ y\n"
                "WORKDIR /a/../b\nWORKDIR c\nUSER 1:2\nEXPOSE 80 90/udp 100-102\nVOLUME /x "
                "/y\nVOLUME [\"/z z\"]\n"
                "STOPSIGNAL SIGQUIT\nMAINTAINER me <me@x>\nSHELL [\"/bin/ash\", \"-ec\"]\nCMD echo "
                "$HOME\nENTRYPOINT [\"a\"]\n"
                "HEALTHCHECK --interval=5s --retries=2 CMD [\"curl\", \"x\"]\nONBUILD RUN x\n",
                NULL));
        assert_string_equal(pairs_get(c->labels, "c d"), "e f");
        assert_string_equal(pairs_get(c->labels, "old.key"), "x y");
        assert_string_equal(c->working_dir, "/b/c");
        assert_string_equal(c->user, "1:2");
        assert_int_equal(strv_length(c->exposed_ports), 5);
        assert_true(strv_contains(c->exposed_ports, "90/udp") &&
                    strv_contains(c->exposed_ports, "102/tcp"));
        assert_true(strv_contains(c->volumes, "/z z") && strv_contains(c->volumes, "/y"));
        assert_string_equal(c->stop_signal, "SIGQUIT");
        assert_string_equal(s.config.author, "me <me@x>");
        assert_int_equal(strv_length(c->cmd), 3);
        assert_string_equal(c->cmd[0], "/bin/ash");
        assert_string_equal(c->cmd[2], "echo $HOME");
        assert_string_equal(c->healthcheck->test[0], "CMD");
        assert_string_equal(c->healthcheck->test[2], "x");
        assert_int_equal(c->healthcheck->interval, 5000000000);
        assert_int_equal(c->healthcheck->retries, 2);
        assert_string_equal(c->on_build[0], "RUN x");
        build_state_done(&s);
}

static void test_comments(void **state) {
        static const struct {
                const char *text, *comment;
        } table[] = {
                { "ENV A=b C=\"d e\"", "ENV A=b C=d e" },
                { "CMD [\"sh\", \"-c\", \"a \\\"b\\\"\"]", "CMD [\"sh\" \"-c\" \"a \\\"b\\\"\"]" },
                { "CMD x", "CMD [\"/bin/sh\" \"-c\" \"x\"]" },
                { "ENTRYPOINT []", "ENTRYPOINT []" },
                { "EXPOSE 80", "EXPOSE 80/tcp" },
                { "VOLUME /a /b", "VOLUME [/a /b]" },
                { "WORKDIR x", "WORKDIR /x" },
                { "ARG a=b", "ARG a=b" },
                { "SHELL [\"a\", \"b\"]", "SHELL [a b]" },
                { "HEALTHCHECK NONE", "HEALTHCHECK [\"NONE\"]" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *comment = NULL;
                BuildState s;

                build_state_init(&s);
                comment = apply(&s, table[i].text, NULL);
                assert_string_equal(comment, table[i].comment);
                build_state_done(&s);
        }
}

static void test_from(void **state) {
        _cleanup_(strv_freep) char **triggers = NULL;
        BuildState base, s;

        build_state_init(&base);
        free(apply(&base, "CMD x\nONBUILD RUN y\n", NULL));
        assert_ok(build_state_from(&base.config, &s, &triggers));
        assert_string_equal(triggers[0], "RUN y");
        assert_true(strv_empty(s.config.config.on_build));
        assert_string_equal(s.config.config.env[0], BUILD_PATH);
        free(apply(&s, "ENTRYPOINT e\n",
                NULL)); /* the base's command goes with the base's entrypoint */
        assert_true(strv_empty(s.config.config.cmd));
        free(apply(&s, "CMD own\nENTRYPOINT f\n", NULL));
        assert_int_equal(strv_length(s.config.config.cmd), 3);
        build_state_done(&s);
        build_state_done(&base);
}

static void test_bad(void **state) {
        static const struct {
                const char *text, *error;
        } table[] = {
                { "ENV a", "Dockerfile:1:1: dockerfile parse error on line 1: ENV must have two "
                           "arguments" },
                { "ENV a=b c",
                        "Syntax error - can't find = in \"c\". Must be of the form: name=value" },
                { "ENV =b", "ENV names can not be blank" },
                { "LABEL =b", "LABEL names can not be blank" },
                { "EXPOSE 0", "invalid containerPort: 0" },
                { "EXPOSE 80/foo", "invalid containerPort: 80/foo" },
                { "EXPOSE 9-8", "invalid containerPort: 9-8" },
                { "VOLUME [\"\"]", "VOLUME specified can not be an empty string" },
                { "STOPSIGNAL FOO", "Invalid signal: FOO" },
                { "WORKDIR $x", "WORKDIR names no folder" },
                { "HEALTHCHECK RUN x", "Unknown type \"RUN\" in HEALTHCHECK (try CMD)" },
                { "HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD" },
                { "HEALTHCHECK --interval=x CMD y", "--interval=x is no duration" },
                { "USER ${x:?who}", "x: who" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(dockerfile_freep) Dockerfile *d = NULL;
                _cleanup_(error_done) Error e = {};
                const BuildArguments args = {};
                char *comment = NULL;
                BuildState s;

                build_state_init(&s);
                assert_ok(dockerfile_parse(
                        table[i].text, strlen(table[i].text), "Dockerfile", &d, NULL));
                assert_true(build_apply(&s, d, d->list, &args, &comment, &e) < 0);
                if (!strstr(error_text(&e, 0), table[i].error))
                        fail_msg("%s: %s", table[i].text, error_text(&e, 0));
                build_state_done(&s);
        }
}

static void test_run(void **state) {
        static const struct {
                const char *text, *command;
        } table[] = {
                { "RUN a b", "/bin/sh|-c|a b" },
                { "RUN [\"a\", \"b\"]", "a|b" },
                { "RUN <<EOF\nx\ny\nEOF\n", "/bin/sh|-c|x\ny\n" },
                { "RUN cat <<EOF >z\nx\nEOF\n", "/bin/sh|-c|cat <<EOF >z\nx\nEOF" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(dockerfile_freep) Dockerfile *d = NULL;
                _cleanup_(strv_freep) char **list = NULL;
                _cleanup_(freep) char *joined = NULL;
                BuildState s;

                build_state_init(&s);
                assert_ok(dockerfile_parse(
                        table[i].text, strlen(table[i].text), "Dockerfile", &d, NULL));
                assert_ok(build_run_command(&s, d->list, &list));
                joined = strv_join(list, "|");
                assert_string_equal(joined, table[i].command);
                build_state_done(&s);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_config),
                cmocka_unit_test(test_comments),
                cmocka_unit_test(test_from),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_run),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
