/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

#include "config/settings.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

static char folder[] = "/tmp/stauer-test-settings-XXXXXX";
static char *sysconfig_flag, *config_flag, *sysconfig_path, *config_path;

static int group_setup(void **state) {
        if (!mkdtemp(folder))
                return -1;
        return str_printf(&sysconfig_path, "%s/docker", folder) < 0 ||
                               str_printf(&config_path, "%s/daemon.json", folder) < 0 ||
                               str_printf(&sysconfig_flag, "--sysconfig-file=%s", sysconfig_path) <
                                       0 ||
                               str_printf(&config_flag, "--config-file=%s", config_path) < 0
                     ? -1
                     : 0;
}

static int group_teardown(void **state) {
        free(sysconfig_path);
        free(config_path);
        free(sysconfig_flag);
        free(config_flag);
        return file_remove_tree(AT_FDCWD, folder) < 0 ? -1 : 0;
}

/* Options file, daemon.json, one further word of the command line (NULL: none). */
static int load(
        const char *sysconfig, const char *json, const char *word, Settings **ret, Error *reterr) {
        char *argv[] = { (char *) "stauerd", sysconfig_flag, config_flag,
                (char *) "--lens-dir=" TEST_LENS_DIR, (char *) word, NULL };

        assert_int_equal(file_write_atomic_string(AT_FDCWD, sysconfig_path, sysconfig, 0644, 0), 0);
        assert_int_equal(file_write_atomic_string(AT_FDCWD, config_path, json, 0644, 0), 0);
        return settings_load(word ? 5 : 4, argv, settings_read_sysconfig, ret, reterr);
}

static Settings *load_ok(const char *sysconfig, const char *json, const char *word) {
        _cleanup_(error_done) Error e = {};
        Settings *s = NULL;
        int r;

        r = load(sysconfig, json, word, &s, &e);
        if (r < 0)
                print_message("%s\n", error_text(&e, r));
        assert_int_equal(r, 0);
        return s;
}

static void assert_refused(
        const char *sysconfig, const char *json, const char *word, const char *sentence) {
        _cleanup_(settings_freep) Settings *s = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = load(sysconfig, json, word, &s, &e);
        assert_true(r < 0);
        if (!strstr(error_text(&e, r), sentence))
                print_message("%s\n", error_text(&e, r));
        assert_non_null(strstr(error_text(&e, r), sentence));
}

static void test_defaults(void **state) {
        _cleanup_(settings_freep) Settings *s = load_ok("", "", NULL);

        assert_string_equal(s->data_root, "/var/lib/docker");
        assert_string_equal(s->exec_root, "/run/stauer");
        assert_string_equal(s->group, "docker");
        assert_string_equal(s->cgroup_parent, "machine.slice");
        assert_string_equal(s->log_driver, "json-file");
        assert_string_equal(s->default_runtime, "stauer");
        assert_int_equal(s->default_shm_size, 64 * 1024 * 1024);
        assert_int_equal(s->log_level, LOG_INFO);
        assert_null(s->storage_driver);
        assert_true(strv_empty(s->hosts));
        assert_true(strv_empty(s->warnings));
        assert_int_equal(s->verb, SETTINGS_RUN);
}

static void test_all_that_acts(void **state) {
        _cleanup_(settings_freep) Settings *s = NULL;

        s = load_ok("# options\nDOCKER_OPTS=\"-s vfs -g /data/ --exec-root /run/x -H fd:// -H "
                    "unix:///run/d.sock -G adm -Dl warn \\\n"
                    " --cgroup-parent=c.slice --label a=1 --label 'b=2 3' --log-driver=journald "
                    "--log-opt tag=x --log-opt tag=y "
                    "--add-runtime crun=/bin/true --default-runtime crun --default-ulimit "
                    "nofile=10:20 --default-ulimit core=-1 "
                    "--default-shm-size 1g\"\n",
                "", NULL);
        assert_string_equal(s->storage_driver, "vfs");
        assert_string_equal(s->data_root, "/data");
        assert_string_equal(s->exec_root, "/run/x");
        assert_int_equal(strv_length(s->hosts), 2);
        assert_string_equal(s->hosts[1], "unix:///run/d.sock");
        assert_string_equal(s->group, "adm");
        assert_true(s->debug);
        assert_int_equal(s->log_level, LOG_DEBUG);
        assert_string_equal(s->cgroup_parent, "c.slice");
        assert_string_equal(s->labels[1], "b=2 3");
        assert_string_equal(s->log_driver, "journald");
        assert_string_equal(pairs_get(s->log_opts, "tag"), "y");
        assert_int_equal(s->n_runtimes, 1);
        assert_string_equal(s->runtimes[0].path, "/bin/true");
        assert_int_equal(s->n_default_ulimits, 2);
        assert_int_equal(s->default_ulimits[0].hard, 20);
        assert_int_equal(s->default_ulimits[1].soft, -1);
        assert_int_equal(s->default_shm_size, UINT64_C(1) << 30);
        assert_true(strv_empty(s->warnings));
}

static void test_order(void **state) {
        _cleanup_(settings_freep) Settings *s = NULL;

        /* SUSE's order, and the command line after both. */
        s = load_ok("DOCKER_OPTS=\"-G b\"\nDOCKER_NETWORK_OPTIONS=\"-G a --data-root=/n\"\n", "",
                "--group=c");
        assert_string_equal(s->group, "c");
        assert_string_equal(s->data_root, "/n");
}

static void test_daemon_json(void **state) {
        _cleanup_(settings_freep) Settings *s = NULL;

        s = load_ok("DOCKER_OPTS=\"-s vfs\"\n",
                "{\"data-root\":\"/"
                "j\",\"debug\":true,\"labels\":[\"x=1\"],\"log-opts\":{\"max-size\":\"1m\"},"
                "\"runtimes\":{\"r\":{\"path\":\"/bin/"
                "true\"}},\"default-ulimits\":{\"nofile\":{\"Name\":\"nofile\",\"Soft\":1,"
                "\"Hard\":2}},\"hosts\":[\"fd://\"],\"raw-logs\":true}",
                NULL);
        assert_string_equal(s->data_root, "/j");
        assert_true(s->debug);
        assert_string_equal(s->labels[0], "x=1");
        assert_string_equal(pairs_get(s->log_opts, "max-size"), "1m");
        assert_string_equal(s->runtimes[0].name, "r");
        assert_int_equal(s->default_ulimits[0].hard, 2);
        assert_int_equal(strv_length(s->warnings), 1);
        assert_non_null(
                strstr(s->warnings[0], "key \"raw-logs\": --raw-logs is known but has no effect"));
}

static void test_refused_with_place(void **state) {
        assert_refused("\n# x\nDOCKER_OPTS=\"-D --storage-driver=aufs\"\n", "", NULL,
                "docker, line 3, word 2 \"--storage-driver=aufs\": AUFS is not in the Linux "
                "kernel");
        assert_refused("DOCKER_OPTS=\"-D \\\n --nope\"\n", "", NULL,
                "line 2, word 2 \"--nope\": there is no such option");
        assert_refused("DOCKER_OPTS=\"-D vfs\"\n", "", NULL,
                "word 2 \"vfs\": an option begins with a dash");
        assert_refused("DOCKER_OPTS=\"--log-level\"\n", "", NULL, "--log-level needs a value");
        assert_refused("DOCKER_OPTS=\"--debug=maybe\"\n", "", NULL, "use true or false");
        assert_refused("DOCKER_OPTS=\"--label=a=1 --label=a=2\"\n", "", NULL,
                "label \"a\" has two values");
        assert_refused("DOCKER_OPTS=\"--help\"\n", "", NULL, "on the command line only");
        assert_refused("DOCKER_OPTS=\"--log-driver=gelf\"\n", "", NULL,
                "use one of json-file, journald, local, none, syslog");
        assert_refused("DOCKER_OPTS=\"-D\" # why\n", "", NULL, "put it on a line of its own");
        assert_refused("DOCKER_OPTS=\"-D\n", "", NULL, "line 1");
        assert_refused(
                "DOCKER_OPTS=\"--default-runtime=nope\"\n", "", NULL, "unknown runtime \"nope\"");
        assert_refused(
                "DOCKER_OPTS=\"--data-root=/run/stauer/x\"\n", "", NULL, "inside each other");
        assert_refused("", "", "--frob", "command line, word 4 \"--frob\"");
        assert_refused("DOCKER_OPTS=\"--data-root=/x\"\n", "{\"data-root\":\"/y\"}", NULL,
                "was given as a flag as well");
        assert_refused("", "{\"nope\":1}", NULL, "key \"nope\": there is no such option");
        assert_refused("", "{\"debug\":\"yes\"}", NULL, "key \"debug\": expected true or false");
        assert_refused("", "{\"debug\":true", NULL, "daemon.json");
}

static void test_warnings(void **state) {
        _cleanup_(settings_freep) Settings *s = NULL;

        s = load_ok(
                "export DOCKER_OPTS=\"-D\"\nDOCKER_OPTS=\"--raw-logs --containerd=/x --graph=/a -g "
                "/b --live-restore\"\n",
                "", NULL);
        assert_int_equal(strv_length(s->warnings), 6);
        assert_non_null(strstr(s->warnings[0], "line 1"));
        assert_non_null(strstr(
                s->warnings[1], "--raw-logs is known but has no effect in this version, ignoring"));
        assert_non_null(strstr(s->warnings[2], "no meaning"));
        assert_non_null(strstr(s->warnings[3], "--graph is the old name of --data-root"));
        assert_non_null(strstr(s->warnings[4], "was given before"));
        assert_non_null(strstr(s->warnings[5], "always outlive"));
        assert_string_equal(s->data_root, "/b");
        assert_false(s->debug);
}

static void test_verbs(void **state) {
        _cleanup_(settings_freep) Settings *s = NULL, *t = NULL;
        _cleanup_(freep) char *help = NULL;
        char *argv[] = { (char *) "stauerd", (char *) "--version",
                (char *) "--sysconfig-file=/nowhere", NULL };

        assert_int_equal(settings_load(3, argv, settings_read_sysconfig, &s, NULL), 0);
        assert_int_equal(s->verb, SETTINGS_VERSION);
        argv[1] = (char *) "-h";
        assert_int_equal(settings_load(3, argv, settings_read_sysconfig, &t, NULL), 0);
        assert_int_equal(t->verb, SETTINGS_HELP);
        assert_int_equal(settings_format_help("stauerd", &help), 0);
        assert_non_null(strstr(help, "  -s, --storage-driver"));
        assert_non_null(strstr(help, "\nLogging of containers:\n"));
        assert_null(strstr(help, "--lens-dir"));
}

static void test_find_runtime(void **state) {
        _cleanup_(settings_freep) Settings *s = load_ok(
                "DOCKER_OPTS=\"--add-runtime=x=/bin/true --add-runtime=y=/nowhere\"\n", "", NULL);
        _cleanup_(error_done) Error e = {}, f = {};
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(settings_find_runtime(s, "x", &path, NULL), 0);
        assert_string_equal(path, "/bin/true");
        assert_true(settings_find_runtime(s, "y", &path, &e) < 0);
        assert_non_null(strstr(error_text(&e, 0), "/nowhere of runtime \"y\" is not there"));
        assert_true(settings_find_runtime(s, "../z", &path, &f) < 0);
        assert_non_null(strstr(error_text(&f, 0), "unknown runtime"));
}

static void test_take_live(void **state) {
        _cleanup_(settings_freep) Settings *s =
                load_ok("DOCKER_OPTS=\"-g /a --label=a=1\"\n", "", NULL);
        _cleanup_(settings_freep) Settings *fresh = NULL;

        fresh = load_ok(
                "DOCKER_OPTS=\"-g /b --label=a=2 -D --add-runtime=x=/bin/true\"\n", "", NULL);
        settings_take_live(s, fresh);
        assert_string_equal(s->data_root, "/a");
        assert_string_equal(s->labels[0], "a=2");
        assert_true(s->debug);
        assert_int_equal(s->log_level, LOG_DEBUG);
        assert_int_equal(s->n_runtimes, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_all_that_acts),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_daemon_json),
                cmocka_unit_test(test_refused_with_place),
                cmocka_unit_test(test_warnings),
                cmocka_unit_test(test_verbs),
                cmocka_unit_test(test_find_runtime),
                cmocka_unit_test(test_take_live),
        };

        return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
