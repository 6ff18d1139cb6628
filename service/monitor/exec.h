/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One more process in the container, by the OCI runtime's exec. Its streams are the business of whoever asks: the daemon (exec-session.c), or the health
 * check. An Exec belongs to its asker until it has ended; those of the daemon are kept on, so that a daemon that connects later is told
 * how they ended. */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/api/exec-spec.h"
#include "lib/base/error.h"
#include "lib/base/list.h"
#include "service/monitor/poller.h"

typedef struct Exec Exec;
typedef struct Monitor Monitor;

#define EXECS_MAX       1024u /* that run */
#define EXECS_ENDED_MAX 64u   /* that are remembered */

struct Exec {
        ListNode node; /* in the monitor */
        Monitor *monitor;
        char *id;
        ExecSpec spec;
        bool probe; /* of the health check */
        bool ended;
        bool heard;        /* a daemon has been told of its end */
        pid_t runtime_pid; /* the call under way; 0: none */
        Timer deadline;    /* of that call */
        unsigned n_ticks;
        bool overdue;
        pid_t pid; /* 0: not (any more) */
        int pidfd;
        int exit_code;
        uint64_t started_at, ended_at; /* nsec since the epoch; 0: not yet */
        char *error;                   /* why it could not be started */
        void (*on_started)(Exec *x);
        void (*on_ended)(Exec *x);  /* once, also when it could not be started; may free it */
        void (*on_forget)(Exec *x); /* it is freed: its userdata goes, too; or NULL */
        void *userdata;
};

/* Takes the contents of spec (left empty). id is copied. */
int exec_new(Monitor *m, const char *id, ExecSpec *spec, Exec **ret);
Exec *exec_free(Exec *x);

/* Begins. capabilities: all that it gets, or NULL: the container's. cgroup: a folder below the container's, or NULL. stdio_fds stay the
 * caller's. What follows is told by the callbacks; negative: nothing has begun, reterr is filled. */
int exec_start(Exec *x, char *const *capabilities, const char *cgroup,
        const int stdio_fds[static 3], Error *reterr);
int exec_kill(Exec *x, int sig);
Exec *exec_find(Monitor *m, const char *id);

/* Whether one of the daemon's may begin. */
int execs_check(Monitor *m, const char *id, const ExecSpec *spec, Error *reterr);
/* The oldest that have ended, and whose clients have got everything, are forgotten. */
void execs_forget_old(Monitor *m);

/* A child of ours has ended: true when it was one of an exec. */
bool execs_on_reaped(Monitor *m, const siginfo_t *si);
/* Some runtime has not said yet which process it started. */
bool execs_are_starting(const Monitor *m);
/* Tells a daemon that connects of all. */
void execs_tell(Monitor *m);
void execs_done(Monitor *m);

/* Records of an exec. */
void exec_tell(Exec *x);
