/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Rule R1: paths that an image, an archive or a container controls are resolved beneath a root
 * fd by the kernel (openat2), and what comes out is an fd. Two ways: *_in_root_* follows links
 * as if root were "/"; *_strict_* follows no link at all and never leaves. Neither follows magic
 * links. All paths may be absolute; "/" and "" are the root. fds are close-on-exec; negative
 * errno. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef enum BeneathFlags {
        BENEATH_STRICT = 1 << 0,  /* a link anywhere is -ELOOP */
        BENEATH_NO_XDEV = 1 << 1, /* a mount point is -EXDEV */
} BeneathFlags;

/* flags as for openat(), mode for O_CREAT. The last component is followed unless O_NOFOLLOW (or
 * BENEATH_STRICT). */
int beneath_open(int root_fd, const char *path, int flags, mode_t mode, BeneathFlags how);

/* The folder that holds the last component, and that component as a copy. The last component is
 * not looked at; it may be missing. ".." or nothing as last component is -EINVAL. dir is opened
 * O_PATH. */
int beneath_open_parent(
        int root_fd, const char *path, BeneathFlags how, int *ret_dir_fd, char **ret_name);

/* Opens the folder at path (O_PATH), making what is missing, component by component on fds; new
 * folders get mode and, with uid != UID_INVALID, that owner. A file or a dangling link in the
 * way is -ENOTDIR or -ELOOP. */
#define UID_INVALID ((uid_t) -1)
#define GID_INVALID ((gid_t) -1)
int beneath_mkdir_p(
        int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid, BeneathFlags how);

/* A mount target: the folder (as above), or an empty regular file with its folders when it is
 * missing. Gives an O_PATH fd; what is there already is left as it is, and its last component is
 * followed as a link unless BENEATH_STRICT. */
int beneath_make_target(
        int root_fd, const char *path, bool directory, mode_t mode, BeneathFlags how);

/* Of what the last component leads to, if it is a link. */
int beneath_stat(int root_fd, const char *path, BeneathFlags how, struct stat *ret);

/* A small file that an image brought (passwd, group): not blocking, last component not a link,
 * regular, at most max bytes; else -ELOOP, -EBADFD, -EFBIG. A NUL byte inside is -EBADMSG. */
int beneath_read(int root_fd, const char *path, size_t max, char **ret);
