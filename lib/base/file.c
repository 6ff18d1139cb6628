/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

int file_read_fd(int fd, size_t max, char **ret, size_t *ret_size) {
        _cleanup_(freep) char *data = NULL;
        size_t room, n = 0;
        struct stat st;

        assert(ret);
        assert(max < SIZE_MAX / 2);

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EBADFD;
        if (st.st_size > 0 && (uint64_t) st.st_size > max)
                return -EFBIG;

        /* Kernel files say 0 and have more; a file that grows meanwhile is read until max. */
        room = st.st_size > 0 ? (size_t) st.st_size + 1 : MIN(max + 1, (size_t) 4096);
        for (;;) {
                ssize_t k;
                char *p;

                p = realloc(data, room + 1);
                if (!p)
                        return -ENOMEM;
                data = p;

                k = pread(fd, data + n, room - n, (off_t) n);
                if (k < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (k == 0)
                        break;
                n += (size_t) k;
                if (n > max)
                        return -EFBIG;
                if (n == room)
                        room = MIN(room * 2, max + 1);
        }

        data[n] = 0;
        if (!ret_size && memchr(data, 0, n))
                return -EBADMSG;

        *ret = TAKE_PTR(data);
        if (ret_size)
                *ret_size = n;
        return 0;
}

int file_read_at(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_size) {
        _cleanup_(fd_closep) int fd = -EBADF;

        assert(name);

        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;

        return file_read_fd(fd, max, ret, ret_size);
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_size) {
        return file_read_at(AT_FDCWD, path, max, ret, ret_size);
}

int file_read_line(const char *path, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        assert(ret);

        r = file_read(path, 4096, &text, NULL);
        if (r < 0)
                return r;

        text[strcspn(text, "\n")] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

int file_write_kernel_at(int dir_fd, const char *name, const char *text) {
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t size;
        ssize_t n;

        assert(name);
        assert(text);

        fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        /* The kernel takes a value whole or not at all: a second write would be a second value. */
        size = strlen(text);
        do
                n = write(fd, text, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return (size_t) n == size ? 0 : -EIO;
}

int file_write_kernel(const char *path, const char *text) {
        return file_write_kernel_at(AT_FDCWD, path, text);
}

int file_temporary_open(int dir_fd, const char *name, mode_t mode, FileTemporary *ret) {
        assert(name);
        assert(ret);

        for (unsigned i = 0; i < 16; i++) {
                char *temporary;
                int fd, r;

                r = str_printf(
                        &temporary, ".#%.200s.%016llx", name, (unsigned long long) random_u64());
                if (r < 0)
                        return r;

                fd = openat(dir_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                        0600);
                if (fd < 0) {
                        r = -errno;
                        free(temporary);
                        if (r == -EEXIST)
                                continue;
                        return r;
                }

                *ret = (FileTemporary) { .dir_fd = dir_fd, .fd = fd, .name = temporary };
                if (fchmod(fd, mode) < 0) {
                        r = -errno;
                        file_temporary_discard(ret);
                        return r;
                }
                return 0;
        }
        return -EEXIST;
}

int file_temporary_commit(FileTemporary *t, const char *name, FileWrite flags) {
        unsigned how = flags & FILE_WRITE_NEW ? RENAME_NOREPLACE : 0;
        int r;

        assert(t && t->name);
        assert(name);

        if ((flags & FILE_WRITE_DURABLE) && fsync(t->fd) < 0)
                return -errno;

        r = renameat2(t->dir_fd, t->name, t->dir_fd, name, how) < 0 ? -errno : 0;
        if (r == -EINVAL && how)
                /* A file system without RENAME_NOREPLACE; link() refuses an existing name as
                 * well. */
                r = linkat(t->dir_fd, t->name, t->dir_fd, name, 0) < 0 ? -errno : 1;
        if (r < 0)
                return r;
        if (r > 0)
                (void) unlinkat(t->dir_fd, t->name, 0);

        t->name = mfree(t->name);
        t->fd = fd_close(t->fd);
        return flags & FILE_WRITE_DURABLE ? file_sync_dir(t->dir_fd) : 0;
}

void file_temporary_discard(FileTemporary *t) {
        if (!t || !t->name)
                return;

        (void) unlinkat(t->dir_fd, t->name, 0);
        t->name = mfree(t->name);
        t->fd = fd_close(t->fd);
}

/* A name with a folder in it: opens the folder, so that the temporary stands beside and can be
 * synced. */
static int split_name(int dir_fd, const char *name, int *ret_dir_fd, const char **ret_last) {
        _cleanup_(freep) char *parent = NULL;
        int fd, r;

        r = path_parent(name, &parent);
        if (r == -ENOMEM)
                return r;

        fd = openat(dir_fd, parent ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        *ret_dir_fd = fd;
        *ret_last = path_last(name);
        return 0;
}

int file_write_atomic(
        int dir_fd, const char *name, const void *data, size_t size, mode_t mode, FileWrite flags) {
        _cleanup_(file_temporary_discard) FileTemporary t = FILE_TEMPORARY_NONE;
        _cleanup_(fd_closep) int parent_fd = -EBADF;
        int r;

        assert(!str_empty(name));
        assert(data || size == 0);

        if (dir_fd == AT_FDCWD || strchr(name, '/')) {
                r = split_name(dir_fd, name, &parent_fd, &name);
                if (r < 0)
                        return r;
                dir_fd = parent_fd;
        }

        r = file_temporary_open(dir_fd, name, mode, &t);
        if (r < 0)
                return r;

        r = fd_write_full(t.fd, data, size);
        if (r < 0)
                return r;

        return file_temporary_commit(&t, name, flags);
}

int file_write_atomic_string(
        int dir_fd, const char *name, const char *text, mode_t mode, FileWrite flags) {
        assert(text);

        return file_write_atomic(dir_fd, name, text, strlen(text), mode, flags);
}

int file_sync_dir(int dir_fd) {
        _cleanup_(fd_closep) int fd = -EBADF;

        /* dir_fd may be O_PATH, which cannot be synced. */
        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        /* A file system without it (some FUSE) says EINVAL: nothing that we could do better. */
        return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

int file_rename_durable(
        int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
        struct stat a, b;
        int r;

        assert(from);
        assert(to);

        if (renameat2(from_dir, from, to_dir, to, flags) < 0)
                return -errno;

        r = file_sync_dir(to_dir);
        if (r < 0)
                return r;

        if (fstat(from_dir, &a) < 0 || fstat(to_dir, &b) < 0)
                return -errno;
        return a.st_dev == b.st_dev && a.st_ino == b.st_ino ? 0 : file_sync_dir(from_dir);
}

int file_open_dir(int dir_fd, const char *name) {
        int fd;

        assert(name);

        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int file_mkdir_p(const char *path, mode_t mode) {
        _cleanup_(freep) char *copy = NULL;
        struct stat st;

        assert(path && path[0] == '/');

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        for (char *p = copy + 1;; p++) {
                char c = *p;

                if (c && c != '/')
                        continue;
                *p = 0;
                if (mkdir(copy, mode) < 0 && errno != EEXIST)
                        return -errno;
                *p = c;
                if (!c)
                        break;
        }

        if (stat(path, &st) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_mkdir_open(int dir_fd, const char *name, mode_t mode) {
        assert(name);

        if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
                return -errno;

        return file_open_dir(dir_fd, name);
}

int file_mkdir_open_exact(int dir_fd, const char *name, mode_t mode) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;

        fd = file_mkdir_open(dir_fd, name, mode);
        if (fd < 0)
                return fd;

        if (fstat(fd, &st) < 0)
                return -errno;
        if ((st.st_uid != geteuid() || st.st_gid != getegid()) &&
                fchown(fd, geteuid(), getegid()) < 0)
                return -errno;
        if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
                return -errno;

        return TAKE_FD(fd);
}

int file_exists_at(int dir_fd, const char *name) {
        assert(name);

        if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                return 1;
        return errno == ENOENT ? 0 : -errno;
}

int file_is_dir_at(int dir_fd, const char *name) {
        struct stat st;

        assert(name);

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0)
                return S_ISDIR(st.st_mode);
        return errno == ENOENT ? 0 : -errno;
}

int file_unlink(int dir_fd, const char *name) {
        assert(name);

        if (unlinkat(dir_fd, name, 0) >= 0)
                return 1;
        return errno == ENOENT ? 0 : -errno;
}

int file_lock(int fd, bool exclusive, bool wait) {
        while (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB)) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}
