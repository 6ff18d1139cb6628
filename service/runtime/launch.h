/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Making a container. Everything that config.json names is checked and opened here, in the parent, before there is a child; the clone
 * copies the Launch, and the child works off its steps (child.c) with what lies ready. Undone backwards when a step fails.
 *
 * A pid namespace that is joined belongs to others, who may look into whoever comes. The child is then born in ours, where they do
 * not see it, and makes the process that joins (process_birth()) when nothing is left to do but to execute the program. */

#include <stdbool.h>
#include <signal.h>
#include <sys/types.h>

#include "lib/base/macro.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/cgroup.h"
#include "service/runtime/devices.h"
#include "service/runtime/mounts.h"
#include "service/runtime/namespaces.h"
#include "service/runtime/process.h"
#include "service/runtime/rootfs.h"
#include "service/runtime/seccomp.h"
#include "service/runtime/state.h"

typedef struct Error Error;
typedef struct Launch Launch;
typedef struct LaunchOptions LaunchOptions;

#define SPEC_SIZE_MAX ((size_t) 4 * 1024 * 1024)

struct LaunchOptions {
        const char *id;
        const char *bundle; /* NULL: the working folder */
        const char *config; /* NULL: config.json of the bundle */
        const char *console_socket;
        const char *pid_file;
        unsigned preserve_fds; /* 3 … 3+n-1 go to the container */
        unsigned listen_fds;   /* of these, so many are sockets of socket activation */
        bool no_pivot;
        bool no_new_keyring;
        bool run; /* execute at once instead of waiting for `start` */
        bool detach;
        const CgroupManager *manager;
        const char *root;
};

struct Launch {
        const LaunchOptions *options;
        int root_fd; /* the state root */
        int bundle_fd;
        char *bundle; /* absolute */
        RuntimeSpec spec;
        State state;
        Rootfs rootfs;
        Mounts mounts;
        Devices devices;
        Namespaces namespaces;
        Process process;
        SeccompFilter seccomp;
        Cgroup cgroup;
        int console_fd;        /* the child sends the terminal's master here */
        int console_parent_fd; /* `run` in the foreground gets it here */
        int listen_fd;         /* the child waits for `start` here */
        int host_proc_fd; /* the host's /proc, when the child is not in the pid namespace of the container's */
        int sync_fd; /* parent's end */
        int child_sync_fd;
        int pidfd;
        pid_t pid;
        bool filtered;       /* child: nothing of process_restrict() is left to do */
        sigset_t child_mask; /* what the container's signals are blocked like */
};

#define LAUNCH_NONE                                                                   \
        (Launch) {                                                                    \
                .root_fd = -EBADF, .bundle_fd = -EBADF, .state.dir_fd = -EBADF,       \
                .rootfs.mount_fd = -EBADF, .cgroup.fd = -EBADF, .console_fd = -EBADF, \
                .console_parent_fd = -EBADF, .listen_fd = -EBADF, .sync_fd = -EBADF,  \
                .child_sync_fd = -EBADF, .pidfd = -EBADF, .host_proc_fd = -EBADF      \
        }

/* Up to the point where only the program itself is missing. The State is saved. */
int launch(Launch *l, const LaunchOptions *options, Error *reterr);
/* `run`: lets the child execute, and waits until it has. */
int launch_go(Launch *l, Error *reterr);
/* Kills what was made and removes it all. */
void launch_undo(Launch *l);
void launch_done(Launch *l);

/* child.c: runs in the new process and ends it. */
_noreturn_ void child_main(Launch *l);
