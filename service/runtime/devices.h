/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Device nodes and links in the container's /dev. All by name beneath fds; with a user namespace, where nodes cannot be made,
 * the host's nodes are mounted instead, after it was checked what they are. */

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct Mounts Mounts;
typedef struct RuntimeDevice RuntimeDevice;
typedef struct RuntimeSpec RuntimeSpec;

#define DEVICES_MAX 4096U

/* Parent: checks the list and, with own_user_namespace, makes detached copies of the host's nodes for the child. */
typedef struct Devices {
        const RuntimeDevice *list; /* borrowed */
        size_t n_list;
        int *host_fds; /* of the default ones, then of the list; NULL: nodes are made */
} Devices;

int devices_open(const RuntimeSpec *spec, bool own_user_namespace, Devices *ret, Error *reterr);
void devices_done(Devices *d);

/* Child: into the /dev that was mounted (nothing happens when /dev came from the host). */
int devices_make(Devices *d, Mounts *m, Error *reterr);

/* O_PATH fd of the null device: c 1:3, else -ENODEV. dev_fd may be -EBADF. */
int device_open_null(int root_fd, int dev_fd);
