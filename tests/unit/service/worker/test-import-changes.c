/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"
#include "service/worker/import-changes.h"
#include "service/worker/platform.h"

static void check_list(char *const *list, const char *expected) {
        _cleanup_(freep) char *all = strv_join(list, "|");

        assert_string_equal(all, expected);
}

static void test_all_words(void **state) {
        _cleanup_(strv_freep) char **changes = strv_new("CMD echo hi",
                "ENTRYPOINT [\"/bin/sh\", \"-c\"]", "env A=1 B=\"two words\"",
                "ENV OLD the old form", "ENV A=3", "EXPOSE 80 53/udp 80", "LABEL k=v 'a b'=c",
                "USER 1:2", "WORKDIR /srv", "WORKDIR sub/../deep", "VOLUME /data /more",
                "VOLUME [\"/x y\"]", "STOPSIGNAL SIGTERM",
                "HEALTHCHECK --interval=5s --retries=3 CMD [\"true\"]", "ONBUILD RUN x");
        _cleanup_(image_run_config_done) ImageRunConfig c = {};
        _cleanup_(error_done) Error e = {};

        image_run_config_init(&c);
        if (import_changes_apply(&c, changes, &e) < 0)
                fail_msg("%s", e.text);

        check_list(c.cmd, "/bin/sh|-c|echo hi");
        check_list(c.entrypoint, "/bin/sh|-c");
        assert_string_equal(strv_env_get(c.env, "A"), "3");
        assert_string_equal(strv_env_get(c.env, "B"), "two words");
        assert_string_equal(strv_env_get(c.env, "OLD"), "the old form");
        check_list(c.exposed_ports, "80/tcp|53/udp");
        assert_string_equal(pairs_get(c.labels, "k"), "v");
        assert_string_equal(pairs_get(c.labels, "a b"), "c");
        assert_string_equal(c.user, "1:2");
        assert_string_equal(c.working_dir, "/srv/deep");
        check_list(c.volumes, "/data|/more|/x y");
        assert_string_equal(c.stop_signal, "SIGTERM");
        assert_int_equal(c.healthcheck->interval, 5000000000);
        assert_int_equal(c.healthcheck->retries, 3);
        check_list(c.healthcheck->test, "CMD|true");
        assert_string_equal(c.on_build[0], "RUN x");
}

static void test_refused(void **state) {
        static const char *const lines[] = { "", "RUN x", "CMD", "ENV", "ENV =x", "ENV A=\"open",
                "EXPOSE x", "EXPOSE 0", "EXPOSE 70000", "EXPOSE 80/icmp", "LABEL novalue",
                "STOPSIGNAL SIGNONSENSE", "HEALTHCHECK", "HEALTHCHECK --interval=x CMD true",
                "HEALTHCHECK RUN x", "VOLUME [\"\"]", "FROM scratch" };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                _cleanup_(strv_freep) char **changes = strv_new(lines[i]);
                _cleanup_(image_run_config_done) ImageRunConfig c = {};
                _cleanup_(error_done) Error e = {};

                image_run_config_init(&c);
                if (import_changes_apply(&c, changes, &e) >= 0)
                        fail_msg("\"%s\" was taken", lines[i]);
                assert_int_equal(e.kind, ERROR_INVALID);
        }
}

static void test_health_none(void **state) {
        _cleanup_(strv_freep) char **changes = strv_new("HEALTHCHECK NONE");
        _cleanup_(image_run_config_done) ImageRunConfig c = {};

        image_run_config_init(&c);
        assert_ok(import_changes_apply(&c, changes, NULL));
        check_list(c.healthcheck->test, "NONE");
}

static void test_platform(void **state) {
        static const char *const bad[] = { "linux", "linux/", "/amd64", "linux/a/b/c",
                "linux/AMD64", "windows/amd64", "linux/../x", "linux//v8" };
        _cleanup_(platform_done) Platform host = {}, arm = {};
        Platform v7 = {
                .os = (char *) "linux", .architecture = (char *) "arm", .variant = (char *) "v7"
        };
        Platform any = { .os = (char *) "linux", .architecture = (char *) "arm" };

        assert_ok(platform_wanted(NULL, &host, NULL));
        assert_string_equal(host.os, "linux");
        assert_ok(platform_wanted("linux/arm/v6", &arm, NULL));
        assert_false(platform_fits(&arm, &v7));
        assert_true(platform_fits(&arm, &any));
        assert_true(platform_fits(&arm, NULL));
        assert_false(platform_fits(&host, &any) && !streq(host.architecture, "arm"));

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(platform_done) Platform p = {};
                _cleanup_(error_done) Error e = {};

                if (platform_wanted(bad[i], &p, &e) >= 0)
                        fail_msg("\"%s\" was taken", bad[i]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_words),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_health_none),
                cmocka_unit_test(test_platform),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
