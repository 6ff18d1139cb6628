/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reads an uncompressed tar (ustar, pax, GNU) entry by entry. Written by strangers: every entry is checked against the limits and its
 * path is split and judged here, before anybody else looks at it. What a TarEntry points to is borrowed until the next call. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>

#include "lib/archive/source.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct TarEntry TarEntry;
typedef struct TarLimits TarLimits;
typedef struct TarReader TarReader;

typedef enum TarType {
        TAR_FILE,
        TAR_DIRECTORY,
        TAR_SYMLINK,
        TAR_HARDLINK,
        TAR_CHARACTER,
        TAR_BLOCK,
        TAR_FIFO,
        _TAR_TYPE_MAX,
        _TAR_TYPE_INVALID = -22,
} TarType;

struct TarLimits {
        uint64_t entries;   /* of one archive */
        uint64_t bytes;     /* of file content that is really there, all entries together */
        uint64_t file_size; /* one file's size as it says (sparse) */
        uint64_t
                free_bytes; /* stop extracting when the file system has less than this left; 0: never */
        unsigned free_share; /* but of a small one no more than this part of it; 0: all the same */
        size_t path;         /* bytes of a path or link target */
        unsigned depth;      /* components of a path */
        size_t directories;  /* memory for what is to be set on directories at the end */
};

/* 2,000,000 entries, 256 GiB, 16 TiB, 64 MiB or a sixteenth, 4095 bytes, 256 levels, 256 MiB. */
extern const TarLimits tar_limits_default;

/* Bytes of this file system that are to remain free. */
uint64_t tar_limits_keep(const TarLimits *l, const struct statvfs *fs) _pure_;

struct TarEntry {
        TarType type;
        char *path; /* relative and clean: no "", ".", "..", no double or last slash; "" is the root itself */
        const char *name; /* its last component; "" for the root */
        const char *
                link; /* target of a link: of a hard link clean as path, of a symbolic one as it is */
        mode_t mode; /* 07777 */
        uid_t uid;
        gid_t gid;
        dev_t device;
        uint64_t size; /* of a file */
        struct timespec mtime;
        struct timespec atime; /* mtime when the archive has none */
};

/* limits NULL: the default ones; borrowed. source: copied, its userdata must outlive the reader. */
int tar_reader_new(const ByteSource *source, const TarLimits *limits, TarReader **ret);
TarReader *tar_reader_free(TarReader *t);
DEFINE_CLEANUP(TarReader *, tar_reader_free);

/* 1 an entry, 0 the end. Content that was not read is skipped. An error of the source comes through; what the archive does wrong is
 * ERROR_INVALID or ERROR_TOO_LARGE with the entry's name. */
int tar_reader_next(TarReader *t, const TarEntry **ret, Error *reterr);

/* Content of the present entry: 1 a piece, 0 the end. Pieces come in order; between them there may be holes. */
int tar_reader_data(
        TarReader *t, const void **ret_data, size_t *ret_size, uint64_t *ret_offset, Error *reterr);

/* Extended attributes of the present entry, one by one: 1, or 0 at the end. */
int tar_reader_xattr(TarReader *t, const char **ret_name, const void **ret_value, size_t *ret_size);

bool tar_reader_has_xattrs(const TarReader *t);

/* Bytes of content handed out so far. */
uint64_t tar_reader_bytes(const TarReader *t);
