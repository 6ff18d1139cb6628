/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/settings.h"
#include "config/sysconfig-ask.h"
#include "config/sysconfig.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"

static char folder[] = "/tmp/stauer-test-ask-XXXXXX";
static char *path;

static int group_setup(void **state) {
        return mkdtemp(folder) && str_printf(&path, "%s/docker", folder) >= 0 ? 0 : -1;
}

static int group_teardown(void **state) {
        free(path);
        return file_remove_tree(AT_FDCWD, folder) < 0 ? -1 : 0;
}

static int ask(const char *text, const char *program, Sysconfig **ret, Error *reterr) {
        const Settings s = {
                .sysconfig_file = path,
                .lens_dir = (char *) TEST_LENS_DIR,
                .configd = (char *) program,
        };

        if (text)
                assert_int_equal(file_write_atomic_string(AT_FDCWD, path, text, 0644, 0), 0);
        return sysconfig_ask(&s, ret, reterr);
}

/* The same lines as who reads here, bytes that are no UTF-8 included. */
static void test_same(void **state) {
        static const char text[] =
                "# x\n\nA=1\nDOCKER_OPTS=\"a\\\nb \xff\"\nexport DOCKER_OPTS=1\nDOCKER_OPTS=\n";
        _cleanup_(sysconfig_freep) Sysconfig *asked = NULL, *read = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = ask(text, TEST_CONFIGD, &asked, &e);
        if (r < 0)
                print_message("%s\n", error_text(&e, r));
        assert_int_equal(r, 0);
        assert_int_equal(sysconfig_load(path, TEST_LENS_DIR, &read, NULL), 0);

        assert_true(asked->exists);
        assert_string_equal(asked->path, read->path);
        assert_int_equal(asked->n_entries, read->n_entries);
        for (size_t i = 0; i < read->n_entries; i++) {
                assert_string_equal(asked->entries[i].name, read->entries[i].name);
                assert_string_equal(asked->entries[i].raw, read->entries[i].raw);
                assert_int_equal(asked->entries[i].line, read->entries[i].line);
        }
        assert_string_equal(sysconfig_find(asked, "DOCKER_OPTS")->raw, "");
}

/* The sentence and the kind are those of who reads here. */
static void test_refused(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        _cleanup_(error_done) Error asked = {}, read = {};

        assert_int_equal(ask("A=1\nDOCKER_OPTS=\"open\n", TEST_CONFIGD, &s, &asked), -EINVAL);
        assert_int_equal(sysconfig_load(path, TEST_LENS_DIR, &s, &read), -EINVAL);
        assert_int_equal(asked.kind, read.kind);
        assert_string_equal(asked.text, read.text);
        assert_null(s);
}

static void test_no_file(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;

        (void) unlink(path);
        assert_int_equal(ask(NULL, "/nowhere/configd", &s, NULL), 0);
        assert_false(s->exists);
        assert_int_equal(s->n_entries, 0);
}

static void test_no_answer(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        _cleanup_(error_done) Error silent = {}, none = {};

        assert_true(ask("A=1\n", "/bin/true", &s, &silent) < 0);
        assert_non_null(strstr(error_text(&silent, -EIO), "/bin/true did not say"));
        assert_int_equal(ask("A=1\n", "/nowhere/configd", &s, &none), -ENOENT);
        assert_non_null(strstr(error_text(&none, -ENOENT), "/nowhere/configd"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_no_file),
                cmocka_unit_test(test_no_answer),
        };

        return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
