/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"

/* PATH for 0, PATH.i else. */
static int piece_name(const char *path, unsigned i, char ret[static PATH_MAX]) {
        int n;

        n = i == 0 ? snprintf(ret, PATH_MAX, "%s", path)
                   : snprintf(ret, PATH_MAX, "%s.%u", path, i);
        return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int rotate_shift(const char *path, unsigned max_files) {
        char from[PATH_MAX], to[PATH_MAX];
        int r;

        if (max_files <= 1)
                return unlink(path) < 0 && errno != ENOENT ? -errno : 0;

        for (unsigned i = max_files - 1; i > 0; i--) {
                r = piece_name(path, i - 1, from);
                if (r >= 0)
                        r = piece_name(path, i, to);
                if (r < 0)
                        return r;
                /* holes in the row are fine: somebody may have removed a piece */
                if (rename(from, to) < 0 && errno != ENOENT)
                        return -errno;
        }
        return 0;
}

static int piece_open(const char *path, unsigned i, struct stat *ret_stat) {
        char name[PATH_MAX];
        int fd, r;

        r = piece_name(path, i, name);
        if (r < 0)
                return r;
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, ret_stat) < 0 || !S_ISREG(ret_stat->st_mode)) {
                (void) close(fd);
                return -EBADFD;
        }
        return fd;
}

static bool same_file(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int rotate_open_all(const char *path, int **ret_fds, size_t *ret_n) {
        struct stat newer = {};
        int *fds = NULL, fd;
        size_t n = 0, n_allocated = 0;

        /* Newest first: when a rotation happens in between, a file turns up a second time, one place on, and no older one is missed. */
        for (unsigned i = 0; i < ROTATE_FILES_MAX; i++) {
                struct stat st;

                fd = piece_open(path, i, &st);
                if (fd == -ENOENT && i == 0)
                        continue; /* between a shift and the next open there is no PATH */
                if (fd == -ENOENT)
                        break;
                if (fd < 0) {
                        rotate_close_all(fds, n);
                        return fd;
                }
                if (n > 0 && same_file(&st, &newer)) {
                        (void) close(fd);
                        continue;
                }
                if (array_grow(&fds, &n_allocated, n + 1) < 0) {
                        (void) close(fd);
                        rotate_close_all(fds, n);
                        return -ENOMEM;
                }
                fds[n++] = fd;
                newer = st;
        }

        for (size_t i = 0; i < n / 2; i++) {
                fd = fds[i];
                fds[i] = fds[n - 1 - i];
                fds[n - 1 - i] = fd;
        }
        *ret_fds = fds;
        *ret_n = n;
        return 0;
}

void rotate_close_all(int *fds, size_t n) {
        fd_close_many(fds, n);
        free(fds);
}

int rotate_open_next(const char *path, int fd, int *ret) {
        struct stat mine, st;
        int last = -EAGAIN;

        if (fstat(fd, &mine) < 0)
                return -errno;

        /* walk from new to old; what was seen just before ours is the next one */
        for (unsigned i = 0; i < ROTATE_FILES_MAX; i++) {
                int piece = piece_open(path, i, &st);

                if (piece == -ENOENT && i == 0)
                        continue;
                if (piece < 0)
                        break;
                if (same_file(&st, &mine)) {
                        (void) close(piece);
                        if (last < 0)
                                return -EAGAIN;
                        *ret = last;
                        return 0;
                }
                if (last >= 0)
                        (void) close(last);
                last = piece;
        }
        if (last < 0)
                return -EAGAIN;
        *ret = last;
        return 0;
}
