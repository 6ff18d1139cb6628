/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/platform.h"

#include "lib/base/str.h"
#include "tests/unit/test.h"

static unsigned rank(const char *wanted, const char *architecture, const char *variant) {
        Platform offered = { .os = (char *) "linux",
                .architecture = (char *) architecture,
                .variant = (char *) variant };
        Platform p = {};
        unsigned n;

        assert_int_equal(platform_wanted(wanted, &p, NULL), 0);
        n = platform_rank(&p, &offered);
        platform_done(&p);
        return n;
}

static void test_variants(void **state) {
        assert_true(rank("linux/arm/v7", "arm", "v7") > rank("linux/arm/v7", "arm", "v6"));
        assert_true(rank("linux/arm/v7", "arm", "v6") > rank("linux/arm/v7", "arm", "v5"));
        assert_true(rank("linux/arm/v7", "arm", "v5") > 0);
        assert_int_equal(rank("linux/arm/v6", "arm", "v7"), 0);
        assert_int_equal(rank("linux/arm/v6", "arm", NULL), 0); /* is v7 */
        assert_int_equal(rank("linux/arm64", "arm64", "v8"), rank("linux/arm64", "arm64", NULL));
        assert_true(rank("linux/arm64", "arm64", "v8") > rank("linux/arm64", "arm", "v7"));
        assert_true(rank("linux/arm64", "arm", "v7") > 0);
        assert_true(rank("linux/amd64", "amd64", NULL) > rank("linux/amd64", "386", NULL));
        assert_int_equal(rank("linux/amd64", "amd64", "v3"), 0);
        assert_true(rank("linux/amd64/v3", "amd64", "v2") > 0);
        assert_int_equal(rank("linux/amd64", "arm64", NULL), 0);
        assert_true(rank("linux/riscv64", "riscv64", NULL) > 0);
        assert_int_equal(rank("linux/arm/v7", "arm", "vx"), 0);
}

static void test_none(void **state) {
        Platform p = { .os = (char *) "linux", .architecture = (char *) "amd64" },
                 windows = { .os = (char *) "windows", .architecture = (char *) "amd64" },
                 empty = {};

        assert_int_equal(platform_rank(&p, &windows), 0);
        assert_int_equal(platform_rank(&p, &empty), 1); /* better than nothing */
        assert_int_equal(platform_rank(&p, NULL), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_variants),
                cmocka_unit_test(test_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
