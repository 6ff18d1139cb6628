/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void split(const char *name, const char *repository, const char *tag) {
        _cleanup_(freep) char *r = NULL;
        const char *t;

        assert_ok(cli_split_tag(name, &r, &t));
        assert_string_equal(r, repository);
        if (tag)
                assert_string_equal(t, tag);
        else
                assert_null(t);
}

static void test_split_tag(void **state) {
        split("busybox", "busybox", NULL);
        split("busybox:1", "busybox", "1");
        split("host:5000/x", "host:5000/x", NULL);
        split("host:5000/x:y", "host:5000/x", "y");
        split("a/b/c:latest", "a/b/c", "latest");
        split(":x", "", "x");
        split("", "", NULL);
}

static void filters(const char *text, char **words) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *s = NULL;

        assert_ok(cli_filters(words, &s, &e));
        if (text)
                assert_string_equal(s, text);
        else
                assert_null(s);
}

static void test_filters(void **state) {
        _cleanup_(error_done) Error e = {};
        char *s;

        filters(NULL, NULL);
        filters("{\"label\":{\"a=b\":true,\"c\":true},\"name\":{\"x\":true}}",
                (char **) (const char *[]) { "label=a=b", "label=c", "name=x", NULL });
        filters("{\"name\":{\"\":true}}", (char **) (const char *[]) { "name=", NULL });
        assert_int_equal(cli_filters((char **) (const char *[]) { "name", NULL }, &s, &e), -EINVAL);
        assert_non_null(strstr(e.text, "name=value"));
}

static void test_point_in_time(void **state) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *s = NULL;

        assert_ok(cli_point_in_time("2026-01-02T03:04:05.5Z", "since", &s, &e));
        assert_string_equal(s, "1767323045.500000000");
        s = mfree(s);
        assert_ok(cli_point_in_time(NULL, "since", &s, &e));
        assert_null(s);
        assert_ok(cli_point_in_time("10m", "since", &s, &e));
        assert_non_null(strchr(s, '.'));
        s = mfree(s);
        assert_int_equal(cli_point_in_time("soon", "since", &s, &e), -EINVAL);
        assert_non_null(strstr(e.text, "soon"));
}

/* What the engine says may hold words of an image. */
static void test_error_on_a_terminal(void **state) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;
        FILE *real = stderr;
        size_t size;

        (void) error_set(&e, ERROR_INVALID, "exec: \"\033]0;owned\007\xc2\x9b\": not found");
        stderr = open_memstream(&text, &size);
        assert_non_null(stderr);
        cli_print_error(&e, -EINVAL);
        fclose(stderr);
        stderr = real;
        assert_string_equal(text, "exec: \"\\x1b]0;owned\\x07\\xc2\\x9b\": not found\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_split_tag),
                cmocka_unit_test(test_filters),
                cmocka_unit_test(test_point_in_time),
                cmocka_unit_test(test_error_on_a_terminal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
