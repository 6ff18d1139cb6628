/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Child is a process with its pidfd in the loop and, if wished, a channel to it: started by
 * us, or started by the launcher and handed over as pid and pidfd. Its records are all delivered
 * before its exit. */

#include <signal.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct Child Child;
typedef struct ChildOps ChildOps;
typedef struct Json Json;
typedef struct sd_event sd_event;
typedef struct ProcessSpec ProcessSpec;

#define CHILD_CHANNEL_FD 3 /* the child's end */

struct ChildOps {
        const char *name; /* describes the sources */
        /* As channel_record_t. NULL: records are refused. */
        int (*on_record)(Child *c, Json *record, int *fds, size_t n_fds, void *userdata);
        /* Once, the last call: si is the exit; for a process that is not our child si_code is 0
         * (somebody else reaped it, how it ended is not known). The Child may be freed in here,
         * and in on_record. */
        void (*on_exit)(Child *c, const siginfo_t *si, void *userdata);
};

/* Starts it. with_channel: a socket pair, the other end is the child's fd 3 (spec->fds must not
 * name 3). ops must stay valid. */
int child_spawn(sd_event *e, const ProcessSpec *spec, bool with_channel, const ChildOps *ops,
        void *userdata, Child **ret);
/* One that runs already. Takes pidfd and channel_fd (or -EBADF) in any case. */
int child_adopt(sd_event *e, pid_t pid, int pidfd, int channel_fd, const ChildOps *ops,
        void *userdata, Child **ret);

/* Forgets it: no callback any more. A child of ours that still runs is killed and reaped, an
 * adopted one is left alone. */
Child *child_free(Child *c);
DEFINE_CLEANUP(Child *, child_free);

int child_send(Child *c, const Json *record, const int *fds,
        size_t n_fds);             /* -ENOTCONN without a channel */
int child_kill(Child *c, int sig); /* -ESRCH after the exit */
/* SIGTERM now, SIGKILL after grace_usec. Again: only shortens the time. */
int child_terminate(Child *c, uint64_t grace_usec);
pid_t child_pid(const Child *c) _pure_;
int child_pidfd(const Child *c) _pure_; /* borrowed */
