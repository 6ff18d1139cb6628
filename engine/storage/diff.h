/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What one layer changes in those below it, for every driver alike: overlay2's folders hold only differences, vfs' trees are compared. Mount
 * points that starting a container leaves in its layer (/dev, /proc, /etc/hosts, …) are no changes as long as nothing is in them. Slow:
 * workers only. A layer that is written to meanwhile gives some state of each file between then and now. */

#include "lib/base/error.h"

typedef struct Storage Storage;
typedef struct StorageChange StorageChange;
typedef struct TarWriter TarWriter;

typedef enum StorageChangeKind { /* Docker's numbers */
        STORAGE_MODIFIED = 0,
        STORAGE_ADDED = 1,
        STORAGE_DELETED = 2,
} StorageChangeKind;

/* Borrowed for the call. */
struct StorageChange {
        StorageChangeKind kind;
        const char *path; /* without first slash */
        int dir_fd;       /* the folder of this layer that has it; -EBADF when it was deleted */
        const char *name;
};

typedef int (*storage_change_t)(const StorageChange *c, void *userdata, Error *reterr);

/* Sorted, every folder before what is in it; a folder above a change is told as modified. A negative answer of the callback ends it. */
int storage_diff(
        Storage *s, const char *id, storage_change_t on_change, void *userdata, Error *reterr);

/* The same as the tar of an image layer: what was deleted is a whiteout. The caller finishes the archive. */
int storage_diff_tar(Storage *s, const char *id, TarWriter *t, Error *reterr);
