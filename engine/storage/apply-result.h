/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What came out of the unpacking of one layer. Lives in the LayerBuild; a driver's hooks (StorageDriver.unpack) write to it. Apart
 * from apply.h because drivers are linked into the daemon, which never unpacks: nothing here needs libarchive. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/archive/tar-extract.h"
#include "lib/base/error.h"

typedef struct ApplyResult ApplyResult;

struct ApplyResult {
        TarExtractResult tar;
        bool opaque_root; /* nothing of the layers below shows */
        char **implied;   /* folders that the archive did not name */
        size_t n_implied;
        size_t n_implied_allocated;
        size_t implied_memory;
};

void apply_result_done(ApplyResult *r);
int apply_result_add_implied(ApplyResult *r, const char *path, Error *reterr);
