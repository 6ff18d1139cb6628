/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Decompressor turns a compressed stream into a plain one, in this process (rule R3: no helper program is ever run). What it is
 * compressed with is seen from its first bytes; anything else passes as it is. Bombs end with -EFBIG: after the first
 * COMPRESSION_FREE_BYTES, the output may be at most COMPRESSION_RATIO_MAX times the input. */

#include <stddef.h>
#include <stdint.h>

#include "lib/archive/source.h"
#include "lib/base/macro.h"

typedef struct Decompressor Decompressor;

#define COMPRESSION_RATIO_MAX  UINT64_C(2000) /* gzip cannot do more than 1032 */
#define COMPRESSION_FREE_BYTES (UINT64_C(1) << 30)
#define COMPRESSION_MAGIC_SIZE 6U

typedef enum Compression {
        COMPRESSION_NONE,
        COMPRESSION_GZIP,
        COMPRESSION_ZSTD,
        COMPRESSION_XZ,
        COMPRESSION_BZIP2,
        _COMPRESSION_MAX,
        _COMPRESSION_INVALID = -22,
} Compression;

Compression compression_detect(const void *data, size_t size);
const char *compression_to_string(Compression c);

/* source is copied; what its userdata points to must outlive the Decompressor. */
int decompressor_new(const ByteSource *source, Decompressor **ret);
Decompressor *decompressor_free(Decompressor *d);
DEFINE_CLEANUP(Decompressor *, decompressor_free);

/* Reads the first bytes if nobody has yet. -EOPNOTSUPP: compressed in a way that this build's library cannot read. */
int decompressor_kind(Decompressor *d, Compression *ret);

/* As ByteSource. -EBADMSG: damaged; -EFBIG: a bomb; an error of the source comes through as it is. */
int decompressor_next(Decompressor *d, const void **ret_data, size_t *ret_size);
ByteSource decompressor_source(Decompressor *d);
