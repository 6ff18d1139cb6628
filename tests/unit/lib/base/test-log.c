/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/journal.h"
#include "tests/unit/test.h"

/* What a call writes to stderr. */
static char *caught(int (*call)(void)) {
        _cleanup_(fd_closep) int saved = fd_dup(STDERR_FILENO), memory = fd_memfd("stderr");
        char *text = NULL;

        assert_true(dup2(memory, STDERR_FILENO) >= 0);
        (void) call();
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        assert_ok(file_read_fd(memory, 10000, &text, NULL));
        return text;
}

static int say_error(void) {
        int r;

        errno = ENOTTY;
        r = log_struct(LOG_ERR, -ENOENT, &(LogFields) { .object = "container web" },
                "Failed to open %s: %m", "a\033b");
        assert_int_equal(r, -ENOENT);
        assert_int_equal(errno, ENOTTY);
        return r;
}

static int say_debug(void) {
        log_debug("never seen");
        return log_debug_errno(-EIO, "never seen");
}

static void test_stderr(void **state) {
        _cleanup_(freep) char *line = NULL, *nothing = NULL;

        log_setup("test");
        line = caught(say_error);
        assert_string_equal(line,
                "test: error: container web: Failed to open a\\x1bb: No such file or directory\n");
        nothing = caught(say_debug);
        assert_string_equal(nothing, "");
        assert_int_equal(say_debug(), -EIO);
}

static void test_levels(void **state) {
        assert_int_equal(log_level_from_string("debug"), LOG_DEBUG);
        assert_int_equal(log_level_from_string("fatal"), LOG_CRIT);
        assert_int_equal(log_level_from_string("loud"), -EINVAL);
        assert_string_equal(log_level_to_string(LOG_INFO), "info");
        assert_string_equal(log_level_to_string(LOG_WARNING), "warn");
        assert_string_equal(log_level_to_string(LOG_EMERG), "fatal");
}

static void test_journal(void **state) {
        struct iovec bad[2] = { { (void *) "=x", 2 }, { (void *) "noequals", 8 } };

        assert_int_equal(journal_sendv(bad, 1), -EINVAL);
        assert_int_equal(journal_sendv(bad + 1, 1), -EINVAL);
        assert_false(journal_is_stream(STDERR_FILENO));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stderr),
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_journal),
        };

        return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
