/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/mount-copy-up.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/strv.h"

#define DEPTH_MAX 128U

static int copy_folder(int from_fd, int to_fd, unsigned depth);

static int copy_link(int from_dir, int to_dir, const char *name) {
        char target[PATH_MAX];
        ssize_t n;

        n = readlinkat(from_dir, name, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = 0;
        return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

static int copy_file(int from_dir, int to_dir, const char *name) {
        _cleanup_(fd_closep) int from_fd = -EBADF, to_fd = -EBADF;
        int64_t n;

        from_fd = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (from_fd < 0)
                return -errno;
        to_fd = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to_fd < 0)
                return -errno;

        n = file_copy_fd(from_fd, to_fd, UINT64_MAX);
        return n < 0 ? (int) n : 0;
}

static int copy_entry(int from_dir, int to_dir, const char *name, unsigned depth) {
        struct stat st;
        int r;

        if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;

        if (S_ISDIR(st.st_mode)) {
                _cleanup_(fd_closep) int from_fd = file_open_dir(from_dir, name), to_fd = -EBADF;

                if (from_fd < 0)
                        return from_fd;
                to_fd = file_mkdir_open(to_dir, name, 0700);
                if (to_fd < 0)
                        return to_fd;
                r = copy_folder(from_fd, to_fd, depth + 1);
        } else if (S_ISREG(st.st_mode))
                r = copy_file(from_dir, to_dir, name);
        else if (S_ISLNK(st.st_mode))
                r = copy_link(from_dir, to_dir, name);
        else
                return 0;
        if (r < 0)
                return r;

        /* Owner first: changing it takes the set-id bits away. */
        if (fchownat(to_dir, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (!S_ISLNK(st.st_mode) && fchmodat(to_dir, name, st.st_mode & 07777, 0) < 0)
                return -errno;
        return 0;
}

static int copy_folder(int from_fd, int to_fd, unsigned depth) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        if (depth > DEPTH_MAX)
                return -ELOOP;

        r = file_list(from_fd, ".", /* hidden= */ true, &names);
        if (r < 0)
                return r;
        STRV_FOREACH (name, names) {
                r = copy_entry(from_fd, to_fd, *name, depth);
                if (r < 0)
                        return r;
        }

        return 0;
}

int mount_copy_up(int from_fd, int mount_fd) {
        _cleanup_(fd_closep) int from = -EBADF, to = -EBADF;
        struct stat st;

        /* The fds of a target and of a detached mount can only name, not list. */
        from = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (from < 0)
                return -errno;
        to = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (to < 0)
                return -errno;

        if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
                fchmod(to, st.st_mode & 07777) < 0)
                return -errno;
        return copy_folder(from, to, 0);
}
