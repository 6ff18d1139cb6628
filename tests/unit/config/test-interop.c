/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <augeas.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/env-value.h"
#include "config/option-string.h"
#include "config/settings-table.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/process.h"
#include "lib/base/str.h"

/* What we write is read by others: Puppet and augtool through the stock lenses, scripts by a shell. */

#define STOCK_LENSES "/usr/share/augeas/lenses/dist"

static uint32_t seed = 99;

static unsigned dice(unsigned n) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 8) % n;
}

static void random_value(char value[static 32]) {
        static const char letters[] = "abc=/-_.:,'\"\\$`# &;()*~";
        size_t n = 1 + dice(30);

        for (size_t i = 0; i < n; i++)
                value[i] = letters[dice(sizeof(letters) - 1)];
        value[n] = 0;
}

/* A line that option_raw_edit() made, and the value it stands for. */
static void random_line(char **ret_line, char **ret_value) {
        static const char *const starts[] = { "", "\"\"", "\"-D\"", "-D", "'-s vfs'",
                "\"-s vfs\"' --tls'" };
        _cleanup_(freep) char *raw = NULL, *label = NULL;
        _cleanup_(env_value_done) EnvValue v = {};
        char value[32];

        random_value(value);
        assert_int_equal(str_printf(&label, "k=%s", value), 0);
        assert_true(option_raw_edit(starts[dice(ARRAY_SIZE(starts))], setting_find("label"),
                            (char *[]) { label, NULL }, &raw) >= 0);
        assert_int_equal(env_value_decode(raw, &v), 0);
        assert_int_equal(str_printf(ret_line, "DOCKER_OPTS=%s\n", raw), 0);
        assert_int_equal(str_printf(ret_value, "%s", v.text), 0);
}

static void test_stock_lenses(void **state) {
        static const char *const lenses[] = { "Shellvars.lns", "Sysconfig.lns" };
        augeas *a;

        if (access(STOCK_LENSES "/shellvars.aug", R_OK) < 0) {
                print_message("no stock lenses of Augeas here\n");
                skip();
        }
        a = aug_init("/", STOCK_LENSES, AUG_NO_STDINC | AUG_NO_LOAD | AUG_NO_MODL_AUTOLOAD);
        assert_non_null(a);
        for (size_t k = 0; k < ARRAY_SIZE(lenses); k++)
                assert_int_equal(aug_transform(a, lenses[k], "/dev/null/none", 0), 0);
        assert_int_equal(aug_load(a), 0);

        for (unsigned round = 0; round < 50; round++) {
                _cleanup_(freep) char *line = NULL, *value = NULL;

                random_line(&line, &value);
                for (size_t k = 0; k < ARRAY_SIZE(lenses); k++) {
                        assert_true(aug_set(a, "/raw", line) >= 0);
                        if (aug_text_store(a, lenses[k], "/raw", "/cfg") < 0)
                                print_message("%s: %s", lenses[k], line);
                        assert_int_equal(aug_match(a, "/cfg/DOCKER_OPTS", NULL), 1);
                        assert_int_equal(aug_match(a, "/cfg/*", NULL), 1);
                }
        }
        aug_close(a);
}

static void test_shell(void **state) {
        char path[] = "/tmp/stauer-test-interop-XXXXXX";
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        (void) close(fd);
        for (unsigned round = 0; round < 50; round++) {
                _cleanup_(freep) char *line = NULL, *value = NULL, *output = NULL;
                char *argv[] = { (char *) "sh", (char *) "-c",
                        (char *) ". \"$0\"; printf %s \"$DOCKER_OPTS\"", path, NULL };

                random_line(&line, &value);
                assert_int_equal(file_write_atomic_string(AT_FDCWD, path, line, 0600, 0), 0);
                assert_int_equal(process_run(&(ProcessSpec) { .path = "/bin/sh", .argv = argv },
                                         UINT64_C(10000000), 65536, &output),
                        0);
                assert_string_equal(output, value);
        }
        (void) unlink(path);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stock_lenses),
                cmocka_unit_test(test_shell),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
