/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* PATH, PATH.1 (newer) … PATH.(max_files-1) (oldest): Docker's names, so that tools that know them find the pieces. Any but PATH may be packed
 * instead (gzip.h), with ROTATE_PACKED behind its name; where both are, the one that is not counts. */

#include <stddef.h>

#define ROTATE_FILES_MAX 1000u
#define ROTATE_PACKED    ".gz"

struct stat;

/* Shifts every file by one and drops the oldest; afterwards there is no PATH (max_files 1: PATH is removed). Files of an earlier, larger
 * max_files are not touched. */
int rotate_shift(const char *path, unsigned max_files);

/* Opens all pieces that exist for reading, oldest first, each once even if a rotation happens meanwhile; PATH itself last. None is fine: 0 files.
 * Free with rotate_close_all(). */
int rotate_open_all(const char *path, int **ret_fds, size_t *ret_n);
void rotate_close_all(int *fds, size_t n);

/* fd is one of the pieces, at its end: opens the piece that was written after it. -EAGAIN: fd is PATH itself, there is nothing newer.
 * When fd's piece has been dropped, the oldest piece left. */
int rotate_open_next(const char *path, int fd, int *ret);

/* stat() of an open piece, but with the inode that it had before it was packed: so it is known again, packed or not. */
int rotate_identity(int fd, struct stat *ret);

/* Opens the newest piece besides PATH that is not packed. -ENOENT: there is none. */
int rotate_open_unpacked(const char *path, unsigned max_files, unsigned *ret_i);
/* The file temporary has piece i, whole and synced: it takes its place. */
int rotate_packed(const char *path, const char *temporary, unsigned i);
