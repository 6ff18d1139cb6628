/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Documents that we write ourselves, for archives that had none. */

#include <stddef.h>
#include <stdint.h>

#include "lib/archive/compress.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"

typedef struct Blobs Blobs;
typedef struct ImageBlob ImageBlob;

struct ImageBlob {
        const char *digest;
        uint64_t size;
        Compression compression; /* none, gzip or zstd */
};

/* An OCI manifest for a config and layers that are in the store; gives its digest. */
int image_write_manifest(Blobs *blobs, const char *config_digest, const ImageBlob *layers,
        size_t n_layers, char ret[static DIGEST_TEXT_SIZE], Error *reterr);
