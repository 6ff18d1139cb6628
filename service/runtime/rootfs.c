/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/mountinfo.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/oci/runtime-spec.h"

static int propagation_parse(const char *s, uint64_t *ret, Error *reterr) {
        if (str_empty(s) || STR_IN_SET(s, "private", "rprivate"))
                *ret = MS_PRIVATE;
        else if (STR_IN_SET(s, "slave", "rslave"))
                *ret = MS_SLAVE;
        else if (STR_IN_SET(s, "shared", "rshared"))
                *ret = MS_SHARED;
        else if (STR_IN_SET(s, "unbindable", "runbindable"))
                *ret = MS_UNBINDABLE;
        else
                return error_set(
                        reterr, ERROR_INVALID, "linux.rootfsPropagation \"%s\" is not known", s);
        return 0;
}

int rootfs_open(
        const RuntimeSpec *spec, const char *bundle, int bundle_fd, Rootfs *ret, Error *reterr) {
        _cleanup_(rootfs_done) Rootfs root = { .mount_fd = -EBADF };
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        assert(spec);
        assert(bundle);
        assert(ret);

        if (!spec->root || str_empty(spec->root->path))
                return error_set(reterr, ERROR_INVALID, "config.json has no root.path");
        r = propagation_parse(
                spec->linux_ ? spec->linux_->rootfs_propagation : NULL, &root.propagation, reterr);
        if (r < 0)
                return r;
        root.read_only = spec->root->readonly;

        path = path_is_absolute(spec->root->path) ? strdup(spec->root->path)
                                                  : path_join(bundle, spec->root->path);
        if (!path)
                return -ENOMEM;
        r = path_normalise(path, &root.path);
        if (r < 0)
                return r;

        fd = openat(bundle_fd, spec->root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "open the root file system %s", root.path);
        root.mount_fd = mount_clone(fd, /* recursive= */ true);
        if (root.mount_fd < 0)
                return error_set_errno(reterr, root.mount_fd, "root file system %s", root.path);

        *ret = root;
        root = (Rootfs) { .mount_fd = -EBADF };
        return 0;
}

void rootfs_done(Rootfs *r) {
        if (!r)
                return;

        free(r->path);
        (void) fd_close(r->mount_fd);
        *r = (Rootfs) { .mount_fd = -EBADF };
}

int rootfs_attach(Rootfs *root, Error *reterr) {
        _cleanup_(fd_closep) int slash_fd = -EBADF;
        bool follows = root->propagation == MS_SLAVE || root->propagation == MS_SHARED;
        int r;

        slash_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (slash_fd < 0)
                return error_set_errno(reterr, -errno, "open /");

        /* All of it, not only "/": taking the old tree away at the end would else be repeated in the host's. */
        r = mount_change(slash_fd, 0, 0, MS_PRIVATE, /* recursive= */ true);
        if (r < 0)
                return error_set_errno(reterr, r, "make the host's mounts private");

        /* Never shared while we work in it; shared is what it becomes in the end. */
        r = mount_change(
                root->mount_fd, 0, 0, follows ? MS_SLAVE : MS_PRIVATE, /* recursive= */ true);
        if (r >= 0)
                r = mount_attach(root->mount_fd, slash_fd);
        if (r < 0)
                return error_set_errno(reterr, r, "mount the root file system");

        return 0;
}

int rootfs_enter(Rootfs *root, bool no_pivot, Error *reterr) {
        if (fchdir(root->mount_fd) < 0)
                return error_set_errno(reterr, -errno, "enter the root file system");

        if (no_pivot) {
                if (chroot(".") < 0 || chdir("/") < 0)
                        return error_set_errno(reterr, -errno, "change the root");
                return 0;
        }

        /* The old root comes to lie on top of the new one, at the same place, and is taken off. */
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return error_set_errno(reterr, -errno, "pivot_root");
        if (umount2(".", MNT_DETACH) < 0)
                return error_set_errno(reterr, -errno, "detach the host's mounts");
        if (chdir("/") < 0)
                return error_set_errno(reterr, -errno, "enter the root file system");

        return 0;
}

int rootfs_make_read_only(Rootfs *root, Error *reterr) {
        int r;

        if (!root->read_only)
                return 0;
        r = mount_change(root->mount_fd, MOUNT_ATTR_RDONLY, 0, 0, /* recursive= */ false);
        return r < 0 ? error_set_errno(reterr, r, "make the root file system read-only") : 0;
}

int rootfs_propagate(Rootfs *root, Error *reterr) {
        int r;

        if (root->propagation == MS_PRIVATE || root->propagation == MS_SLAVE)
                return 0;
        r = mount_change(root->mount_fd, 0, 0, root->propagation, /* recursive= */ false);
        return r < 0 ? error_set_errno(reterr, r, "propagation of the root file system") : 0;
}
