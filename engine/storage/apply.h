/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A LayerBuild is an image layer under construction, in a folder below DATAROOT/tmp that nobody refers to: made, one tar applied,
 * committed by one rename under its chain id. Only workers build layers; all of it is slow. */

#include <stdbool.h>
#include <stdint.h>

#include "engine/storage/apply-result.h"
#include "lib/archive/source.h"
#include "lib/archive/tar-extract.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct ApplyOptions ApplyOptions;
typedef struct Layer Layer;
typedef struct LayerBuild LayerBuild;
typedef struct Storage Storage;

struct ApplyOptions {
        const ByteSource
                *source; /* the tar, not compressed; read to its end by the caller afterwards */
        int blob_fd; /* or the blob, compressed or not, from offset 0: read as often as needed */
        const TarLimits *limits; /* NULL: default */
};

/* Can the driver unpack a layer from a stream, without the layers below? Else layer_build_apply() wants a blob_fd, and
 * layer_build_new() the parent. */
bool storage_unpacks_alone(const Storage *s);

/* parent: chain id or NULL. */
int layer_build_new(Storage *s, const char *parent, LayerBuild **ret, Error *reterr);
LayerBuild *layer_build_free(LayerBuild *b); /* what is not committed is removed */
DEFINE_CLEANUP(LayerBuild *, layer_build_free);

int layer_build_apply(LayerBuild *b, const ApplyOptions *options, Error *reterr);
const ApplyResult *layer_build_result(const LayerBuild *b);

/* record: chain_id, parent, diff_id, blob; its size is filled in here. A layer that is there already stays, the new one is
 * dropped. Not synced: call storage_sync() before telling anybody. */
int layer_build_commit(LayerBuild *b, Layer *record, Error *reterr);

/* One syncfs() for all that was written below the data root. */
int storage_sync(Storage *s);
