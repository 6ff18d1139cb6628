/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/log/gzip.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"

/* PATH for 0, PATH.i else. */
static int piece_name(const char *path, unsigned i, bool packed, char ret[static PATH_MAX]) {
        const char *suffix = packed ? ROTATE_PACKED : "";
        int n;

        n = i == 0 ? snprintf(ret, PATH_MAX, "%s%s", path, suffix)
                   : snprintf(ret, PATH_MAX, "%s.%u%s", path, i, suffix);
        return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int piece_unlink(const char *path, unsigned i, bool packed) {
        char name[PATH_MAX];
        int r = piece_name(path, i, packed, name);

        return r < 0 ? r : unlink(name) < 0 && errno != ENOENT ? -errno : 0;
}

/* Holes in the row are fine: somebody may have removed a piece. */
static int piece_shift(const char *path, unsigned i, bool packed) {
        char from[PATH_MAX], to[PATH_MAX];
        int r;

        r = piece_name(path, i, packed, from);
        if (r >= 0)
                r = piece_name(path, i + 1, packed, to);
        if (r < 0)
                return r;
        return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

int rotate_shift(const char *path, unsigned max_files) {
        int r;

        if (max_files <= 1)
                return piece_unlink(path, 0, /* packed= */ false);

        /* In whichever of the two ways the oldest is there: none of its places may be taken by one that is not as old. */
        r = piece_unlink(path, max_files - 1, /* packed= */ false);
        if (r >= 0)
                r = piece_unlink(path, max_files - 1, /* packed= */ true);
        for (unsigned i = max_files - 1; r >= 0 && i > 0; i--) {
                if (i > 1)
                        r = piece_shift(path, i - 1, /* packed= */ true);
                if (r >= 0)
                        r = piece_shift(path, i - 1, /* packed= */ false);
        }
        return r;
}

static int piece_open_as(const char *path, unsigned i, bool packed, struct stat *ret_stat) {
        char name[PATH_MAX];
        uint64_t origin;
        int fd, r;

        r = piece_name(path, i, packed, name);
        if (r < 0)
                return r;
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, ret_stat) < 0 || !S_ISREG(ret_stat->st_mode)) {
                (void) close(fd);
                return -EBADFD;
        }
        if (packed && gzip_origin(fd, &origin) >= 0)
                ret_stat->st_ino = origin;
        return fd;
}

/* The file it was before it was packed counts: stat.st_ino. */
static int piece_open(const char *path, unsigned i, struct stat *ret_stat) {
        int fd = piece_open_as(path, i, /* packed= */ false, ret_stat);

        /* Packed, it gets its new name before it loses the old one. */
        return fd == -ENOENT && i > 0 ? piece_open_as(path, i, /* packed= */ true, ret_stat) : fd;
}

int rotate_identity(int fd, struct stat *ret) {
        uint64_t origin;

        if (fstat(fd, ret) < 0)
                return -errno;
        if (gzip_origin(fd, &origin) >= 0)
                ret->st_ino = origin;
        return 0;
}

static bool same_file(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* ---- packing ---- */

int rotate_open_unpacked(const char *path, unsigned max_files, unsigned *ret_i) {
        for (unsigned i = 1; i < max_files; i++) {
                struct stat st;
                int fd = piece_open_as(path, i, /* packed= */ false, &st);

                if (fd == -ENOENT || fd == -EBADFD)
                        continue;
                if (fd >= 0)
                        *ret_i = i;
                return fd;
        }
        return -ENOENT;
}

int rotate_packed(const char *path, const char *temporary, unsigned i) {
        char name[PATH_MAX];
        int r;

        r = piece_name(path, i, /* packed= */ true, name);
        if (r >= 0 && rename(temporary, name) < 0)
                r = -errno;
        return r < 0 ? r : piece_unlink(path, i, /* packed= */ false);
}

/* ---- reading ---- */

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
        int r, last = -EAGAIN;

        r = rotate_identity(fd, &mine);
        if (r < 0)
                return r;

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
