/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

int mount_is_mount_point(int dir_fd, const char *name) {
        struct statx sx;

        assert(name);

        if (statx(dir_fd, name,
                    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] ? 0 : AT_EMPTY_PATH), 0,
                    &sx) < 0)
                return -errno;
        if (!(sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
                return -EOPNOTSUPP;

        return (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* The kernel keeps "e overlay: …" lines at the fs context; the last error is the one that
 * counts. */
static void read_messages(int fs_fd, char **reterr_text) {
        char line[1024];
        ssize_t n;

        if (!reterr_text)
                return;

        while ((n = read(fs_fd, line, sizeof(line) - 1)) > 0) {
                line[n] = 0;
                str_chomp(line);
                if (n > 2 && line[0] == 'e') {
                        char *text = str_escape_terminal(line + 2);

                        if (text) {
                                free(*reterr_text);
                                *reterr_text = text;
                        }
                }
        }
}

static int set_option(int fs_fd, const char *option) {
        _cleanup_(freep) char *key = NULL, *value = NULL;
        int r;

        r = str_split_pair(option, '=', &key, &value);
        if (r == -EINVAL)
                return fsconfig(fs_fd, FSCONFIG_SET_FLAG, option, NULL, 0) < 0 ? -errno : 0;
        if (r < 0)
                return r;

        return fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

int mount_new(const char *type, const char *source, char *const *options, unsigned attributes,
        char **reterr_text) {
        _cleanup_(fd_closep) int fs_fd = -EBADF;
        int fd, r = 0;

        assert(type);

        fs_fd = fsopen(type, FSOPEN_CLOEXEC);
        if (fs_fd < 0)
                return -errno;

        if (source && fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source, 0) < 0)
                r = -errno;
        STRV_FOREACH (option, options)
                if (r >= 0)
                        r = set_option(fs_fd, *option);
        if (r >= 0 && fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                r = -errno;
        if (r < 0) {
                read_messages(fs_fd, reterr_text);
                return r;
        }

        fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes);
        if (fd < 0) {
                r = -errno;
                read_messages(fs_fd, reterr_text);
                return r;
        }
        return fd;
}

int mount_clone(int fd, bool recursive) {
        int copy;

        copy = open_tree(fd, "",
                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
                        (recursive ? AT_RECURSIVE : 0));
        return copy < 0 ? -errno : copy;
}

int mount_attach(int mount_fd, int target_fd) {
        return move_mount(mount_fd, "", target_fd, "",
                       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
                     ? -errno
                     : 0;
}

int mount_change(int mount_fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive) {
        struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation };

        return mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
                       sizeof(attr)) < 0
                     ? -errno
                     : 0;
}

int mount_detach(int fd) {
        char path[FD_PATH_SIZE];

        /* umount2() has no form for an fd; the magic link leads to the root of exactly this
         * mount. */
        return umount2(fd_path(fd, path), MNT_DETACH) < 0 ? -errno : 0;
}
