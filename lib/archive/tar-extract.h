/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Unpacks a tar beneath a folder fd (rule R1): every path is resolved by the kernel with the folder as root, the last component is
 * never followed, and what is set on a file is set through its fd. Nobody else may change the folder meanwhile.
 *
 * What is kept: kinds of files, modes with setuid, owners up to 2^32 - 2, times with nanoseconds, holes, hard links inside the
 * folder, devices (character 0:0 is refused: it is overlayfs' own mark), the extended attributes user.*, security.capability and POSIX ACLs.
 * All other attributes are dropped and counted. Directories get their attributes last. An engine that is not root cannot give files away:
 * then owners and security.* are not set and devices are refused. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/archive/source.h"
#include "lib/archive/tar-read.h"
#include "lib/base/error.h"

typedef struct TarExtract TarExtract;
typedef struct TarExtractOps TarExtractOps;
typedef struct TarExtractResult TarExtractResult;
typedef struct TarIntoTree TarIntoTree;

typedef enum TarPass {
        TAR_PASS_ALL,
        TAR_PASS_WHITEOUTS, /* only whiteouts: before TAR_PASS_REST, so that they cannot hit this archive's own files */
        TAR_PASS_REST, /* only what is no whiteout */
} TarPass;

/* All may be NULL. dir_fd is O_PATH. */
struct TarExtractOps {
        /* ".wh.NAME" in the folder: the layers below have no NAME. */
        int (*whiteout)(void *userdata, int dir_fd, const char *name, Error *reterr);
        /* ".wh..wh..opq" in the folder, or a folder in the place of a whiteout: nothing of it shows through from below. path "" is
         * the root. */
        int (*opaque)(void *userdata, int dir_fd, const char *path, Error *reterr);
        /* The folder at path was just made although the archive has no entry for it: it may be known below. */
        int (*implied)(void *userdata, int dir_fd, const char *path, Error *reterr);
};

struct TarExtract {
        int root_fd;             /* borrowed */
        const TarLimits *limits; /* NULL: default */
        const TarExtractOps *ops;
        void *userdata;
        TarPass pass;
        const TarIntoTree *into; /* NULL: a folder of our own, as above */
};

/* Unpacking into a tree that lives: a container's, or a person's folder, which may change and be full of links and mounts while we work. Every name is
 * still resolved by the kernel beneath root_fd. Names that begin with ".wh." are names as any other, mounts are entered, and a file is written
 * beside its name and takes it when it is whole: after a full disk or an archive that breaks off there is the old file or none. */
struct TarIntoTree {
        const char *
                path; /* where everything goes, from root_fd on; a folder, links to it are followed */
        /* Everything must be this (a clean path; "": the root of the archive) or below it, which becomes path: a file is renamed by it. What is not is
         * ERROR_INVALID. NULL: all goes below path, and an entry for the root itself is skipped. */
        const char *base;
        const char *shown; /* how root_fd is called in errors, without a last slash; NULL: "" */
        bool strict;       /* no link is followed on the way, wherever it leads */
        bool no_devices;   /* devices are left out and counted */
        bool keep_kind;  /* a folder takes no file's place and no file a folder's: ERROR_INVALID */
        bool give_owner; /* uid and gid instead of the archive's */
        uid_t uid;
        gid_t gid;
};

struct TarExtractResult {
        uint64_t n_entries;
        uint64_t
                bytes; /* of files as they say, hard links counted once: how Docker counts a layer's size */
        bool has_root;      /* there was an entry for the root itself */
        uint64_t n_dropped; /* extended attributes that were not set */
        uint64_t n_devices; /* left out, as wished */
};

/* source: uncompressed. After an error the folder holds what was unpacked so far; the caller removes it. */
int tar_extract(
        const TarExtract *x, const ByteSource *source, TarExtractResult *ret, Error *reterr);

/* Removes NAME with everything below it, as a whiteout does where layers are whole trees. */
int tar_remove_name(int dir_fd, const char *name, Error *reterr);
