/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The root of the container: opened once in the parent, a detached private copy of the mount; in the child put over "/", filled, and
 * made the root of the mount namespace. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct Rootfs Rootfs;
typedef struct RuntimeSpec RuntimeSpec;

struct Rootfs {
        char *path;   /* absolute, for the state file */
        int mount_fd; /* the copy, mounted nowhere yet */
        uint64_t
                propagation; /* what "/" gets at the end: MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE */
        bool read_only;
};

int rootfs_open(
        const RuntimeSpec *spec, const char *bundle, int bundle_fd, Rootfs *ret, Error *reterr);
void rootfs_done(Rootfs *r);

/* Child, in its new mount namespace: cuts the ties to the host's mounts and puts the copy over "/". What is mounted beneath mount_fd
 * from now on is seen by nobody else. */
int rootfs_attach(Rootfs *r, Error *reterr);
/* Child: the copy becomes the root, the host's tree goes away. Without pivot_root() for hosts that run from an initramfs. */
int rootfs_enter(Rootfs *r, bool no_pivot, Error *reterr);
/* Child, when nothing more has to be made in it. */
int rootfs_make_read_only(Rootfs *r, Error *reterr);
/* Child, after it is the root: a shared one cannot become it. */
int rootfs_propagate(Rootfs *r, Error *reterr);
