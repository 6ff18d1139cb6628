/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Steps of launch() that are about namespaces which count for children only (pid, time): the parent goes in before the clone and
 * comes back after it, so that what it starts later (hooks) is at home. */

#include "service/runtime/launch.h"

/* Parent: the host's procfs, for a child that joins a pid namespace at its end. */
int launch_open_proc(Launch *l, Error *reterr);
/* Parent: from here on l->pid is the process that is in the joined pid namespace; the one that made it is reaped. */
int launch_receive_born(Launch *l, Error *reterr);

int launch_enter_for_children(Launch *l, Error *reterr);
int launch_leave_for_children(Launch *l, Error *reterr);

/* In a user namespace the child may not lower or set its own score; the parent does. */
int launch_write_oom_score(Launch *l, Error *reterr);
