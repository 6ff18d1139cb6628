/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "service/monitor/runtime-error.h"

static void check_parse(const char *log, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_ok(runtime_error_parse(log, strlen(log), &text));
        if (expected)
                assert_string_equal(text, expected);
        else
                assert_null(text);
}

static void test_parse(void **state) {
        check_parse("", NULL);
        check_parse("{\"level\":\"error\",\"msg\":\"bad thing\",\"time\":\"x\"}\n", "bad thing");
        check_parse("{\"level\":\"warning\",\"msg\":\"w\"}\n{\"level\":\"debug\",\"msg\":\"d\"}\n",
                NULL);
        check_parse("{\"level\":\"error\",\"msg\":\"first\"}\n{\"level\":\"error\",\"msg\":"
                    "\"last\"}\n{\"level\":\"info\",\"msg\":\"i\"}",
                "last");
        check_parse("{\"msg\":\"crun says no level\"}\n", "crun says no level");
        check_parse("plain words\n", "plain words");
        check_parse("{broken\n", "{broken");
        check_parse("\n\n", NULL);
        check_parse("{\"level\":\"error\"}\n", NULL);
}

static void check_code(const char *text, int code, ErrorKind kind) {
        ErrorKind is;

        assert_int_equal(runtime_error_exit_code(text, &is), code);
        assert_int_equal(is, kind);
}

static void test_codes(void **state) {
        check_code("exec: \"x\": executable file not found in $PATH", 127, ERROR_INVALID);
        check_code("executable file `x` not found in $PATH: No such file or directory", 127,
                ERROR_INVALID);
        check_code("exec /x: permission denied", 126, ERROR_INVALID);
        check_code("open `/x`: Permission denied", 126, ERROR_INVALID);
        check_code("exec: \"/etc\": is a directory", 126, ERROR_INVALID);
        check_code("mount `/a` to `/b`: Not a directory", 127, ERROR_INVALID);
        check_code("seccomp does not load", 128, ERROR_INTERNAL);
        check_code("", 128, ERROR_INTERNAL);
}

static void check_sentence(const char *text, const char *expected) {
        _cleanup_(freep) char *s = NULL;

        assert_ok(runtime_error_sentence(text, &s));
        assert_string_equal(s, expected);
}

static void test_sentences(void **state) {
        check_sentence("x", "OCI runtime create failed: x");
        check_sentence("/etc: is a directory",
                "OCI runtime create failed: /etc: is a directory: permission denied");
        check_sentence("not a directory",
                "OCI runtime create failed: not a directory: Are you trying to mount a directory "
                "onto a file (or vice-versa)? "
                "Check if the specified host path exists and is the expected type");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_codes),
                cmocka_unit_test(test_sentences),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
