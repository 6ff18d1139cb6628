/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/mountinfo.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/devices.h"
#include "service/runtime/mounts.h"

static int failed(const Mount *m, int r, const char *kernel_text, Error *reterr) {
        if (kernel_text)
                return error_set_errno(reterr, r, "mount %s at %s: %s", m->spec->type,
                        m->destination, kernel_text);
        return error_set_errno(reterr, r, "mount %s at %s", m->spec->type, m->destination);
}

/* These show what the kernel has; the words of "options" that are no attributes are for older interfaces. */
static int make_kernel(const Mount *m, const char *type, char *const *options, uint64_t attributes,
        Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int fd;

        fd = mount_new(type, type, options, (unsigned) attributes, &text);
        return fd < 0 ? failed(m, fd, text, reterr) : fd;
}

/* A copy of what the host has at path, for what a user namespace may not mount itself. */
static int copy_of_host(const Mount *m, const char *path, uint64_t magic, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF, copy_fd = -EBADF;
        struct statfs sfs;
        int r;

        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return failed(m, -errno, NULL, reterr);
        if (fstatfs(fd, &sfs) < 0 || (uint64_t) sfs.f_type != magic)
                return failed(m, -ENODEV, NULL, reterr);
        copy_fd = mount_clone(fd, /* recursive= */ true);
        if (copy_fd < 0)
                return failed(m, copy_fd, NULL, reterr);
        r = mount_change(copy_fd, m->options.set | MOUNT_ATTR_RDONLY, 0, MS_PRIVATE, true);
        return r < 0 ? failed(m, r, NULL, reterr) : TAKE_FD(copy_fd);
}

/* The label for files of file systems made here. */
static int options_with_label(const Mounts *ms, const Mount *m, char ***ret) {
        const char *label = ms->spec->linux_ ? ms->spec->linux_->mount_label : NULL;
        int r;

        r = strv_set(ret, m->options.data);
        if (r >= 0 && !str_empty(label))
                r = strv_addf(ret, "context=%s", label);
        return r;
}

int mount_special(Mounts *ms, const Mount *m, Error *reterr) {
        _cleanup_(strv_freep) char **options = NULL;
        _cleanup_(freep) char *text = NULL;
        uint64_t attributes =
                m->options.set & ~(uint64_t) (m->read_only_later ? MOUNT_ATTR_RDONLY : 0);
        int fd, r;

        switch (m->kind) {
        case MOUNT_PROC:
                if (m->source_fd >= 0)
                        return fd_dup(m->source_fd);
                return make_kernel(m, "proc", m->options.data, attributes, reterr);
        case MOUNT_SYSFS:
                if (ms->own_user_namespace) {
                        fd = make_kernel(m, "sysfs", NULL, attributes, NULL);
                        return fd == -EPERM ? copy_of_host(m, "/sys", SYSFS_MAGIC, reterr) : fd;
                }
                return make_kernel(m, "sysfs", NULL, attributes, reterr);
        case MOUNT_CGROUP:
                if (ms->own_user_namespace) {
                        fd = make_kernel(m, "cgroup2", NULL, attributes, NULL);
                        return fd == -EPERM ? copy_of_host(m, "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC,
                                                      reterr)
                                            : fd;
                }
                return make_kernel(m, "cgroup2", NULL, attributes, reterr);
        case MOUNT_DEVPTS:
                /* newinstance is what devpts always does since Linux 4.7 and no longer a word of it. */
                r = options_with_label(ms, m, &options);
                if (r < 0)
                        return r;
                (void) strv_remove(options, "newinstance");
                break;
        case MOUNT_FILE_SYSTEM:
                r = options_with_label(ms, m, &options);
                if (r < 0)
                        return r;
                if (streq(m->spec->type, "mqueue"))
                        options = strv_free(options); /* takes none */
                break;
        default:
                assert_unreachable();
        }

        fd = mount_new(m->spec->type, str_empty(m->spec->source) ? m->spec->type : m->spec->source,
                options, (unsigned) attributes, &text);
        return fd < 0 ? failed(m, fd, text, reterr) : fd;
}

int mounts_trusted_proc(Mounts *m, Error *reterr) {
        struct statfs sfs;

        if (m->proc_fd < 0) {
                m->proc_fd = mount_new("proc", "proc", NULL,
                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, NULL);
                if (m->proc_fd < 0)
                        return error_set_errno(reterr, m->proc_fd, "open a procfs of our own");
        }
        if (fstatfs(m->proc_fd, &sfs) < 0 || sfs.f_type != PROC_SUPER_MAGIC)
                return error_set(reterr, ERROR_INTERNAL, "our procfs is none");

        return m->proc_fd;
}

/* What covers a masked path: the null device over files, an empty folder that cannot be written over folders. */
static int open_masks(Mounts *m, Error *reterr) {
        m->null_fd = device_open_null(m->root_fd, m->dev_fd);
        if (m->null_fd < 0)
                return error_set_errno(reterr, m->null_fd, "open the null device for masked paths");

        m->empty_fd = mount_new("tmpfs", "tmpfs", NULL,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, NULL);
        if (m->empty_fd < 0)
                return error_set_errno(
                        reterr, m->empty_fd, "make an empty folder for masked paths");

        return 0;
}

int mounts_mask(Mounts *m, char *const *paths, Error *reterr) {
        bool empty_used = false;
        int r;

        if (strv_empty(paths))
                return 0;
        r = open_masks(m, reterr);
        if (r < 0)
                return r;

        STRV_FOREACH (path, paths) {
                _cleanup_(fd_closep) int target_fd = -EBADF, copy_fd = -EBADF;
                struct stat st;
                int mask_fd;

                target_fd = beneath_open(m->root_fd, *path, O_PATH, 0, 0);
                if (target_fd == -ENOENT || target_fd == -ENOTDIR)
                        continue; /* the list names what any kernel may have */
                if (target_fd < 0 || fstat(target_fd, &st) < 0)
                        return error_set_errno(
                                reterr, target_fd < 0 ? target_fd : -errno, "mask %s", *path);

                /* One tmpfs for all folders: the first gets it, the others copies. Only what is mounted
                 * somewhere can be copied (before Linux 6.15). */
                if (S_ISDIR(st.st_mode) && !empty_used) {
                        mask_fd = m->empty_fd;
                        empty_used = true;
                } else
                        mask_fd = copy_fd =
                                mount_clone(S_ISDIR(st.st_mode) ? m->empty_fd : m->null_fd,
                                        /* recursive= */ false);

                r = mask_fd < 0 ? mask_fd : mount_attach(mask_fd, target_fd);
                if (r < 0)
                        return error_set_errno(reterr, r, "mask %s", *path);
        }

        return 0;
}

int mounts_make_read_only(Mounts *m, char *const *paths, Error *reterr) {
        STRV_FOREACH (path, paths) {
                _cleanup_(fd_closep) int target_fd = -EBADF, copy_fd = -EBADF;
                int r;

                target_fd = beneath_open(m->root_fd, *path, O_PATH, 0, 0);
                if (target_fd == -ENOENT || target_fd == -ENOTDIR)
                        continue;
                copy_fd = target_fd < 0 ? target_fd : mount_clone(target_fd, /* recursive= */ true);
                r = copy_fd < 0 ? copy_fd : mount_change(copy_fd, MOUNT_ATTR_RDONLY, 0, 0, true);
                if (r >= 0)
                        r = mount_attach(copy_fd, target_fd);
                if (r < 0)
                        return error_set_errno(reterr, r, "make %s read-only", *path);
        }

        return 0;
}
