/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

/* What table_print() says on stdout. */
static char *printed(const Table *t) {
        FILE *real = stdout;
        char *text = NULL;
        size_t size;

        stdout = open_memstream(&text, &size);
        assert_non_null(stdout);
        table_print(t);
        fclose(stdout);
        stdout = real;
        return text;
}

static void test_columns(void **state) {
        _cleanup_(table_freep) Table *t = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_ok(table_new((const char *const[]) { "ID", "LONG NAME", "LAST", NULL }, &t));
        assert_ok(table_add(t, "0123456789ab"));
        assert_ok(table_add(t, NULL));
        assert_ok(table_addf(t, "%d%%", 7));
        text = printed(t);
        assert_string_equal(text, "ID             LONG NAME   LAST\n"
                                  "0123456789ab               7%\n");
}

static void test_terminal(void **state) {
        _cleanup_(table_freep) Table *t = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_ok(table_new((const char *const[]) { "A", "B", NULL }, &t));
        assert_ok(table_add(t, "\033[31mred\n"));
        assert_ok(table_add(t, "\xc3\xa4\xc3\xb6"));
        text = printed(t);
        assert_null(strchr(text, '\033'));
        assert_non_null(strstr(text, "\xc3\xa4\xc3\xb6\n"));
        assert_int_equal(strchr(text, '\n')[1] != '\0', 1);
}

/* Letters of two columns and of none, as the locale has them. */
static void test_wide(void **state) {
        _cleanup_(table_freep) Table *t = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_ok(setenv("LC_ALL", "C.UTF-8", /* overwrite= */ true));
        assert_ok(table_new((const char *const[]) { "NAME", "B", NULL }, &t));
        assert_ok(table_add(
                t, "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac"));
        assert_ok(table_add(t, "x"));
        text = printed(t);
        assert_string_equal(text,
                "NAME           B\n"
                "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac   x\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_columns),
                cmocka_unit_test(test_terminal),
                cmocka_unit_test(test_wide),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
