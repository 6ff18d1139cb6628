/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The cgroups below the container's scope: supervisor/ holds the monitor and the runtime while it works, container/ holds the container and
 * nothing else, so that its figures are the container's alone. systemd owns the scope, which was delegated to us. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

typedef struct ContainerCgroup {
        char *path; /* "/machine.slice/docker-ID.scope/container", for the runtime; NULL: not in a scope */
        int fd;        /* the folder of container/ */
        int events_fd; /* its cgroup.events, made ready by the kernel when it changes */
        int memory_fd; /* its memory.events, -EBADF without that controller */
} ContainerCgroup;

#define CONTAINER_CGROUP_NONE                                          \
        (ContainerCgroup) {                                            \
                .fd = -EBADF, .events_fd = -EBADF, .memory_fd = -EBADF \
        }

/* Finds the cgroup we are in. When it is the scope docker-ID.scope, makes both folders, moves us to supervisor/ and hands on the
 * controllers. Any other cgroup is left alone and gives 0 with path NULL: systemd has moved us into a scope unless it is a test's fake, so
 * nothing is limited and nothing is counted then. 1: done. */
int container_cgroup_open(const char *id, ContainerCgroup *ret, Error *reterr);
void container_cgroup_done(ContainerCgroup *c);

int container_cgroup_is_populated(const ContainerCgroup *c); /* 1, 0; also re-arms events_fd */
/* Of what runs inside; < 0: none. */
int container_cgroup_limit_tasks(ContainerCgroup *c, int64_t limit);
int container_cgroup_kill(const ContainerCgroup *c); /* SIGKILL to all, at once */
int container_cgroup_signal(
        const ContainerCgroup *c, int sig); /* any signal, to all that are there */
uint64_t container_cgroup_oom_kills(
        const ContainerCgroup *c); /* also re-arms memory_fd; UINT64_MAX: unknown */

/* Pure: the v2 path in the text of /proc/self/cgroup ("0::/x"), -ENOENT when there is none. */
int cgroup_parse_own(const char *text, char **ret);
bool cgroup_is_scope_of(const char *path, const char *id);
