/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Whole files, durable writes and trees. A dir_fd may be AT_FDCWD for absolute paths of our own.
 * Names that a user or an image made never come here: see beneath.h. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/macro.h"

/* Reads at most max bytes; a larger file is -EFBIG, anything that is not a regular file or a
 * kernel file is refused (-EBADFD) without blocking. The text gets a NUL behind it; ret_size may
 * be NULL, then a NUL inside is -EBADMSG. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_size);
int file_read_at(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_size);
/* From its beginning, wherever the offset of fd is. */
int file_read_fd(int fd, size_t max, char **ret, size_t *ret_size);
/* The first line without its newline, of a file of at most 4096 bytes. */
int file_read_line(const char *path, char **ret);

/* For kernel files (/proc, /sys, cgroup): open without O_CREAT, one write, nothing else. */
int file_write_kernel(const char *path, const char *text);
int file_write_kernel_at(int dir_fd, const char *name, const char *text);

typedef enum FileWrite {
        FILE_WRITE_DURABLE = 1 << 0, /* synced: the old or the new after a power cut */
        FILE_WRITE_NEW = 1 << 1,     /* -EEXIST when the name is there */
} FileWrite;

/* Written beside, renamed over name (DESIGN 3.5): a reader sees the old or the new, never a
 * half. */
int file_write_atomic(
        int dir_fd, const char *name, const void *data, size_t size, mode_t mode, FileWrite flags);
int file_write_atomic_string(
        int dir_fd, const char *name, const char *text, mode_t mode, FileWrite flags);

/* The halves of it, for writers that stream: an unnamed-looking temporary ".#name.RANDOM" beside
 * name, then the rename. On failure call file_temporary_discard(). */
typedef struct FileTemporary {
        int dir_fd; /* borrowed */
        int fd;
        char *name; /* of the temporary */
} FileTemporary;
#define FILE_TEMPORARY_NONE ((FileTemporary) { .dir_fd = -EBADF, .fd = -EBADF })
int file_temporary_open(int dir_fd, const char *name, mode_t mode, FileTemporary *ret);
int file_temporary_commit(FileTemporary *t, const char *name, FileWrite flags);
/* Also the cleanup function; does nothing after a commit. */
void file_temporary_discard(FileTemporary *t);

int file_sync_dir(int dir_fd);
/* rename, then both folders synced. flags: RENAME_NOREPLACE, RENAME_EXCHANGE or 0. */
int file_rename_durable(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);

/* O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC; fd or negative errno. */
int file_open_dir(int dir_fd, const char *name);
/* An absolute path of ours; folders that are there stay as they are. */
int file_mkdir_p(const char *path, mode_t mode);
/* mkdir if missing, then open it as file_open_dir() does. */
int file_mkdir_open(int dir_fd, const char *name, mode_t mode);
/* Owner of an existing or new folder becomes us, mode exactly as given. */
int file_mkdir_open_exact(int dir_fd, const char *name, mode_t mode);

int file_exists_at(int dir_fd, const char *name); /* 1, 0, negative errno; links are not followed */
int file_is_dir_at(int dir_fd, const char *name); /* the same for folders */
int file_unlink(int dir_fd, const char *name);    /* 1 removed, 0 was not there */

/* Removes name with everything in it, by fds, never through a link, never across a mount point
 * (-EXDEV). 1 removed, 0 was not there. Works with folders of any depth and without permission
 * bits. */
int file_remove_tree(int dir_fd, const char *name);
int file_remove_contents(int dir_fd); /* what is in the folder, not the folder */

/* Sorted names in a folder, "." and ".." left out; hidden ones (".x") only if wished. */
int file_list(int dir_fd, const char *name, bool hidden, char ***ret);

/* 1: nothing is in the folder, 0, negative errno. */
int file_is_empty_dir_at(int dir_fd, const char *name);

/* Copies from the offsets of both to the end of from (or size bytes): reflink, else
 * copy_file_range, else read and write; holes stay holes. The number of bytes. */
int64_t file_copy_fd(int from_fd, int to_fd, uint64_t size);

/* Bytes of a tree as du counts (blocks) or as its files say (apparent). */
int file_tree_usage(int dir_fd, const char *name, uint64_t *ret_blocks, uint64_t *ret_apparent);

int file_lock(int fd, bool exclusive, bool wait); /* flock(); -EAGAIN when somebody else has it */
