/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Rotated pieces of a log as gzip files, by zlib, which is loaded by the first call that needs it: a monitor never does (its packer does, a process
 * of its own), the daemon only when somebody reads such a piece. The header says which file the content came from, so that who reads
 * that one finds on in the row after it has been packed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct GzipReader GzipReader;

/* All of in_fd from its beginning, into the empty file out_fd; synced. -ELIBACC: no zlib here. Blocks. */
int gzip_pack(int in_fd, int out_fd);

/* Does a gzip file begin there? */
bool gzip_is(int fd);

/* The inode of what was packed; -ENODATA when fd is no gzip file or not of our making. Pure but for reading. */
int gzip_origin(int fd, uint64_t *ret_inode);

/* Reads what is packed in fd (borrowed, read by pread), bit by bit. */
int gzip_reader_new(int fd, GzipReader **ret);
GzipReader *gzip_reader_free(GzipReader *g);
DEFINE_CLEANUP(GzipReader *, gzip_reader_free);

/* How many bytes; 0: the end, also that of a file that was cut off. -EBADMSG: damaged. */
int gzip_reader_next(GzipReader *g, char *to, size_t size, size_t *ret_n);
