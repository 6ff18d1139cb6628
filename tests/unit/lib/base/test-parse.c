/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/parse.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/process.h"
#include "tests/unit/test.h"

static void test_numbers(void **state) {
        static const char *const wrong[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1e3", "1_0",
                "\xd9\xa1\xd9\xa2", "1\n" };
        uint64_t u = 77;
        uint32_t u32;
        int64_t i;
        int small;

        for (size_t k = 0; k < ARRAY_SIZE(wrong); k++)
                assert_int_equal(parse_u64(wrong[k], &u), -EINVAL);
        assert_int_equal(parse_u64(NULL, &u), -EINVAL);
        assert_int_equal(u, 77);

        assert_ok(parse_u64("18446744073709551615", &u));
        assert_true(u == UINT64_MAX);
        assert_int_equal(parse_u64("18446744073709551616", &u), -ERANGE);
        assert_ok(parse_u32("4294967295", &u32));
        assert_int_equal(parse_u32("4294967296", &u32), -ERANGE);
        assert_ok(parse_i64("-9223372036854775808", &i));
        assert_true(i == INT64_MIN);
        assert_int_equal(parse_i64("9223372036854775808", &i), -ERANGE);
        assert_int_equal(parse_i64("--1", &i), -EINVAL);
        assert_ok(parse_int("-2147483648", &small));
        assert_int_equal(parse_int("2147483648", &small), -ERANGE);
}

static void test_ids(void **state) {
        uid_t uid;
        pid_t pid;
        mode_t mode;

        assert_ok(parse_uid("4294967294", &uid));
        assert_int_equal(parse_uid("4294967295", &uid), -ERANGE);
        assert_int_equal(parse_uid("-1", &uid), -EINVAL);
        assert_int_equal(parse_pid("0", &pid), -ERANGE);
        assert_int_equal(parse_pid("2147483648", &pid), -ERANGE);
        assert_ok(parse_mode("0755", &mode));
        assert_int_equal(mode, 0755);
        assert_int_equal(parse_mode("8", &mode), -EINVAL);
        assert_int_equal(parse_mode("10000", &mode), -ERANGE);
}

static void test_double(void **state) {
        double d;

        assert_ok(parse_double("1.5", &d));
        assert_true(d == 1.5);
        assert_ok(parse_double("-.5e2", &d));
        assert_true(d == -50);
        assert_int_equal(parse_double("nan", &d), -EINVAL);
        assert_int_equal(parse_double("0x1p3", &d), -EINVAL);
        assert_int_equal(parse_double("1,5", &d), -EINVAL);
        assert_int_equal(parse_double(".", &d), -EINVAL);
        assert_int_equal(parse_double("1e999", &d), -ERANGE);
}

static void test_sizes(void **state) {
        uint64_t u;
        int64_t i;

        assert_ok(parse_size("512", &u));
        assert_int_equal(u, 512);
        assert_ok(parse_size("64m", &u));
        assert_int_equal(u, 64 << 20);
        assert_ok(parse_size("1.5GiB", &u));
        assert_int_equal(u, UINT64_C(3) << 29);
        assert_ok(parse_size("10 kB", &u));
        assert_int_equal(u, 10240);
        assert_ok(parse_size("32b", &u));
        assert_int_equal(u, 32);
        assert_ok(parse_size("0.1k", &u));
        assert_int_equal(u, 102);
        assert_int_equal(parse_size("8388608t", &u), -ERANGE);
        assert_int_equal(parse_size("1q", &u), -EINVAL);
        assert_int_equal(parse_size("k", &u), -EINVAL);
        assert_int_equal(parse_size("1kk", &u), -EINVAL);
        assert_int_equal(parse_size("1.2.3k", &u), -EINVAL);
        assert_int_equal(parse_size("-1", &u), -EINVAL);
        assert_ok(parse_size_signed("-1", &i));
        assert_int_equal(i, -1);
        assert_int_equal(parse_size_signed("-2", &i), -EINVAL);
}

static void test_durations(void **state) {
        int64_t ns;

        assert_ok(parse_duration("1h30m", &ns));
        assert_int_equal(ns, INT64_C(5400000000000));
        assert_ok(parse_duration("1.5s", &ns));
        assert_int_equal(ns, 1500000000);
        assert_ok(parse_duration("-300ms", &ns));
        assert_int_equal(ns, -300000000);
        assert_ok(parse_duration("2us", &ns));
        assert_int_equal(ns, 2000);
        assert_ok(parse_duration("2\xc2\xb5s", &ns));
        assert_int_equal(ns, 2000);
        assert_ok(parse_duration("0", &ns));
        assert_int_equal(ns, 0);
        assert_int_equal(parse_duration("5", &ns), -EINVAL);
        assert_int_equal(parse_duration("1h 30m", &ns), -EINVAL);
        assert_int_equal(parse_duration("", &ns), -EINVAL);
        assert_int_equal(parse_duration("2562048h", &ns), -ERANGE);
}

static void test_signals(void **state) {
        int sig;

        assert_ok(parse_signal("KILL", &sig));
        assert_int_equal(sig, 9);
        assert_ok(parse_signal("sigterm", &sig));
        assert_int_equal(sig, 15);
        assert_ok(parse_signal("64", &sig));
        assert_int_equal(parse_signal("65", &sig), -ERANGE);
        assert_int_equal(parse_signal("0", &sig), -ERANGE);
        assert_ok(parse_signal("RTMIN+3", &sig));
        assert_int_equal(sig, 37);
        assert_ok(parse_signal("SIGRTMAX-1", &sig));
        assert_int_equal(sig, 63);
        assert_int_equal(parse_signal("RTMIN+31", &sig), -ERANGE);
        assert_int_equal(parse_signal("SIGNO", &sig), -EINVAL);
        assert_int_equal(parse_signal("SIG", &sig), -EINVAL);

        for (int i = 1; i <= 64; i++) {
                const char *name = signal_to_string(i);

                if (!name) {
                        assert_true(i == 32 || i == 33);
                        continue;
                }
                assert_ok(parse_signal(name, &sig));
                assert_int_equal(sig, i);
        }
        assert_null(signal_to_string(65));
        assert_null(signal_to_string(0));
}

static void test_lists(void **state) {
        unsigned max, major, minor;
        uint8_t set[2];

        assert_ok(parse_cpu_list("0-3,5", 8, &max));
        assert_int_equal(max, 5);
        assert_int_equal(parse_cpu_list("0-2147483647", 8, &max), -ERANGE);
        assert_int_equal(parse_cpu_list("3-1", 8, &max), -EINVAL);
        assert_int_equal(parse_cpu_list("1,", 8, &max), -EINVAL);
        assert_int_equal(parse_cpu_list("", 8, &max), -EINVAL);
        assert_int_equal(parse_cpu_list("1-", 8, &max), -EINVAL);
        assert_ok(parse_cpu_set("9,0-2,7", 10, set));
        assert_int_equal(set[0], 0x87);
        assert_int_equal(set[1], 0x02);
        assert_int_equal(parse_cpu_set("10", 10, set), -ERANGE);
        assert_int_equal(parse_cpu_set("", 10, set), -EINVAL);
        assert_int_equal(parse_cpu_set("1,", 10, set), -EINVAL);
        assert_ok(parse_devnum("8:1", &major, &minor));
        assert_int_equal(major, 8);
        assert_int_equal(parse_devnum("8", &major, &minor), -EINVAL);
        assert_int_equal(parse_devnum("4096:0", &major, &minor), -ERANGE);
}

static void test_words(void **state) {
        _cleanup_(freep) char *key = NULL, *value = NULL;
        bool b;

        assert_ok(parse_bool("True", &b));
        assert_true(b);
        assert_ok(parse_bool("f", &b));
        assert_false(b);
        assert_int_equal(parse_bool("yes", &b), -EINVAL);
        assert_int_equal(parse_bool(NULL, &b), -EINVAL);
        assert_ok(parse_key_value("a=b=c", &key, &value));
        assert_string_equal(value, "b=c");
        assert_int_equal(parse_key_value("=b", &key, &value), -EINVAL);
        assert_int_equal(parse_key_value("b", &key, &value), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_double),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_durations),
                cmocka_unit_test(test_signals),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
