/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Between the files of the monitor itself: monitor.c (its life), monitor-prepare.c (before go), monitor-command.c (what the daemon asks). */

#include "service/monitor/monitor.h"

void monitor_go(Monitor *m); /* nothing happens unless it is ready */

int monitor_load_spec(Monitor *m, const char *id, int fd);
int monitor_open_run(Monitor *m);
/* Log, mount namespace, root file system, user, bundle. */
int monitor_prepare(Monitor *m, Error *reterr);

int monitor_on_command(
        const MonitorCommand *c, int *fds, size_t n_fds, void *userdata, Error *reterr);
void monitor_on_detach(void *userdata);
