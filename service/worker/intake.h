/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An Intake takes one file of an archive in, in a single pass over its bytes: they are hashed and written as a blob, decompressed
 * and hashed again, and, if they are a tar and the storage driver can, unpacked into a folder that nobody refers to. What comes out
 * is believed, and made visible, only after the digests have been compared with what the image says (rule R8). */

#include <stdbool.h>
#include <stdint.h>

#include "engine/storage/apply.h"
#include "lib/archive/compress.h"
#include "lib/archive/source.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"

typedef struct Intake Intake;
typedef struct IntakeOptions IntakeOptions;
typedef struct TaskContext TaskContext;

struct IntakeOptions {
        const char *label;    /* of progress rows */
        const char *status;   /* the same; NULL: "Loading layer" */
        uint64_t total;       /* bytes that are to come, 0: not known */
        const char *expected; /* digest that the bytes must have, or NULL */
        bool keep_usual; /* keep plain, gzip and zstd as they are; other compressions as plain tar */
        bool must_be_tar; /* even if it does not look like one */
};

struct Intake {
        char digest[DIGEST_TEXT_SIZE];  /* of the blob */
        char diff_id[DIGEST_TEXT_SIZE]; /* of the tar inside; "" when it is none */
        uint64_t size;                  /* of the blob */
        Compression compression;        /* of the blob */
        bool is_tar;
        LayerBuild *
                build; /* unpacked, not visible; NULL when the driver needs the layers below first */
        Error unpack_error; /* why it could not be unpacked: matters only if it is a layer */
};

void intake_done(Intake *i);

/* Fails when the bytes cannot be had or stored; a tar that is damaged or hostile is unpack_error. */
int intake_run(TaskContext *c, const ByteSource *input, const IntakeOptions *options, Intake *ret,
        Error *reterr);
