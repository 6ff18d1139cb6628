/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <signal.h>

#include "engine/container/restart-policy.h"
#include "lib/api/container-spec.h"
#include "lib/base/clock.h"

static void test_wants(void **state) {
        static const struct {
                const char *name;
                int max;
                int64_t code, count;
                bool stopped, wants;
        } table[] = {
                { NULL, 0, 1, 0, false, false },
                { "", 0, 1, 0, false, false },
                { "no", 0, 1, 0, false, false },
                { "always", 0, 0, 0, false, true },
                { "always", 0, 0, 1000, true, true },
                { "unless-stopped", 0, 0, 5, false, true },
                { "unless-stopped", 0, 1, 0, true, false },
                { "on-failure", 0, 0, 0, false, false },
                { "on-failure", 0, 1, 100000, false, true },
                { "on-failure", 3, 1, 2, true, true },
                { "on-failure", 3, 1, 3, false, false },
                { "on-failure", 3, 0, 0, false, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                RestartPolicy p = { .name = (char *) table[i].name,
                        .maximum_retry_count = table[i].max };

                assert_int_equal(
                        restart_policy_wants(&p, table[i].code, table[i].count, table[i].stopped),
                        table[i].wants);
                assert_int_equal(restart_policy_is_none(&p), i < 3);
        }
}

static void test_pause(void **state) {
        uint64_t pause = 0;

        for (unsigned i = 0; i < 10; i++) {
                pause = restart_policy_pause(pause, 0);
                assert_int_equal(pause, RESTART_PAUSE_MIN_USEC << i);
        }
        assert_int_equal(restart_policy_pause(pause, 0), RESTART_PAUSE_MAX_USEC);
        assert_int_equal(restart_policy_pause(RESTART_PAUSE_MAX_USEC, 0), RESTART_PAUSE_MAX_USEC);
        assert_int_equal(restart_policy_pause(RESTART_PAUSE_MAX_USEC, 10 * NSEC_PER_SEC - 1),
                RESTART_PAUSE_MAX_USEC);
        assert_int_equal(restart_policy_pause(RESTART_PAUSE_MAX_USEC, 10 * NSEC_PER_SEC),
                RESTART_PAUSE_MIN_USEC);
}

static void test_cancel(void **state) {
        assert_true(restart_policy_is_cancelled_by(SIGHUP, 0));
        assert_true(restart_policy_is_cancelled_by(SIGTERM, SIGTERM));
        assert_true(restart_policy_is_cancelled_by(SIGKILL, SIGTERM));
        assert_false(restart_policy_is_cancelled_by(SIGHUP, SIGTERM));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_wants),
                cmocka_unit_test(test_pause),
                cmocka_unit_test(test_cancel),
        };

        return cmocka_run_group_tests_name("engine/container/restart-policy", tests, NULL, NULL);
}
