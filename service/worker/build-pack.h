/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a COPY or ADD takes: its sources, found beneath one folder (the context, or the root of an image), patterns expanded, written as a tar. */

#include <stdbool.h>

#include "lib/archive/ignorefile.h"
#include "lib/archive/tar-write.h"
#include "lib/base/error.h"

typedef struct BuildItem BuildItem;
typedef struct BuildPack BuildPack;
typedef struct TaskContext TaskContext;

struct BuildItem {
        char *path; /* beneath the source, no link in it any more; no slash at its beginning, "" is the source itself */
        char *asked; /* as it was found: what the names in it are told by */
        char *name; /* in the archive; of a folder what its content is below, "" or with a slash at its end */
        bool is_dir;
        bool is_archive; /* to be unpacked: not written */
};

struct BuildPack {
        TaskContext *context;
        int source_fd;       /* borrowed */
        IgnoreFile *ignored; /* of the context */
        IgnoreFile *excluded;
        BuildItem *items;
        size_t n_items;
        size_t n_allocated;
        const BuildItem *current;
};

void build_pack_done(BuildPack *p);

/* c->source_fd and c->spec say what. ERROR_NOT_FOUND with Docker's sentence. */
int build_pack_find(TaskContext *c, BuildPack *ret, Error *reterr);

/* All that is no archive. change: its leaves_out is set here. Ends the archive. */
int build_pack_write(BuildPack *p, const TarWriterChange *change, ByteSink sink, Error *reterr);
