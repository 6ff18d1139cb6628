/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The container's root file system, mounted in a mount namespace of the process's own: it never appears on the host and dies with the
 * monitor and the container (or with the worker that looks into it), so nothing can be busy or leak. */

#include "lib/api/monitor-spec.h"

/* A mount namespace that sees what the host mounts later, but not the other way round. Without root a user namespace comes with it in which
 * our own user is root: enough for bind mounts and for a plain process (how the tests run as any user). */
int rootfs_unshare(Error *reterr);

/* Mounts m at bundle_dir/rootfs and opens it; the folder is made. */
int rootfs_mount(
        const MountSpec *m, const char *bundle_dir, int bundle_fd, int *ret_root_fd, Error *reterr);

/* Best effort: a mount that is still used goes when its last user goes. */
void rootfs_unmount(const char *bundle_dir);
