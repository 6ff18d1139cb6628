/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Moving a process to another cgroup makes all forks of the machine stand aside, and the kernel first waits until every CPU knows
 * (percpu_rwsem: a grace period of RCU, 8 ms and more) unless that was done a moment ago. systemd does it for every scope. So when the
 * daemon sees a start coming, a child of the launcher moves itself to the cgroup it is in: nothing changes, and the wait is
 * over, or at least begun, when systemd's turn comes. */

#include <stdint.h>
#include <sys/types.h>

typedef struct Wake {
        int procs_fd;        /* cgroup.procs of our own cgroup; -1: there is no cgroup v2 */
        pid_t pid;           /* the child that is at it; 0: none */
        uint64_t ended_msec; /* CLOCK_MONOTONIC, when the last one was through */
} Wake;

/* min_fd: the descriptor's number is at least that. */
void wake_init(Wake *w, int min_fd);
void wake_cgroups(Wake *w);
void wake_reaped(Wake *w, pid_t pid);
