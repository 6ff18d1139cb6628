/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/human.h"

#include "tests/unit/test.h"

static void test_sizes(void **state) {
        char text[HUMAN_SIZE];

        assert_string_equal(human_bytes(0, 3, text), "0B");
        assert_string_equal(human_bytes(999, 3, text), "999B");
        assert_string_equal(human_bytes(1000, 3, text), "1kB");
        assert_string_equal(human_bytes(4261550, 3, text), "4.26MB");
        assert_string_equal(human_bytes(4261550, 4, text), "4.262MB");
        assert_string_equal(human_bytes(UINT64_MAX, 3, text), "18.4EB");
        assert_string_equal(human_bytes_binary(2087354368, text), "1.944GiB");
        assert_string_equal(human_bytes_binary(UINT64_MAX, text), "16EiB");
}

static void test_durations(void **state) {
        static const struct {
                int64_t seconds;
                const char *text;
        } rows[] = {
                { -5, "Less than a second" },
                { 0, "Less than a second" },
                { 1, "1 second" },
                { 59, "59 seconds" },
                { 60, "About a minute" },
                { 150, "2 minutes" },
                { 3599, "59 minutes" },
                { 3600, "About an hour" },
                { 3600 * 3, "3 hours" },
                { 3600 * 47, "47 hours" },
                { 3600 * 24 * 5, "5 days" },
                { 3600 * 24 * 21, "3 weeks" },
                { 3600 * 24 * 90, "3 months" },
                { INT64_C(3600) * 24 * 365 * 3, "3 years" },
        };
        char text[HUMAN_SIZE];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_string_equal(human_duration(rows[i].seconds, text), rows[i].text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_durations),
        };

        return cmocka_run_group_tests_name("human", tests, NULL, NULL);
}
