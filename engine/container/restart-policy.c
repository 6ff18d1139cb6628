/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/restart-policy.h"

#include <signal.h>

#include "lib/api/container-spec.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

#define LONG_RUN_NSEC (10 * NSEC_PER_SEC)

bool restart_policy_is_none(const RestartPolicy *p) {
        return str_empty(p->name) || streq(p->name, "no");
}

bool restart_policy_wants(
        const RestartPolicy *p, int64_t exit_code, int64_t restart_count, bool manually_stopped) {
        if (str_equal(p->name, "always"))
                return true;
        if (str_equal(p->name, "unless-stopped"))
                return !manually_stopped;
        if (str_equal(p->name, "on-failure"))
                return exit_code != 0 &&
                       (p->maximum_retry_count == 0 || restart_count < p->maximum_retry_count);
        return false;
}

uint64_t restart_policy_pause(uint64_t last_usec, int64_t ran_nsec) {
        if (last_usec == 0 || ran_nsec >= (int64_t) LONG_RUN_NSEC)
                return RESTART_PAUSE_MIN_USEC;
        return last_usec >= RESTART_PAUSE_MAX_USEC / 2 ? RESTART_PAUSE_MAX_USEC : 2 * last_usec;
}

bool restart_policy_is_cancelled_by(int signal, int stop_signal) {
        return stop_signal == 0 || signal == stop_signal || signal == SIGKILL;
}
