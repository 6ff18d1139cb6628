/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* When a container starts again by itself, and after which pause; Docker's rules. Pure. */

#include <stdbool.h>
#include <stdint.h>

typedef struct RestartPolicy RestartPolicy;

#define RESTART_PAUSE_MIN_USEC UINT64_C(100000)
#define RESTART_PAUSE_MAX_USEC UINT64_C(60000000)

bool restart_policy_is_none(const RestartPolicy *p);

/* An exit: does it go on? restart_count: automatic restarts since somebody started it. manually_stopped: somebody sent it a signal since
 * then, which only unless-stopped minds here. */
bool restart_policy_wants(
        const RestartPolicy *p, int64_t exit_code, int64_t restart_count, bool manually_stopped);

/* The pause before the next start. last_usec: the one before, 0 for the first. One that ran for ten seconds begins anew. */
uint64_t restart_policy_pause(uint64_t last_usec, int64_t ran_nsec);

/* Whether a signal from outside ends the policy until the next start. stop_signal: the container's own, 0 when it names none: then any
 * signal does. */
bool restart_policy_is_cancelled_by(int signal, int stop_signal);
