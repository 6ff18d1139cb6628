/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One more process in a container that runs (`exec`). Checked and opened here, in the caller's view of the world, before there is a child.
 *
 * Two processes follow. The first is still in our pid namespace, where the container cannot see it: it joins the other namespaces
 * of the container's first process by that one's pidfd, lets go of everything of the host, and changes the user. The second is
 * born in the container's pid namespace with nothing open but its streams and a socket to us and no right that the program
 * will not have (CVE-2016-9962, rule R4), as our child; it waits for our word and becomes the program. */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/macro.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/process.h"
#include "service/runtime/seccomp.h"
#include "service/runtime/state.h"

typedef struct Enter Enter;
typedef struct EnterOptions EnterOptions;
typedef struct Error Error;

struct EnterOptions {
        const char *root;
        const char *id;
        const char *
                process; /* file with the whole process; NULL: that of the container with what follows changed */
        char **args;      /* borrowed; empty: those of the file */
        const char *cwd;  /* NULL: as the container's */
        const char *user; /* UID[:GID] */
        const char *apparmor;
        const char *label;
        const char *cgroup; /* below the container's own; must exist. NULL: the container's own */
        const char *console_socket;
        const char *pid_file;
        char **env;          /* added */
        char **capabilities; /* added */
        char **groups;       /* supplementary gids */
        unsigned preserve_fds;
        bool tty;
        bool no_new_privileges;
        bool ignore_paused; /* and wait until somebody thaws it */
        bool detach;
};

struct Enter {
        const EnterOptions *options;
        int root_fd; /* the state root */
        State state;
        RuntimeSpec spec; /* of the container; its process is the one to be */
        Process process;
        SeccompFilter seccomp;
        int namespaces;             /* CLONE_NEW* to join */
        int init_fd;                /* pidfd of the container's first process */
        int cgroup_fd;              /* -EBADF: the container has none of its own */
        int console_fd;             /* the child sends the terminal's master here */
        int console_parent_fd;      /* in the foreground we get it here */
        int sync_fd, child_sync_fd; /* to the first process: its errors, or the pid of the second */
        int go_fd,
                child_go_fd; /* to the second: its errors; the end of the file when the program runs */
        int pidfd;
        pid_t pid;     /* of the second, in our pid namespace */
        bool filtered; /* first process: nothing of process_restrict() is left to do */
        sigset_t child_mask;
};

#define ENTER_NONE                                                                                 \
        (Enter) {                                                                                  \
                .root_fd = -EBADF, .state.dir_fd = -EBADF, .init_fd = -EBADF, .cgroup_fd = -EBADF, \
                .console_fd = -EBADF, .console_parent_fd = -EBADF, .sync_fd = -EBADF,              \
                .child_sync_fd = -EBADF, .go_fd = -EBADF, .child_go_fd = -EBADF, .pidfd = -EBADF   \
        }

/* Up to the point where only the program itself is missing. */
int enter(Enter *e, const EnterOptions *options, Error *reterr);
/* Lets the child execute, and waits until it has. */
int enter_go(Enter *e, Error *reterr);
/* Kills and reaps what enter() has made. */
void enter_undo(Enter *e);
void enter_done(Enter *e);

/* enter-child.c: runs in the first of the new processes and ends it. */
_noreturn_ void enter_child_main(Enter *e);
