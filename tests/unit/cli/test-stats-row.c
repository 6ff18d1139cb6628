/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/stats-row.h"

#include <string.h>

#include "lib/json/json.h"
#include "tests/unit/test.h"

static Json *row_of(const char *text) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *row;

        assert_ok(json_parse(text, strlen(text), 65536, &v, NULL));
        assert_ok(stats_row_make(v, "asked", /* no_trunc= */ false, &row));
        return row;
}

static void test_figures(void **state) {
        _cleanup_(json_unrefp) Json *row = row_of(
                "{\"id\":\"0123456789abcdef\",\"name\":\"/ship\",\"pids_stats\":{\"current\":3},"
                "\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":300},\"system_cpu_usage\":2000,"
                "\"online_cpus\":2},"
                "\"precpu_stats\":{\"cpu_usage\":{\"total_usage\":100},\"system_cpu_usage\":1000},"
                "\"memory_stats\":{\"usage\":2097152,\"limit\":4194304,\"stats\":{\"inactive_"
                "file\":1048576}},"
                "\"networks\":{\"eth0\":{\"rx_bytes\":1000,\"tx_bytes\":2000},\"eth1\":{\"rx_"
                "bytes\":500,\"tx_bytes\":0}},"
                "\"blkio_stats\":{\"io_service_bytes_recursive\":[{\"op\":\"read\",\"value\":4096},"
                "{\"op\":\"Write\",\"value\":1}]}}");

        assert_string_equal(json_get_text(row, "CPUPerc"), "40.00%");
        assert_string_equal(json_get_text(row, "MemUsage"), "1MiB / 4MiB");
        assert_string_equal(json_get_text(row, "MemPerc"), "25.00%");
        assert_string_equal(json_get_text(row, "NetIO"), "1.5kB / 2kB");
        assert_string_equal(json_get_text(row, "BlockIO"), "4.1kB / 1B");
        assert_string_equal(json_get_text(row, "PIDs"), "3");
        assert_string_equal(json_get_text(row, "ID"), "0123456789ab");
        assert_string_equal(json_get_text(row, "Name"), "ship");
        assert_string_equal(json_get_text(row, "Container"), "asked");
}

/* A stopped container's sample has no figures, and the first one has none from before. */
static void test_nothing(void **state) {
        _cleanup_(json_unrefp) Json *row = row_of("{\"id\":\"x\",\"name\":\"/y\"}"), *none = NULL;

        assert_string_equal(json_get_text(row, "CPUPerc"), "0.00%");
        assert_string_equal(json_get_text(row, "MemUsage"), "0B / 0B");
        assert_ok(stats_row_make(NULL, "asked", false, &none));
        assert_string_equal(json_get_text(none, "CPUPerc"), "--");
        assert_string_equal(json_get_text(none, "NetIO"), "-- / --");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_figures),
                cmocka_unit_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
