/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "tests/unit/test.h"

static const Option table[] = {
        { "all", 'a', OPTION_FLAG, NULL, "All" },
        { "quiet", 'q', OPTION_FLAG, NULL, "Quiet" },
        { "name", 'n', OPTION_STRING, "string", "Name" },
        { "env", 'e', OPTION_LIST, "list", "Env" },
        { "time", 't', OPTION_INT, "int", "Time" },
        { "size", 0, OPTION_BYTES, "bytes", "Size" },
        { "filter", 'f', OPTION_FILTER, "filter", "Filter" },
        { "subnet", 0, OPTION_STRINGS, "strings", "Subnet" },
        {},
};

static Options *parse(bool interspersed, char **words) {
        _cleanup_(error_done) Error e = {};
        Options *o = NULL;

        assert_ok(options_parse(table, words, interspersed, &o, &e));
        return o;
}
#define PARSE(interspersed, ...) \
        parse(interspersed, (char **) (const char *[]) { __VA_ARGS__, NULL })

static void refused(const char *text, char **words) {
        _cleanup_(error_done) Error e = {};
        Options *o = NULL;

        assert_int_equal(options_parse(table, words, /* interspersed= */ false, &o, &e), -EINVAL);
        assert_string_equal(e.text, text);
        assert_null(o);
}
#define REFUSED(text, ...) refused(text, (char **) (const char *[]) { __VA_ARGS__, NULL })

static void test_long(void **state) {
        _cleanup_(options_freep) Options *o =
                PARSE(false, "--all", "--name", "x", "--env=A=1", "--env", "B=2", "image", "-q");

        assert_true(options_flag(o, "all"));
        assert_false(options_flag(o, "quiet"));
        assert_string_equal(options_string(o, "name"), "x");
        assert_string_equal(options_list(o, "env")[0], "A=1");
        assert_string_equal(options_list(o, "env")[1], "B=2");
        assert_int_equal(options_count(o), 2); /* what follows the first is the command's own */
        assert_string_equal(options_arguments(o)[1], "-q");
}

static void test_letters(void **state) {
        _cleanup_(options_freep) Options *o = PARSE(false, "-aqnx", "-e", "A", "-e=B", "-eC", "-");

        assert_true(options_flag(o, "all"));
        assert_true(options_flag(o, "quiet"));
        assert_string_equal(options_string(o, "name"), "x");
        assert_int_equal(strv_length(options_list(o, "env")), 3);
        assert_string_equal(options_list(o, "env")[1], "B");
        assert_string_equal(options_arguments(o)[0], "-");
}

static void test_interspersed(void **state) {
        _cleanup_(options_freep) Options *o =
                PARSE(true, "one", "-n", "x", "two", "--all=false", "--", "-q");

        assert_int_equal(options_count(o), 3);
        assert_string_equal(options_arguments(o)[2], "-q");
        assert_string_equal(options_string(o, "name"), "x");
        assert_true(options_given(o, "all"));
        assert_false(options_flag(o, "all"));
        assert_false(options_flag(o, "quiet"));
}

static void test_last_wins(void **state) {
        _cleanup_(options_freep) Options *o = PARSE(false, "--name=a", "--name=", "-a", "-a=false");

        assert_string_equal(options_string(o, "name"), "");
        assert_false(options_flag(o, "all"));
        assert_null(options_string(o, "env"));
}

static void test_checked_kinds(void **state) {
        _cleanup_(options_freep) Options *o = PARSE(true, "-t-5", "--size", "64m", "-f", "a=b",
                "--subnet=1,2", "--subnet", "3", "--all=F");

        assert_int_equal(options_int(o, "time", 1), -5);
        assert_int_equal(options_int(o, "name", 7), 7);
        assert_string_equal(options_list(o, "filter")[0], "a=b");
        assert_int_equal(strv_length(options_list(o, "subnet")), 3);
        assert_false(options_flag_or(o, "all", true));
        assert_true(options_flag_or(o, "quiet", true));

        REFUSED("invalid argument \"x\" for \"-t, --time\" flag: strconv.ParseInt: parsing \"x\": "
                "invalid syntax",
                "-t", "x");
        REFUSED("invalid argument \"9223372036854775808\" for \"-t, --time\" flag: "
                "strconv.ParseInt: parsing \"9223372036854775808\": value out of range",
                "--time=9223372036854775808");
        REFUSED("invalid argument \"x\" for \"--size\" flag: invalid size: 'x'", "--size=x");
        REFUSED("invalid argument \"x\" for \"-f, --filter\" flag: bad format of filter (expected "
                "name=value)",
                "-f", "x");
}

static void test_help(void **state) {
        _cleanup_(options_freep) Options *o = PARSE(false, "-ah"), *p = PARSE(false, "--help");

        assert_true(options_help(o));
        assert_true(options_help(p));
}

static void test_refused(void **state) {
        REFUSED("unknown flag: --nothing", "--nothing=1");
        REFUSED("unknown shorthand flag: 'z' in -z", "-az");
        REFUSED("flag needs an argument: --name", "--name");
        REFUSED("flag needs an argument: 'n' in -n", "-an");
        REFUSED("invalid argument \"maybe\" for \"-a, --all\" flag: strconv.ParseBool: parsing "
                "\"maybe\": invalid syntax",
                "--all=maybe");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_long),
                cmocka_unit_test(test_letters),
                cmocka_unit_test(test_interspersed),
                cmocka_unit_test(test_last_wins),
                cmocka_unit_test(test_checked_kinds),
                cmocka_unit_test(test_help),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
