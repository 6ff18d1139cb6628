/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/rootfs/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/mountinfo.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "service/rootfs/rootfs.h"

static int open_root(const PlacedMount *p, const char *scratch_dir, Error *reterr) {
        _cleanup_(fd_closep) int scratch_fd = -EBADF;
        int fd, r;

        if (!str_empty(p->source)) {
                fd = open(p->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
                return fd < 0 ? error_set_errno(reterr, -errno, "Cannot open %s", p->source) : fd;
        }
        r = file_mkdir_p(scratch_dir, 0700);
        scratch_fd = r < 0 ? r : file_open_dir(AT_FDCWD, scratch_dir);
        if (scratch_fd < 0)
                return error_set_errno(reterr, scratch_fd, "Cannot make %s", scratch_dir);
        r = rootfs_mount(&p->image, scratch_dir, scratch_fd, &fd, reterr);
        return r < 0 ? r : fd;
}

int place_make(const PlacedMount *p, const char *scratch_dir, int *ret_mount_fd,
        bool *ret_is_folder, Error *reterr) {
        _cleanup_(fd_closep) int root_fd = -EBADF, fd = -EBADF, mount_fd = -EBADF;
        struct stat st;
        int r;

        root_fd = open_root(p, scratch_dir, reterr);
        if (root_fd < 0)
                return root_fd;
        fd = beneath_open(root_fd, str_or_empty(p->subpath), O_PATH | O_CLOEXEC, 0, 0);
        if (fd < 0)
                return error_set(reterr, ERROR_INVALID, "cannot access path %s/%s: %s",
                        str_empty(p->source) ? "" : p->source, str_or_empty(p->subpath),
                        strerror(-fd));
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
                return error_set(reterr, ERROR_INVALID,
                        "cannot access path %s: neither a folder nor a regular file", p->subpath);
        mount_fd = mount_clone(fd, p->recursive);
        r = mount_fd < 0 ? mount_fd : mount_change(mount_fd, 0, 0, MS_PRIVATE, p->recursive);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Cannot bind the subpath %s", str_or_empty(p->subpath));
        *ret_mount_fd = TAKE_FD(mount_fd);
        *ret_is_folder = S_ISDIR(st.st_mode);
        return 0;
}

static int make_target(const char *path, bool folder) {
        _cleanup_(freep) char *parent = NULL;
        int fd, r;

        r = path_parent(path, &parent);
        if (r >= 0)
                r = file_mkdir_p(folder ? path : parent, 0700);
        if (r < 0)
                return r;
        fd = folder ? open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    : open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : fd;
}

int place_show(const PlacedMount *p, const char *scratch_dir, Error *reterr) {
        _cleanup_(fd_closep) int mount_fd = -EBADF, target_fd = -EBADF;
        bool folder;
        int r;

        r = place_make(p, scratch_dir, &mount_fd, &folder, reterr);
        if (r < 0)
                return r;
        target_fd = make_target(p->path, folder);
        r = target_fd < 0 ? target_fd : mount_attach(mount_fd, target_fd);
        return r < 0 ? error_set_errno(reterr, r, "Cannot mount at %s", p->path) : 0;
}
