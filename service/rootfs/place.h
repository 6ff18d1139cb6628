/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Parts of volumes and images. A path that a container may have had its hands in is resolved by the kernel beneath the root, and what comes out is pinned
 * by a descriptor and copied as a mount: no link and no race leads out of it. In a mount namespace of our own (rootfs_unshare()). */

#include "lib/api/mount-source.h"
#include "lib/base/error.h"

/* The mount, attached nowhere yet, and whether it is a folder. An image is mounted below scratch_dir, which is made: a name of its own for each. */
int place_make(const PlacedMount *p, const char *scratch_dir, int *ret_mount_fd,
        bool *ret_is_folder, Error *reterr);

/* The same, shown at p->path, which is made. */
int place_show(const PlacedMount *p, const char *scratch_dir, Error *reterr);
