/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A StorageDriver keeps layers on disk. The common code (storage.c) owns names: it makes a folder
 * under a name nobody refers to, lets the driver fill it, and makes it visible by one rename to
 * DATAROOT/layers/DRIVER/ID. ID is 64 hex digits: an image layer's chain id or a container's id.
 * Inside a layer's folder, for every driver:
 *
 *         diff/        the tree (overlay2: of this layer only; vfs: the whole)
 *         parent       symbolic link whose last component names the layer below; absent at the base.
 *                      A link, because links are metadata: they are on disk before any later fsync
 *         layer.json   image layers only (layer.h)
 *
 * A driver never mounts: mount_spec says what a monitor or worker shall mount in its own namespace. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct MountSpec MountSpec;
typedef struct StorageDriver StorageDriver;
typedef struct TarExtractOps TarExtractOps;

typedef enum StorageDriverFlags {
        STORAGE_CREATE_QUICK =
                1 << 0, /* create() is a few system calls: inline; else TASK_LAYER_CREATE */
        STORAGE_UNPACK_ALONE = 1 << 1, /* a layer is unpacked without the layers below it */
        STORAGE_LAYERS_ARE_DIFFS =
                1
                << 2, /* diff/ holds what the layer changes, marked as overlayfs does; else the whole tree */
} StorageDriverFlags;

struct StorageDriver {
        const char *name;
        StorageDriverFlags flags;

        /* Can it work on the file system that root_fd is on? 1 yes; 0 no, reterr says why in words for
         * an administrator; <0 could not find out. */
        int (*probe)(int root_fd, Error *reterr);

        /* layers_fd: DATAROOT/layers/NAME, borrowed, open as long as the state; path: the same as text, for
         * mount specs. options: "overlay2.x=y" words; one that is not known is an error. */
        int (*open)(int layers_fd, const char *path, char *const *options, void **ret_state,
                Error *reterr);
        void (*close)(void *state); /* takes NULL */

        /* Makes what a layer on top of parent (digits; NULL: the base) needs inside the empty folder dir_fd,
         * diff/ included. vfs copies the parent's tree here. writable: a container's. */
        int (*create)(void *state, int dir_fd, const char *parent, bool writable, Error *reterr);

        /* The layer is about to become visible or to vanish: names that point to it (overlay2: the short
         * link that mount options use). NULL: nothing to do. */
        int (*publish)(void *state, const char *id);
        void (*withdraw)(void *state, const char *id);

        /* What to mount. chain: the layer and those below it, top first; n_chain > 0. */
        int (*mount_spec)(
                void *state, char *const *chain, bool read_only, MountSpec *ret, Error *reterr);

        /* Bytes on disk that are this layer's own. Slow. */
        int (*usage)(void *state, int dir_fd, uint64_t *ret);

        /* Pairs (lib/json/pairs.h) for "info", and for inspect's GraphDriver.Data. */
        int (*status)(void *state, char ***ret_pairs);
        int (*describe)(void *state, char *const *chain, bool read_only, char ***ret_pairs);

        /* What becomes of whiteouts when apply.c unpacks the tar of a layer into its diff/, which create() made; userdata is the
         * ApplyResult. NULL: the common way, where a whiteout removes. A table and no op: the daemon has all drivers and no
         * libarchive. */
        const TarExtractOps *unpack;

        /* A driver with STORAGE_UNPACK_ALONE: folders that the archive did not name get the attributes that they
         * have below. chain: the layers below, top first; paths: "" is the root. */
        int (*adopt)(void *state, int diff_fd, char *const *chain, char *const *paths);
};

extern const StorageDriver storage_driver_overlay2;
extern const StorageDriver storage_driver_vfs;
