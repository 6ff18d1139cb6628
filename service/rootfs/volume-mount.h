/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Volumes that are mounts themselves, on the host at volumes/NAME/_data. Whoever uses one holds a shared lock of its folder for as long: the kernel
 * drops it with the process, so nobody has to be asked whether a volume is in use, whatever has crashed. A second lock, of volume.json, makes
 * mounting and unmounting one thing at a time. In the host's mount namespace only. May block as long as the file system does. */

#include "lib/api/mount-source.h"
#include "lib/base/error.h"

/* Mounts it unless it is, and gives the lock: closing it ends the use. "failed to mount local volume: mount …" as dockerd says it. */
int volume_mount_acquire(const VolumeMount *v, int *ret_lock_fd, Error *reterr);

/* Unmounts it if nobody uses it. 1: it was, 0: it is used, or not mounted. */
int volume_mount_release(int volumes_fd, const char *name);

/* Whatever is mounted below the folders of trash_fd goes; before they are removed. */
void volume_mount_clear_trash(int trash_fd);

/* Words for mount(8) as flags and the rest for the file system. Pure. */
typedef struct VolumeFlags {
        unsigned long flags;       /* MS_… */
        unsigned long propagation; /* the same: a call of its own */
        char *data;
} VolumeFlags;

int volume_flags_parse(const char *options, VolumeFlags *ret);
void volume_flags_done(VolumeFlags *f);
