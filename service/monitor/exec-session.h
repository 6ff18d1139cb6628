/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The execs that the daemon asks for: an Exec with the streams of whoever started it. Its end is told to the daemon before the client's stream
 * ends, so that who looks afterwards sees the exit code. */

#include "lib/api/monitor-spec.h"
#include "lib/base/error.h"

typedef struct Monitor Monitor;

/* fds: none (detached), or the client's stream socket, which is taken, and a memfd with early input. What makes the start impossible is told to
 * the client as well. */
int exec_session_begin(Monitor *m, const MonitorCommand *c, int *fds, size_t n_fds, Error *reterr);
/* ERROR_NOT_RUNNING */
int exec_session_resize(Monitor *m, const MonitorCommand *c, Error *reterr);
