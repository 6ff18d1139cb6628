/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apart from the reader: who only counts against a limit needs no libarchive. */
#include <limits.h>

#include "lib/archive/tar-read.h"

const TarLimits tar_limits_default = {
        .entries = 2000000,
        .bytes = UINT64_C(256) << 30,
        .file_size = UINT64_C(16) << 40,
        .free_bytes = UINT64_C(64) << 20,
        .free_share = 16,
        .path = PATH_MAX - 1,
        .depth = 256,
        .directories = (size_t) 256 << 20,
};

uint64_t tar_limits_keep(const TarLimits *l, const struct statvfs *fs) {
        uint64_t all = (uint64_t) fs->f_blocks * fs->f_frsize;

        return l->free_share == 0 ? l->free_bytes : MIN(l->free_bytes, all / l->free_share);
}
