/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/rootfs/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/mountinfo.h"
#include "lib/base/str.h"

static int map_self_to_root(uid_t uid, gid_t gid) {
        char map[32];
        int r;

        r = file_write_kernel("/proc/self/setgroups", "deny");
        if (r < 0)
                return r;
        (void) snprintf(map, sizeof(map), "0 %u 1", (unsigned) uid);
        r = file_write_kernel("/proc/self/uid_map", map);
        if (r < 0)
                return r;
        (void) snprintf(map, sizeof(map), "0 %u 1", (unsigned) gid);
        return file_write_kernel("/proc/self/gid_map", map);
}

int rootfs_unshare(Error *reterr) {
        uid_t uid = geteuid();
        gid_t gid = getegid();
        int r;

        if (unshare(CLONE_NEWNS | (uid == 0 ? 0 : CLONE_NEWUSER)) < 0)
                return error_set_errno(reterr, -errno,
                        uid == 0 ? "Cannot make a mount namespace"
                                 : "Cannot make a user and a mount namespace as this user");
        if (uid != 0) {
                r = map_self_to_root(uid, gid);
                if (r < 0)
                        return error_set_errno(
                                reterr, r, "Cannot map our user into a user namespace");
        }
        if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return error_set_errno(
                        reterr, -errno, "Cannot separate our mounts from the host's");
        return 0;
}

static int mount_bind(const MountSpec *m, int target_fd, Error *reterr) {
        _cleanup_(fd_closep) int source_fd = -EBADF, mount_fd = -EBADF;
        int r;

        source_fd = open(m->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (source_fd < 0)
                return error_set_errno(
                        reterr, -errno, "Cannot open the root file system %s", m->source);
        mount_fd = mount_clone(source_fd, /* recursive= */ false);
        if (mount_fd < 0)
                return error_set_errno(
                        reterr, mount_fd, "Cannot bind the root file system %s", m->source);
        r = mount_change(mount_fd, m->read_only ? MOUNT_ATTR_RDONLY : 0, 0, MS_PRIVATE, false);
        if (r >= 0)
                r = mount_attach(mount_fd, target_fd);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Cannot mount the root file system %s", m->source);
        return 0;
}

/* By mount(2): overlay's lowerdir may fill a page, while fsconfig() takes 255 bytes per value. */
static int mount_type(const MountSpec *m, const char *bundle_dir, Error *reterr) {
        char target[PATH_MAX];
        int n, r = 0;

        n = snprintf(target, sizeof(target), "%s/rootfs", bundle_dir);
        if (n < 0 || (size_t) n >= sizeof(target))
                return error_set(
                        reterr, ERROR_INTERNAL, "The bundle's path is too long: %s", bundle_dir);
        if (!str_empty(m->directory) && chdir(m->directory) < 0)
                return error_set_errno(reterr, -errno, "Cannot enter %s", m->directory);
        if (mount(str_empty(m->source) ? m->type : m->source, target, m->type,
                    m->read_only ? MS_RDONLY : 0, m->options) < 0)
                r = error_set_errno(reterr, -errno,
                        "Cannot mount the root file system (%s, options %s)", m->type,
                        str_or_empty(m->options));
        (void) !chdir("/");
        return r;
}

int rootfs_mount(const MountSpec *m, const char *bundle_dir, int bundle_fd, int *ret_root_fd,
        Error *reterr) {
        _cleanup_(fd_closep) int folder_fd = -EBADF;
        int fd, r;

        folder_fd = file_mkdir_open(bundle_fd, "rootfs", 0755);
        if (folder_fd < 0)
                return error_set_errno(reterr, folder_fd, "Cannot make %s/rootfs", bundle_dir);

        r = str_equal(m->type, "bind") ? mount_bind(m, folder_fd, reterr)
                                       : mount_type(m, bundle_dir, reterr);
        if (r < 0)
                return r;

        /* through the new mount, not the folder below it */
        fd = openat(bundle_fd, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "Cannot open the mounted root file system");
        *ret_root_fd = fd;
        return 0;
}

void rootfs_unmount(const char *bundle_dir) {
        char target[PATH_MAX];
        int n;

        n = snprintf(target, sizeof(target), "%s/rootfs", bundle_dir);
        if (n > 0 && (size_t) n < sizeof(target))
                (void) umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
}
