/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/clock.h"

#include <errno.h>

#include "tests/unit/test.h"

static void test_round(void **state) {
        static const struct {
                const char *text;
                int64_t ns;
        } rows[] = {
                { "1970-01-01T00:00:00Z", 0 },
                { "1969-12-31T23:59:59.999999999Z", -1 },
                { "2026-03-01T12:00:00.1Z", INT64_C(1772366400100000000) },
                { "2024-02-29T23:59:59Z", INT64_C(1709251199) * NSEC_PER_SEC },
                { "2262-01-01T00:00:00Z", INT64_C(9214646400) * NSEC_PER_SEC },
                { "0001-01-01T00:00:00Z", CLOCK_NEVER },
                { "1700-03-01T00:00:00.000000001Z", INT64_C(-8515238400) * NSEC_PER_SEC + 1 },
        };
        char text[CLOCK_TEXT_SIZE];
        int64_t ns;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                assert_string_equal(clock_format(rows[i].ns, text), rows[i].text);
                if (i == 4)
                        assert_int_equal(clock_parse(rows[i].text, &ns), -ERANGE);
                else {
                        assert_ok(clock_parse(rows[i].text, &ns));
                        assert_true(ns == rows[i].ns);
                }
        }
        assert_string_equal(clock_format_fixed(100, text), "1970-01-01T00:00:00.000000100Z");
        assert_string_equal(clock_format(INT64_MAX, text), "2262-04-11T23:47:16.854775807Z");
        assert_string_equal(clock_format(INT64_MIN + 1, text), "1677-09-21T00:12:43.145224193Z");
}

static void test_zone(void **state) {
        int64_t a, b;

        assert_ok(clock_parse("2026-03-01T12:00:00+05:30", &a));
        assert_ok(clock_parse("2026-03-01T06:30:00Z", &b));
        assert_true(a == b);
}

static void test_wrong(void **state) {
        static const char *const rows[] = { "", "2026", "2026-03-01", "2026-03-01T12:00:00",
                "2026-03-01T12:00Z", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z",
                "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "2026-03-01T12:00:00.Z",
                "2026-03-01 12:00:00Z", "2026-03-01T12:00:00ZZ", "2026-03-01T12:00:00+5:30",
                "+026-03-01T12:00:00Z" };
        int64_t ns;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(clock_parse(rows[i], &ns), -EINVAL);
        assert_int_equal(clock_parse("9999-03-01T12:00:00Z", &ns), -ERANGE);
        assert_int_equal(clock_parse(NULL, &ns), -EINVAL);
}

static void test_point(void **state) {
        int64_t now = 1000 * NSEC_PER_SEC, ns;

        assert_ok(clock_parse_point("10m", now, &ns));
        assert_true(ns == 400 * NSEC_PER_SEC);
        assert_ok(clock_parse_point("1136073845.000000001", now, &ns));
        assert_true(ns == INT64_C(1136073845000000001));
        assert_ok(clock_parse_point("5", now, &ns));
        assert_true(ns == 5 * NSEC_PER_SEC);
        assert_ok(clock_parse_point("2006-01-02", now, &ns));
        assert_true(ns == INT64_C(1136160000) * NSEC_PER_SEC);
        assert_ok(clock_parse_point("2006-01-02T15:04", now, &ns));
        assert_true(ns == INT64_C(1136214240) * NSEC_PER_SEC);
        assert_ok(clock_parse_point("2006-01-02Z", now, &ns));
        assert_int_equal(clock_parse_point("soon", now, &ns), -EINVAL);
        assert_int_equal(clock_parse_point("5.x", now, &ns), -EINVAL);
        assert_int_equal(clock_parse_point("9999999999999", now, &ns), -ERANGE);
}

static void test_clocks(void **state) {
        uint64_t a = clock_monotonic_us();

        assert_true(clock_monotonic_us() >= a);
        assert_true(clock_boottime_us() >= a);
        assert_true(clock_realtime_ns() > INT64_C(1600000000) * NSEC_PER_SEC);
        assert_true(usec_add(USEC_INFINITE - 1, 5) == USEC_INFINITE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round),
                cmocka_unit_test(test_zone),
                cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_point),
                cmocka_unit_test(test_clocks),
        };

        return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
