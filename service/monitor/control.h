/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The monitor's socket: one daemon at a time, a newer connection replaces the older one and is told at once where we are. A daemon that does
 * not read is dropped; it may connect again and misses nothing, for the last record says it all. */

#include <stdbool.h>

#include "lib/api/monitor-spec.h"
#include "lib/base/error.h"
#include "service/monitor/poller.h"

typedef struct Control Control;

/* Fills reterr when it answers negative. fds are closed afterwards unless it takes them: int fd = TAKE_FD(fds[0]); */
typedef int (*control_command_t)(
        const MonitorCommand *c, int *fds, size_t n_fds, void *userdata, Error *reterr);
/* The daemon came (true) or went. */
typedef void (*control_link_t)(bool linked, void *userdata);

struct Control {
        Poller *poller;
        int listen_fd;
        int fd; /* of the daemon, -EBADF: nobody there */
        Watch listen_watch;
        Watch watch;
        bool hold;     /* see control_hold() */
        bool finished; /* the daemon says no more, but hears us end */
        char *state;   /* the last state record as text */
        control_command_t on_command;
        control_link_t on_link;
        void *userdata;
};

/* Takes listen_fd. */
int control_init(Control *c, Poller *p, int listen_fd, control_command_t on_command,
        control_link_t on_link, void *userdata);
void control_done(Control *c);

/* A state record: sent now, and to every daemon that connects later. */
int control_tell(Control *c, const MonitorRecord *r);
/* From now on a daemon that shuts its side down has taken what we told; its connection stays until we end, so that it sees the end. */
void control_hold(Control *c);
/* Any other record: sent to the daemon that is there. */
void control_send(Control *c, const MonitorRecord *r);
