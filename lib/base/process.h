/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Processes: started by exec with an exact list of fds (rule R4), held by pidfd. Spawning uses
 * vfork semantics, so its cost does not grow with our memory, and a failed exec is an error of
 * the call, not an exit status. */

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct ProcessFd ProcessFd;
typedef struct ProcessSpec ProcessSpec;

struct ProcessFd {
        int fd;     /* ours */
        int target; /* its number in the child */
};

/* Everything is borrowed for the call. The child has exactly the fds named here; 0, 1 and 2 are
 * /dev/null when not named. Signals are all at their defaults and unblocked. */
struct ProcessSpec {
        const char *path; /* absolute; not searched */
        int exec_fd;      /* > 0: this file is executed instead of path */
        char *const *argv;
        char *const *env; /* NULL: an empty environment */
        const ProcessFd *fds;
        size_t n_fds;         /* at most PROCESS_FDS_MAX; targets differ */
        int dir_fd;           /* > 0: working folder; else "/" */
        bool keep_dir;        /* our own working folder is kept */
        bool new_session;     /* setsid() */
        int death_signal;     /* PR_SET_PDEATHSIG of our thread, 0: none */
        int oom_score_adjust; /* set when set_oom_score */
        bool set_oom_score;
};

#define PROCESS_FDS_MAX 64U

/* ret_pidfd may be NULL. Negative errno also when the exec failed (then no child is left). */
int process_spawn(const ProcessSpec *spec, pid_t *ret_pid, int *ret_pidfd);

int process_pidfd_open(pid_t pid);
int process_pidfd_pid(int pidfd, pid_t *ret); /* from /proc/self/fdinfo; -ESRCH when it is gone */
int process_kill(int pidfd, int sig);         /* pidfd_send_signal() */
int process_is_alive(int pidfd); /* 1, 0; works for processes that are not our children */

/* Reaps a child: 1 with *ret set, 0 when the time is over (UINT64_MAX: waits for ever, 0: only
 * looks). */
int process_wait(int pidfd, uint64_t timeout_usec, siginfo_t *ret);
/* As a shell says it: exit code, or 128 + signal. */
int process_exit_code(const siginfo_t *si) _pure_;

/* Start time in clock ticks since boot: a pid with its start time is a name that is not used
 * twice. */
int process_start_time(pid_t pid, uint64_t *ret);
int process_name(pid_t pid, char **ret); /* comm */

/* Runs and waits. Output of fds 1 and 2 (whichever the spec does not name), up to max bytes,
 * NUL-terminated. The exit code as process_exit_code(); -ETIMEDOUT after the deadline, the child
 * killed and reaped. */
int process_run(const ProcessSpec *spec, uint64_t timeout_usec, size_t max, char **ret_output);

/* "SIGTERM", "SIGRTMIN+3"; NULL for a number that is no signal. The text of an RT signal lives
 * until the next call. */
const char *signal_to_string(int sig);
int signal_ignore(int sig); /* SIGPIPE, mostly */
