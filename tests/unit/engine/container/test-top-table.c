/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/top-table.h"

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static const pid_t pids[] = { 7, 4711 };

static int parse(const char *text, TopTable *ret) {
        return top_parse(text, pids, ARRAY_SIZE(pids), ret, NULL);
}

/* Only lines of the container's processes, and the threads below them; the last column has all the rest. */
static void test_lines(void **state) {
        _cleanup_(top_table_done) TopTable t = {};

        assert_ok(parse("USER  PID TTY CMD\n"
                        "root    1 ?   init of the host\n"
                        "root    7 ?   sleep  100 \n"
                        "root    - -   a thread\n"
                        "www   471 ?   other\n"
                        "www     - -   not ours\n"
                        "www  4711 ?   [x]\n",
                &t));
        assert_int_equal(t.n_rows, 3);
        assert_string_equal(t.titles[3], "CMD");
        assert_string_equal(t.rows[0][3], "sleep  100");
        assert_string_equal(t.rows[1][3], "a thread");
        assert_string_equal(t.rows[2][0], "www");
}

static void test_odd_text(void **state) {
        TopTable t = {};

        assert_true(parse("USER CMD\nroot 7\n", &t) < 0);
        assert_true(parse("PID\nseven\n", &t) < 0);
        assert_true(parse("", &t) < 0);
        assert_ok(parse("USER PID\nroot\n\n7 7", &t));
        assert_int_equal(t.n_rows, 1);
        top_table_done(&t);
}

/* Another column under the name PID would show the processes of others. */
static void test_args(void **state) {
        assert_ok(top_check_args("-ef", NULL));
        assert_ok(top_check_args("-o pid=PID,cmd", NULL));
        assert_int_equal(top_check_args("-o ppid=PID", NULL), -EINVAL);
        assert_int_equal(top_check_args("-ouid=PID,pid", NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_odd_text),
                cmocka_unit_test(test_args),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
