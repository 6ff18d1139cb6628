/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/storage/overlay-probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"

#ifndef ZFS_SUPER_MAGIC
#define ZFS_SUPER_MAGIC 0x2fc12fc1
#endif
#define XFS_MAGIC 0x58465342

static const struct {
        unsigned long magic;
        const char *name;
        bool bad; /* as upper layer */
} file_systems[] = {
        { AUTOFS_SUPER_MAGIC, "autofs", true },
        { BTRFS_SUPER_MAGIC, "btrfs", false },
        { ECRYPTFS_SUPER_MAGIC, "ecryptfs", true },
        { EXT4_SUPER_MAGIC, "extfs", false },
        { F2FS_SUPER_MAGIC, "f2fs", false },
        { FUSE_SUPER_MAGIC, "fuse", true },
        { MSDOS_SUPER_MAGIC, "vfat", true },
        { NFS_SUPER_MAGIC, "nfs", true },
        { OVERLAYFS_SUPER_MAGIC, "overlayfs", true },
        { SMB2_SUPER_MAGIC, "smb", true },
        { TMPFS_MAGIC, "tmpfs", false },
        { XFS_MAGIC, "xfs", false },
        { ZFS_SUPER_MAGIC, "zfs", false },
};

static int overlay_backing(int fd) {
        struct statfs st;

        if (fstatfs(fd, &st) < 0)
                return -errno;
        for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++)
                if ((unsigned long) st.f_type == file_systems[i].magic)
                        return (int) i;
        return -ENOENT;
}

const char *overlay_backing_name(int root_fd) {
        int i = overlay_backing(root_fd);

        return i < 0 ? "unknown" : file_systems[i].name;
}

/* XFS made with ftype=0 does not say what a directory entry is; overlayfs needs to know. */
static int overlay_has_types(int root_fd) {
        int fd, answer = 0;
        DIR *d;

        fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d) {
                fd_close(fd);
                return -ENOMEM;
        }

        for (const struct dirent *de; (de = readdir(d));)
                if (de->d_type == DT_DIR) {
                        answer = 1;
                        break;
                }

        (void) closedir(d);
        return answer;
}

/* Known already, or a module that the kernel will load when somebody mounts. */
static bool overlay_in_kernel(void) {
        static const char *const lists[] = { "modules.builtin", "modules.dep" };
        _cleanup_(freep) char *known = NULL;
        struct utsname name;

        if (file_read("/proc/filesystems", 64 * 1024, &known, NULL) >= 0 &&
                strstr(known, "\toverlay\n"))
                return true;
        if (uname(&name) < 0)
                return false;

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                _cleanup_(freep) char *path = NULL, *text = NULL;

                if (str_printf(&path, "/lib/modules/%s/%s", name.release, lists[i]) >= 0 &&
                        file_read(path, (size_t) 8 << 20, &text, NULL) >= 0 &&
                        strstr(text, "/overlay.ko"))
                        return true;
        }

        return false;
}

int overlay_probe(int root_fd, Error *reterr) {
        int i, r;

        assert(root_fd >= 0);

        if (geteuid() != 0) {
                (void) error_set(reterr, ERROR_NOT_IMPLEMENTED, "overlayfs needs root");
                return 0;
        }

        if (!overlay_in_kernel()) {
                (void) error_set(reterr, ERROR_NOT_IMPLEMENTED, "this kernel has no overlayfs");
                return 0;
        }

        i = overlay_backing(root_fd);
        if (i < 0 && i != -ENOENT)
                return i;
        if (i >= 0 && file_systems[i].bad) {
                (void) error_set(reterr, ERROR_NOT_IMPLEMENTED, "overlayfs cannot write on %s",
                        file_systems[i].name);
                return 0;
        }

        r = overlay_has_types(root_fd);
        if (r < 0)
                return r;
        if (r == 0) {
                (void) error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "the file system does not tell the types of directory entries (XFS: made "
                        "with ftype=0)");
                return 0;
        }

        if (fgetxattr(root_fd, "trusted.overlay.opaque", NULL, 0) < 0 && errno == EOPNOTSUPP) {
                (void) error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "the file system has no trusted extended attributes");
                return 0;
        }

        return 1;
}

void overlay_features(OverlayFeatures *ret) {
        assert(ret);

        /* Not loaded yet: our options are as old as any kernel that we run on (5.10: all three). */
        if (access("/sys/module/overlay", F_OK) < 0) {
                *ret = (OverlayFeatures) { true, true, true };
                return;
        }

        ret->index = access("/sys/module/overlay/parameters/index", F_OK) >= 0;
        ret->metacopy = access("/sys/module/overlay/parameters/metacopy", F_OK) >= 0;
        ret->redirect_dir = access("/sys/module/overlay/parameters/redirect_dir", F_OK) >= 0;
}
