/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The OCI runtime, called as a program: ours, crun and runc share the command line. Each call is a child of the monitor, reaped by
 * monitor.c; nothing waits here. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/api/monitor-spec.h"

/* Our own runtime executed from a read-only copy of its mount has met rule R5 of security.md already and need not copy itself. A
 * descriptor for exec_fd, or negative: then it is executed by its name, as every other runtime. In our own mount namespace only. */
int runtime_open(const MonitorSpec *s);

/* `run --detach`: create and start in one exec. The container inherits stdio_fds as its 0, 1 and 2. */
/* With a terminal its master is sent to RUN_DIR/CONSOLE_NAME. */
#define CONSOLE_NAME "console.sock"
int runtime_run(const MonitorSpec *s, int exec_fd, const int stdio_fds[static 3], pid_t *ret_pid);

/* `exec --detach`, with the files NAME + suffix in run_dir. cgroup: below the container's, or NULL. console: name of the socket in run_dir for its
 * terminal, or NULL. */
int runtime_exec(const MonitorSpec *s, int exec_fd, const char *name, const char *cgroup,
        const char *console, const int stdio_fds[static 3], pid_t *ret_pid);
#define RUNTIME_EXEC_PROCESS ".json"
#define RUNTIME_EXEC_PID     ".pid"
#define RUNTIME_EXEC_LOG     ".log"
/* The console socket of an exec: a name short enough for the path of a socket. */
#define RUNTIME_CONSOLE_NAME_SIZE 16
void runtime_console_name(const char *exec_id, char ret[static RUNTIME_CONSOLE_NAME_SIZE]);

/* `delete --force`: also what a failed run left. */
int runtime_delete(const MonitorSpec *s, int exec_fd, pid_t *ret_pid);

/* What an earlier run of the same container left in run_dir. */
void runtime_forget(int run_fd);

/* The pid of the process, after a run or exec that ended well. name NULL: the file of run. */
int runtime_read_pid(int run_fd, const char *name, pid_t *ret);

/* What a failed run or exec said; NULL when it said nothing. */
int runtime_read_error(int run_fd, const char *name, char **ret);
