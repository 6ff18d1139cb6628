/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Namespaces of other containers that this one joins. */

#include "lib/api/monitor-spec.h"
#include "lib/base/error.h"

/* Makes sure that the numbers are still those containers' first processes (by their cgroup; the runtime opens the namespaces by these
 * numbers right after), and mounts the /dev/shm of another one where the bundle wants it. Our mount namespace must be our own. */
int join_prepare(const MonitorSpec *s, Error *reterr);
void join_done(const MonitorSpec *s); /* unmounts */
