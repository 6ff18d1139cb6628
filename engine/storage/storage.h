/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The Storage holds the layers below one data root with one driver. The daemon has one for its life; every worker opens
 * its own. Layers are named by 64 hex digits; "sha256:…" (a chain id as images hold it) is accepted everywhere and means
 * the digits. No function mounts. Calls marked slow run in a worker only. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ident.h"
#include "lib/base/ident.h"
#include "lib/base/macro.h"

typedef struct MountSpec MountSpec;
typedef struct Storage Storage;
typedef struct StorageDriver StorageDriver;

#define STORAGE_LAYERS_MAX 128U /* layers of one image, the container's not counted */

/* driver NULL: the one this data root has been used with, else the best that works here (overlay2, vfs). reterr is the one
 * sentence for the administrator. Makes DATAROOT/{layers/DRIVER,tmp,tmp/trash} when missing; the data root itself must exist. */
int storage_open(const char *data_root, const char *driver, char *const *options, Storage **ret,
        Error *reterr);
Storage *storage_free(Storage *s);
DEFINE_CLEANUP(Storage *, storage_free);

const char *storage_driver_name(const Storage *s);
char *const *storage_options(const Storage *s);
const char *storage_data_root(const Storage *s);

/* "overlay2, vfs": those that work on this file system, for error texts. */
int storage_list_usable(const char *data_root, char ***ret);

/* Pairs name, value for the info document (DriverStatus). */
int storage_status(Storage *s, char ***ret_pairs);

/* After a start: removes what unfinished operations left (half-made layers, folders of dead workers); what is large goes to
 * the trash. 1: the trash is not empty. */
int storage_tidy(Storage *s);

/* A container's writable layer on top of an image's top layer (parent NULL or "": an image without layers). Inline when
 * storage_create_is_quick(), else by TASK_LAYER_CREATE with layer_id and layer_parent. Not synced: whoever refers to the layer
 * syncs his own file afterwards. -EEXIST when the id is taken. */
bool storage_create_is_quick(const Storage *s);
int storage_layer_create(Storage *s, const char *id, const char *parent, Error *reterr);

int storage_layer_exists(Storage *s, const char *id); /* 1, 0, negative errno */

/* Ids (64 digits, sorted) of all layers of images, or of all of containers: to find those that nobody needs any more. */
int storage_list_layers(Storage *s, bool of_images, char ***ret);

/* The layer below (digits): 1, or 0 when there is none. ret may be the buffer that digits is in. */
int storage_layer_parent(Storage *s, const char *digits, char ret[static IDENT_SIZE]);

/* What the monitor shall mount as the root file system. read_only: no upper directory; for images and for looking. */
int storage_mount_spec(Storage *s, const char *id, bool read_only, MountSpec *ret, Error *reterr);

/* Pairs for inspect's GraphDriver.Data: LowerDir, MergedDir, UpperDir, WorkDir of overlay2. */
int storage_layer_describe(Storage *s, const char *id, bool read_only, char ***ret_pairs);

/* Quick: out of sight by one rename, and a small tree is deleted at once. 1: the remains are in the trash, have them removed by
 * TASK_LAYER_REMOVE; 0: nothing is left (or was there). */
int storage_layer_remove(Storage *s, const char *id);
int storage_trash_empty(Storage *s); /* slow; how many things were removed */

/* Bytes on disk of the layer alone (a container's SizeRw). Slow. */
int storage_layer_usage(Storage *s, const char *id, uint64_t *ret);
