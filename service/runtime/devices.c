/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/devices.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/mountinfo.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/mounts.h"

typedef struct DefaultDevice {
        const char *name;
        unsigned major, minor;
} DefaultDevice;

static const DefaultDevice default_devices[] = {
        { "null", 1, 3 },
        { "zero", 1, 5 },
        { "full", 1, 7 },
        { "random", 1, 8 },
        { "urandom", 1, 9 },
        { "tty", 5, 0 },
};

static const char *const default_links[][2] = {
        { "fd", "/proc/self/fd" },
        { "stdin", "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" },
        { "stderr", "/proc/self/fd/2" },
        { "core", "/proc/kcore" },
        { "ptmx", "pts/ptmx" },
};

static int type_bits(const RuntimeDevice *d, mode_t *ret) {
        if (STR_IN_SET(str_or_empty(d->type), "c", "u"))
                *ret = S_IFCHR;
        else if (str_equal(d->type, "b"))
                *ret = S_IFBLK;
        else if (str_equal(d->type, "p"))
                *ret = S_IFIFO;
        else
                return -EINVAL;
        return 0;
}

static bool is_default(const RuntimeDevice *d) {
        const char *name = path_below(d->path, "/dev");

        if (name)
                for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++)
                        if (streq(name, default_devices[i].name))
                                return true;
        return false;
}

/* A copy of the host's node, if it is what the list says it is. */
static int open_host_node(const char *path, mode_t type, dev_t device, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;
        int copy;

        fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "device %s of the host", path);
        if ((st.st_mode & S_IFMT) != type || (type != S_IFIFO && st.st_rdev != device))
                return error_set(
                        reterr, ERROR_INVALID, "device %s of the host is another one", path);

        copy = mount_clone(fd, /* recursive= */ false);
        return copy < 0 ? error_set_errno(reterr, copy, "device %s of the host", path) : copy;
}

static int check_device(const RuntimeDevice *d, Error *reterr) {
        mode_t type;

        if (str_empty(d->path) || !path_is_normalised(d->path) || streq(d->path, "/"))
                return error_set(reterr, ERROR_INVALID,
                        "device path \"%s\" is not absolute and plain", str_or_empty(d->path));
        if (type_bits(d, &type) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "device %s: type \"%s\" is not one of b, c, p", d->path,
                        str_or_empty(d->type));
        if (type != S_IFIFO &&
                (d->major < 0 || d->major > 0xfff || d->minor < 0 || d->minor > 0xfffff))
                return error_set(reterr, ERROR_INVALID,
                        "device %s: no device has the number %lld:%lld", d->path,
                        (long long) d->major, (long long) d->minor);
        return 0;
}

int devices_open(const RuntimeSpec *spec, bool own_user_namespace, Devices *ret, Error *reterr) {
        _cleanup_(devices_done) Devices d = {};
        size_t n_fds = 0;
        int r;

        assert(spec);
        assert(ret);

        if (spec->linux_) {
                d.list = spec->linux_->devices;
                d.n_list = spec->linux_->n_devices;
        }
        if (d.n_list > DEVICES_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "more than %u devices", DEVICES_MAX);
        for (size_t i = 0; i < d.n_list; i++) {
                r = check_device(d.list + i, reterr);
                if (r < 0)
                        return r;
        }

        if (own_user_namespace) {
                d.host_fds = new (int, ARRAY_SIZE(default_devices) + d.n_list);
                if (!d.host_fds)
                        return -ENOMEM;
                for (size_t i = 0; i < ARRAY_SIZE(default_devices) + d.n_list; i++)
                        d.host_fds[i] = -EBADF;
                for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
                        char path[32] = "/dev/";

                        strcat(path, default_devices[i].name);
                        r = d.host_fds[n_fds++] = open_host_node(path, S_IFCHR,
                                makedev(default_devices[i].major, default_devices[i].minor),
                                reterr);
                        if (r < 0)
                                return r;
                }
                for (size_t i = 0; i < d.n_list; i++) {
                        mode_t type = 0;

                        (void) type_bits(d.list + i, &type);
                        r = d.host_fds[n_fds++] = open_host_node(d.list[i].path, type,
                                makedev((unsigned) d.list[i].major, (unsigned) d.list[i].minor),
                                reterr);
                        if (r < 0)
                                return r;
                }
        }

        *ret = TAKE_STRUCT(d);
        return 0;
}

void devices_done(Devices *d) {
        if (!d)
                return;

        if (d->host_fds)
                fd_close_many(d->host_fds, ARRAY_SIZE(default_devices) + d->n_list);
        d->host_fds = mfree(d->host_fds);
}

/* Takes a node's place: the host's node mounted on an empty file. */
static int mount_node(int dir_fd, const char *name, int host_fd) {
        _cleanup_(fd_closep) int fd = -EBADF, path_fd = -EBADF;

        fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
                return -errno;
        path_fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (path_fd < 0)
                return -errno;
        return mount_attach(host_fd, path_fd);
}

static int make_node(int dir_fd, const char *name, mode_t type, mode_t mode, dev_t device,
        uid_t uid, gid_t gid) {
        struct stat st;

        if (mknodat(dir_fd, name, type | mode, device) < 0) {
                if (errno != EEXIST)
                        return -errno;
                if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return -errno;
                /* A mount of the bundle may have brought it. */
                return (st.st_mode & S_IFMT) == type && st.st_rdev == device ? 0 : -EEXIST;
        }
        if ((uid != 0 || gid != 0) && fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return 0;
}

static int make_listed(const RuntimeDevice *d, int host_fd, Mounts *m) {
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        const char *below = path_below(d->path, "/dev");
        _cleanup_(freep) char *parent = NULL;
        mode_t mode = d->file_mode == JSON_NO_UINT32 ? 0666 : (mode_t) (d->file_mode & 07777), type;
        int r;

        r = type_bits(d, &type);
        if (r < 0)
                return r;

        /* Mostly directly in our /dev. */
        if (!below || strchr(below, '/')) {
                r = path_parent(d->path, &parent);
                if (r < 0)
                        return r;
                dir_fd = beneath_mkdir_p(
                        m->root_fd, parent, 0755, UID_INVALID, GID_INVALID, BENEATH_STRICT);
                if (dir_fd < 0)
                        return dir_fd;
        }

        if (host_fd >= 0)
                return mount_node(dir_fd >= 0 ? dir_fd : m->dev_fd, path_last(d->path), host_fd);

        return make_node(dir_fd >= 0 ? dir_fd : m->dev_fd, path_last(d->path), type, mode,
                makedev((unsigned) d->major, (unsigned) d->minor),
                d->uid == JSON_NO_UINT32 ? 0 : d->uid, d->gid == JSON_NO_UINT32 ? 0 : d->gid);
}

int devices_make(Devices *d, Mounts *m, Error *reterr) {
        mode_t old;
        int r = 0;

        assert(d);
        assert(m);

        if (m->dev_fd < 0)
                return 0;

        old = umask(0);
        for (size_t i = 0; r >= 0 && i < d->n_list; i++) {
                r = make_listed(d->list + i,
                        d->host_fds ? d->host_fds[ARRAY_SIZE(default_devices) + i] : -EBADF, m);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "make the device %s", d->list[i].path);
        }

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(default_devices); i++) {
                const DefaultDevice *dd = default_devices + i;
                bool listed = false;

                for (size_t k = 0; k < d->n_list && !listed; k++)
                        listed = is_default(d->list + k) &&
                                 streq(path_last(d->list[k].path), dd->name);
                if (listed)
                        continue;
                if (d->host_fds)
                        r = mount_node(m->dev_fd, dd->name, d->host_fds[i]);
                else
                        r = make_node(m->dev_fd, dd->name, S_IFCHR, 0666,
                                makedev(dd->major, dd->minor), 0, 0);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "make the device /dev/%s", dd->name);
        }
        (void) umask(old);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ARRAY_SIZE(default_links); i++)
                if (symlinkat(default_links[i][1], m->dev_fd, default_links[i][0]) < 0 &&
                        errno != EEXIST)
                        return error_set_errno(
                                reterr, -errno, "make the link /dev/%s", default_links[i][0]);

        return 0;
}

int device_open_null(int root_fd, int dev_fd) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;

        fd = dev_fd >= 0
                   ? beneath_open(dev_fd, "null", O_PATH | O_NOFOLLOW, 0, BENEATH_STRICT)
                   : beneath_open(root_fd, "/dev/null", O_PATH | O_NOFOLLOW, 0, BENEATH_STRICT);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
                return -ENODEV;

        return TAKE_FD(fd);
}
