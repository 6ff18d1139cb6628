/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The Monitor is the life of one run of one container: prepared, ready, started, exited. One per process, owned by main(). It needs the daemon
 * only for the word "go"; afterwards the daemon may come and go as it likes. */

#include <signal.h>
#include <sys/types.h>

#include "lib/api/monitor-spec.h"
#include "lib/base/list.h"
#include "service/monitor/bundle.h"
#include "service/monitor/cgroup.h"
#include "service/monitor/control.h"
#include "service/monitor/health.h"
#include "service/monitor/poller.h"
#include "service/monitor/container-stdio.h"

#define MONITOR_REAPED_MAX 32u

typedef struct Monitor Monitor;

typedef enum MonitorState {
        MONITOR_STATE_PREPARING,
        MONITOR_STATE_READY,    /* waits for go */
        MONITOR_STATE_STARTING, /* the runtime works */
        MONITOR_STATE_RUNNING,
        MONITOR_STATE_ENDING, /* first process gone; the rest of exit.h */
        MONITOR_STATE_OVER, /* told; waits for the runtime's delete and for the daemon to take it */
} MonitorState;

struct Monitor {
        MonitorSpec spec;
        MonitorState state;
        MonitorRecord record; /* the last state record */
        Poller poller;
        Control control;
        Stdio stdio;
        Bundle bundle;
        ContainerCgroup cgroup;
        int run_fd, bundle_fd, root_fd, signal_fd;
        int runtime_fd;  /* runtime_open(); negative: by its name */
        int *volume_fds; /* the locks of spec.volumes */
        size_t n_volume_fds;
        int console_fd; /* with a terminal: where the runtime sends it */
        Watch signal_watch, cgroup_watch, memory_watch;
        Health health;
        List execs;          /* Exec, oldest first */
        bool home_added;     /* HOME in the container's environment is that of its user */
        Timer deadline;      /* of the state we are in */
        Timer stop_timer;    /* after the stop signal */
        pid_t runtime_pid;   /* the call under way: run or delete; 0: none */
        bool runtime_called; /* there may be something to delete */
        pid_t pid;           /* the container's first process; 0: none (any more) */
        int pidfd;
        bool was_linked;   /* some daemon was there once */
        bool stopping;     /* somebody asked us to end the container */
        bool clients_done; /* what they had to get they got */
        bool unsaved; /* the end is in no exit file: only we know of it until a daemon takes it */
        uint64_t n_oom_kills;
        siginfo_t reaped
                [MONITOR_REAPED_MAX]; /* while a runtime works: what it started may be over before it says so */
        size_t n_reaped;
};

/* spec_fd and listen_fd are taken. From here on every failure is told by the exit file and to the daemon. */
int monitor_init(Monitor *m, const char *id, int spec_fd, int listen_fd);
int monitor_run(Monitor *m);
void monitor_done(Monitor *m);

/* Ends the container by its stop signal, then KILL. everybody: systemd has sent TERM to all in the scope. */
void monitor_stop(Monitor *m, bool everybody);
/* How a process ended of which its runtime tells only now; NULL: it has not. */
const siginfo_t *monitor_reaped_early(const Monitor *m, pid_t pid);

/* The container uses its volumes no more; before that it has ended is told. */
void monitor_leave_volumes(Monitor *m);

/* Called by exit.c when everything has been told. */
void monitor_ended(Monitor *m);

/* Log lines with the container's fields. */
int monitor_log(const Monitor *m, int level, int r, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
