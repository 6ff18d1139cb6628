/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/options.h"
#include "config/settings-table.h"
#include "config/sysconfig.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static char folder[] = "/tmp/stauer-test-options-XXXXXX";
static char *sysconfig_path, *config_path;

static int group_setup(void **state) {
        if (!mkdtemp(folder))
                return -1;
        return str_printf(&sysconfig_path, "%s/docker", folder) < 0 ||
                               str_printf(&config_path, "%s/daemon.json", folder) < 0
                     ? -1
                     : 0;
}

static int group_teardown(void **state) {
        free(sysconfig_path);
        free(config_path);
        return file_remove_tree(AT_FDCWD, folder) < 0 ? -1 : 0;
}

static Options *load(const char *sysconfig, const char *json) {
        _cleanup_(error_done) Error e = {};
        Options *o = NULL;
        int r;

        assert_int_equal(file_write_atomic_string(AT_FDCWD, sysconfig_path, sysconfig, 0644, 0), 0);
        assert_int_equal(file_write_atomic_string(AT_FDCWD, config_path, json, 0644, 0), 0);
        r = options_load(sysconfig_path, config_path, TEST_LENS_DIR, &o, &e);
        if (r < 0)
                print_message("%s\n", error_text(&e, r));
        assert_int_equal(r, 0);
        return o;
}

static const OptionState *state_of(const Options *o, const char *name) {
        return options_state(o, setting_find(name));
}

static void test_states(void **state) {
        _cleanup_(options_freep) Options *o = NULL;

        o = load("\nDOCKER_OPTS=\"--graph=/a \\\n-g /b --label x=1 --wat stray\"\n",
                "{\"debug\":true}");
        assert_string_equal(state_of(o, "data-root")->values[0], "/b");
        assert_true(state_of(o, "data-root")->repeated);
        assert_int_equal(state_of(o, "data-root")->line, 3);
        assert_int_equal(state_of(o, "data-root")->word, 2);
        assert_string_equal(state_of(o, "data-root")->variable, "DOCKER_OPTS");
        assert_int_equal(state_of(o, "debug")->origin, OPTION_DAEMON_JSON);
        assert_int_equal(state_of(o, "group")->origin, OPTION_DEFAULT);
        assert_int_equal(o->n_unknown, 2);
        assert_string_equal(o->unknown[0].text, "--wat");
        assert_non_null(strstr(o->refusal, "--wat"));
}

static void test_change(void **state) {
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(freep) char *warning = NULL;
        const OptionChange changes[] = {
                { "storage-driver", (char *[]) { (char *) "vfs", NULL } },
                { "debug", NULL },
        };

        o = load("DOCKER_NETWORK_OPTIONS=\"-D --mtu=1400\"\nDOCKER_OPTS=\"-D\"\n", "");
        assert_null(o->refusal);
        assert_int_equal(options_change(o, changes, 2, NULL), 1);
        assert_int_equal(options_check(o, &warning, NULL), 1);
        assert_string_equal(o->file->text,
                "DOCKER_NETWORK_OPTIONS=\"--mtu=1400\"\nDOCKER_OPTS=\"--storage-driver=vfs\"\n");
        assert_int_equal(sysconfig_save(o->file, NULL), 1);
}

static void assert_change_refused(const char *sysconfig, const char *json, const char *name,
        const char *value, ErrorKind kind) {
        const OptionChange change = { name, (char *[]) { (char *) value, NULL } };
        _cleanup_(options_freep) Options *o = load(sysconfig, json);
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *warning = NULL;
        int r;

        r = options_change(o, &change, 1, &e);
        if (r >= 0)
                r = options_check(o, &warning, &e);
        assert_true(r < 0);
        if (e.kind != kind)
                print_message("%s\n", error_text(&e, r));
        assert_int_equal(e.kind, kind);
}

static void test_refused(void **state) {
        assert_change_refused("", "", "nope", "x", ERROR_NOT_FOUND);
        assert_change_refused("", "", "validate", "true", ERROR_INVALID);
        assert_change_refused("", "", "builder", "x", ERROR_INVALID);
        assert_change_refused("", "", "debug", "maybe", ERROR_INVALID);
        assert_change_refused("", "{\"debug\":true}", "debug", "false", ERROR_CONFLICT);
        assert_change_refused("", "", "label", "a\nb=1", ERROR_INVALID);
        assert_change_refused("", "", "default-runtime", "nope", ERROR_NOT_FOUND);
        assert_change_refused("DOCKER_OPTS=\"-D 'x\"\n", "", "group", "g", ERROR_INVALID);
        assert_change_refused("DOCKER_OPTS=\"--label=a=1\"\n", "", "exec-root", "/var/lib/docker/x",
                ERROR_INVALID);
}

/* What was wrong before does not keep anybody from mending something else. */
static void test_wrong_before(void **state) {
        const OptionChange change = { "storage-driver", (char *[]) { (char *) "vfs", NULL } };
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(freep) char *warning = NULL;

        o = load("DOCKER_OPTS=\"-s aufs --wat\"\n", "");
        assert_non_null(o->refusal);
        assert_int_equal(options_change(o, &change, 1, NULL), 1);
        assert_int_equal(options_check(o, &warning, NULL), 0);
        assert_non_null(strstr(warning, "--wat"));
        assert_string_equal(o->file->text, "DOCKER_OPTS=\"-s vfs --wat\"\n");
}

static void test_needs(void **state) {
        const OptionChange live = { "debug", (char *[]) { (char *) "true", NULL } };
        const OptionChange same = { "group", (char *[]) { (char *) "adm", NULL } };
        const OptionChange idle = { "userland-proxy", (char *[]) { (char *) "false", NULL } };
        const OptionChange cold = { "storage-driver", (char *[]) { (char *) "vfs", NULL } };
        _cleanup_(options_freep) Options *o = load("DOCKER_OPTS=\"-G adm\"\n", "");
        OptionNeeds needs;

        assert_int_equal(options_needs(o, &same, 1, &needs, NULL), 0);
        assert_int_equal(needs, OPTION_NEEDS_NOTHING);
        assert_int_equal(options_needs(o, &idle, 1, &needs, NULL), 0);
        assert_int_equal(needs, OPTION_NEEDS_NOTHING);
        assert_int_equal(options_needs(o, &live, 1, &needs, NULL), 0);
        assert_int_equal(needs, OPTION_NEEDS_RELOAD);
        assert_int_equal(options_needs(o, &cold, 1, &needs, NULL), 0);
        assert_int_equal(needs, OPTION_NEEDS_RESTART);
}

static void test_mask(void **state) {
        _cleanup_(freep) char *a = NULL, *b = NULL, *c = NULL;

        assert_int_equal(option_mask(setting_find("http-proxy"), "http://u:secret@h:1", &a), 0);
        assert_string_equal(a, "http://***@h:1");
        assert_int_equal(option_mask(setting_find("http-proxy"), "http://h:1", &b), 0);
        assert_string_equal(b, "http://h:1");
        assert_int_equal(option_mask(setting_find("label"), "a=b@c", &c), 0);
        assert_string_equal(c, "a=b@c");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                cmocka_unit_test(test_change),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_wrong_before),
                cmocka_unit_test(test_needs),
                cmocka_unit_test(test_mask),
        };

        return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
