/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/beneath.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

/* EAGAIN: a rename somewhere in the system raced with "..": the kernel cannot say that we stayed
 * inside. */
#define BENEATH_TRIES 128U

static int open_resolved(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve) {
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                .mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
                .resolve = resolve,
        };

        for (unsigned i = 0;; i++) {
                long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

                if (fd >= 0)
                        return (int) fd;
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN || i >= BENEATH_TRIES)
                        return -errno;
                (void) sched_yield();
        }
}

static uint64_t resolve_flags(BeneathFlags how) {
        uint64_t resolve = RESOLVE_NO_MAGICLINKS;

        resolve |= how & BENEATH_STRICT ? RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS : RESOLVE_IN_ROOT;
        if (how & BENEATH_NO_XDEV)
                resolve |= RESOLVE_NO_XDEV;
        return resolve;
}

int beneath_open(int root_fd, const char *path, int flags, mode_t mode, BeneathFlags how) {
        assert(root_fd >= 0);
        assert(path);

        /* RESOLVE_BENEATH takes no absolute path; ours are all meant from the root. */
        path += strspn(path, "/");
        return open_resolved(root_fd, *path ? path : ".", flags, mode, resolve_flags(how));
}

/* Cuts path into the folder's part and the last component. */
static int split_last(const char *path, char **ret_folder, char **ret_last) {
        _cleanup_(freep) char *folder = NULL;
        const char *part, *last = NULL;
        size_t n, last_n = 0;
        char *copy;
        int r;

        for (const char *p = path;;) {
                r = path_next(&p, &part, &n);
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
                last = part;
                last_n = n;
        }
        if (!last || (last_n == 2 && memcmp(last, "..", 2) == 0))
                return -EINVAL;

        folder = alloc_copy0(path, (size_t) (last - path));
        copy = alloc_copy0(last, last_n);
        if (!folder || !copy) {
                free(copy);
                return -ENOMEM;
        }

        *ret_folder = TAKE_PTR(folder);
        *ret_last = copy;
        return 0;
}

int beneath_open_parent(
        int root_fd, const char *path, BeneathFlags how, int *ret_dir_fd, char **ret_name) {
        _cleanup_(freep) char *folder = NULL, *last = NULL;
        int fd, r;

        assert(path);
        assert(ret_dir_fd);
        assert(ret_name);

        r = split_last(path, &folder, &last);
        if (r < 0)
                return r;

        fd = beneath_open(root_fd, folder, O_PATH | O_DIRECTORY, 0, how);
        if (fd < 0)
                return fd;

        *ret_dir_fd = fd;
        *ret_name = TAKE_PTR(last);
        return 0;
}

/* Makes one missing folder and opens what is there then, never through a link that took its
 * place. */
static int make_folder(int dir_fd, const char *name, mode_t mode, uid_t uid, gid_t gid) {
        _cleanup_(fd_closep) int fd = -EBADF;
        bool made;

        made = mkdirat(dir_fd, name, mode) >= 0;
        if (!made && errno != EEXIST)
                return -errno;

        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        if (made) {
                if ((uid != UID_INVALID || gid != GID_INVALID) && fchown(fd, uid, gid) < 0)
                        return -errno;
                if (fchmod(fd, mode) < 0)
                        return -errno;
        }
        return TAKE_FD(fd);
}

int beneath_mkdir_p(
        int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid, BeneathFlags how) {
        _cleanup_(freep) char *copy = NULL;
        const char *p, *part;
        size_t n;
        int fd, r;

        assert(path);

        fd = beneath_open(root_fd, path, O_PATH | O_DIRECTORY, 0, how);
        if (fd != -ENOENT)
                return fd;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        /* Each beginning of the path is resolved from the root again, so that a link inside may
         * point upwards and still stays inside; only the component that is missing is made, and
         * that by fd. */
        for (p = copy; (r = path_next(&p, &part, &n)) > 0;) {
                _cleanup_(fd_closep) int dir_fd = -EBADF, made = -EBADF;
                char *end = (char *) part + n, kept = *end;
                char name[NAME_MAX + 1];

                *end = 0;
                fd = beneath_open(root_fd, copy, O_PATH | O_DIRECTORY, 0, how);
                *end = kept;
                if (fd >= 0) {
                        (void) fd_close(fd);
                        continue;
                }
                if (fd != -ENOENT)
                        return fd;
                if (n == 2 && part[0] == '.' && part[1] == '.')
                        return -ENOENT;

                memcpy(name, part, n);
                name[n] = 0;
                kept = *part;
                *(char *) part = 0;
                dir_fd = beneath_open(root_fd, copy, O_PATH | O_DIRECTORY, 0, how);
                *(char *) part = kept;
                if (dir_fd < 0)
                        return dir_fd;

                made = make_folder(dir_fd, name, mode, uid, gid);
                if (made < 0)
                        return made;
        }
        if (r < 0)
                return r;

        return beneath_open(root_fd, path, O_PATH | O_DIRECTORY, 0, how);
}

int beneath_make_target(
        int root_fd, const char *path, bool directory, mode_t mode, BeneathFlags how) {
        _cleanup_(fd_closep) int fd = -EBADF, dir_fd = -EBADF, made = -EBADF;
        _cleanup_(freep) char *folder = NULL, *last = NULL;
        struct stat st;
        int r;

        assert(path);

        if (directory)
                return beneath_mkdir_p(root_fd, path, mode, UID_INVALID, GID_INVALID, how);

        fd = beneath_open(root_fd, path, O_PATH, 0, how);
        if (fd == -ENOENT) {
                r = split_last(path, &folder, &last);
                if (r < 0)
                        return r;
                dir_fd = beneath_mkdir_p(root_fd, folder, 0755, UID_INVALID, GID_INVALID, how);
                if (dir_fd < 0)
                        return dir_fd;

                made = openat(dir_fd, last,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode);
                if (made < 0)
                        /* A dangling link, mostly: we do not guess where it should lead. */
                        return errno == EEXIST ? -ELOOP : -errno;

                fd = openat(dir_fd, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        return -errno;
        }
        if (fd < 0)
                return fd;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (S_ISLNK(st.st_mode))
                return -ELOOP;
        return TAKE_FD(fd);
}

int beneath_stat(int root_fd, const char *path, BeneathFlags how, struct stat *ret) {
        _cleanup_(fd_closep) int fd = -EBADF;

        assert(ret);

        fd = beneath_open(root_fd, path, O_PATH, 0, how);
        if (fd < 0)
                return fd;

        return fstat(fd, ret) < 0 ? -errno : 0;
}

int beneath_read(int root_fd, const char *path, size_t max, char **ret) {
        _cleanup_(fd_closep) int fd = -EBADF;

        /* O_NONBLOCK: opening a FIFO must not wait for a writer. A device node would be opened
         * before it is refused, and some devices act on that: so what it is gets looked at
         * first, on an O_PATH fd. */
        _cleanup_(fd_closep) int path_fd = -EBADF;
        struct stat st, again;

        assert(ret);

        path_fd = beneath_open(root_fd, path, O_PATH | O_NOFOLLOW, 0, 0);
        if (path_fd < 0)
                return path_fd;
        if (fstat(path_fd, &st) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode))
                return -ELOOP;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        if ((uint64_t) st.st_size > max)
                return -EFBIG;

        fd = beneath_open(root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, 0);
        if (fd < 0)
                return fd;
        if (fstat(fd, &again) < 0)
                return -errno;
        if (again.st_dev != st.st_dev || again.st_ino != st.st_ino)
                return -ESTALE;

        return file_read_fd(fd, max, ret, NULL);
}
