/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Writes files as a pax tar, for trees that somebody else may be changing at the same time: every file is held by an O_PATH fd before it is
 * judged, links are never followed, devices and FIFOs are never opened, and a file that shrinks or grows meanwhile fills or is cut to the
 * size that its header says. Kept: modes, owners of 32 bits, times, hard links inside the archive, devices, holes, long names, and the extended
 * attributes that tar-extract.h takes. Sockets are left out. Not thread-safe; one per archive. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct ByteSink ByteSink;
typedef struct TarWriter TarWriter;
typedef struct TarWriterChange TarWriterChange;
typedef struct TarWriterOptions TarWriterOptions;

#define TAR_WRITE_DEPTH_MAX 512U /* folders in each other; deeper is -ELOOP */

/* Takes all of it, or negative errno: the end of the archive. */
struct ByteSink {
        int (*write)(void *userdata, const void *data, size_t size);
        void *userdata;
};

/* What becomes another in the archive than it is on disk. */
struct TarWriterChange {
        /* path: in the archive. A folder that is left out: *ret_enter says whether what is in it is asked about. NULL: all is in. */
        bool (*leaves_out)(const char *path, bool *ret_enter, void *userdata);
        void *userdata;
        bool has_owner;
        uid_t uid;
        gid_t gid;
        bool has_mode; /* not of links */
        mode_t mode;
        bool has_time;
        int64_t time_sec;
};

struct TarWriterOptions {
        const TarWriterChange *change; /* NULL: nothing; must outlive the writer */
        ByteSink sink;                 /* its userdata must outlive the writer */
        bool gzip;
        int proc_fd; /* O_PATH of /proc/self/fd, borrowed: a process whose "/" is another one opens it before; -EBADF: by its name */
};

int tar_writer_new(const TarWriterOptions *options, TarWriter **ret);
TarWriter *tar_writer_free(TarWriter *t); /* what was not finished is cut */
DEFINE_CLEANUP(TarWriter *, tar_writer_free);

/* O_PATH fd of /proc/self/fd for TarWriterOptions. */
int tar_writer_open_proc(void);

typedef enum TarTreeFlags {
        TAR_TREE_NO_MOUNTS =
                1
                << 0, /* mount points are entries (files: empty ones), what is mounted there is not */
        TAR_TREE_CONTENT =
                1 << 1, /* of a folder that is given by its fd: its own entry too, as path "./" */
} TarTreeFlags;

/* name in dir_fd and, if it is a folder, everything below it. path: what it is called in the archive. What vanishes meanwhile is left out; only
 * name itself must be there (-ENOENT). */
int tar_writer_add_tree(TarWriter *t, int dir_fd, const char *name, const char *path,
        TarTreeFlags flags, Error *reterr);

/* What is in the folder, each entry below path (NULL: by its name alone). */
int tar_writer_add_content(
        TarWriter *t, int dir_fd, const char *path, TarTreeFlags flags, Error *reterr);

/* That one file or folder alone. */
int tar_writer_add(TarWriter *t, int dir_fd, const char *name, const char *path, Error *reterr);

/* A file of ours that is on no disk, owned by root. */
int tar_writer_add_bytes(
        TarWriter *t, const char *path, mode_t mode, const void *data, size_t size, Error *reterr);

/* ".wh.NAME" for the last component of path: a layer says that those below have no such name. */
int tar_writer_add_whiteout(TarWriter *t, const char *path, Error *reterr);

/* The end of the archive; everything has gone to the sink then. */
int tar_writer_finish(TarWriter *t, Error *reterr);

/* Bytes of files so far, hard links counted once. */
uint64_t tar_writer_bytes(const TarWriter *t);
