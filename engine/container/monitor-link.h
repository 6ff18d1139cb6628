/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The daemon's end of a monitor's socket: commands with an answer each and a deadline, records, hang-up. A Container has at most one; a record
 * goes to container_handle_record(), the end of the monitor to container_handle_hangup(). */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Container Container;
typedef struct MonitorCommand MonitorCommand;
typedef struct MonitorLink MonitorLink;

#define MONITOR_SOCKET        "monitor.sock"
#define MONITOR_DEADLINE_USEC UINT64_C(8000000) /* of an answer: a hung monitor is a typed error */

/* Connects to RUNROOT/containers/ID/monitor.sock. -ENOENT, -ECONNREFUSED: no monitor there. */
int monitor_link_open(Container *c, MonitorLink **ret);
/* What was asked and not answered fails; no other callback any more. */
MonitorLink *monitor_link_free(MonitorLink *l);
DEFINE_CLEANUP(MonitorLink *, monitor_link_free);

/* r < 0: e has the monitor's words, or says that it did not answer. */
typedef void (*monitor_reply_t)(int r, const Error *e, void *userdata);

/* reply NULL: nobody waits (and for go there is none). userdata is the key to forget it with. */
int monitor_link_command(
        MonitorLink *l, const MonitorCommand *command, monitor_reply_t reply, void *userdata);
/* The same with descriptors, which stay the caller's. */
int monitor_link_command_fds(MonitorLink *l, const MonitorCommand *command, const int *fds,
        size_t n_fds, monitor_reply_t reply, void *userdata);
void monitor_link_forget(MonitorLink *l, void *userdata);

/* What the monitor has said by now is taken at once, ahead of the loop. The link, and its container, may be gone afterwards. */
void monitor_link_catch_up(MonitorLink *l);

/* All is saved: the monitor may leave. Its hang-up follows. */
void monitor_link_release(MonitorLink *l);
bool monitor_link_is_released(const MonitorLink *l);
