/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/content/blobs.h"
#include "engine/storage/driver.h"
#include "engine/storage/storage-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* Best first. */
static const StorageDriver *const storage_drivers[] = {
        &storage_driver_overlay2,
        &storage_driver_vfs,
};

static const struct {
        const char *name;
        const char *why;
} storage_known[] = {
        { "aufs", "AUFS is not part of the Linux kernel" },
        { "btrfs", "the driver btrfs is not part of this version" },
        { "devicemapper", "the driver devicemapper is not part of this version" },
        { "fuse-overlayfs", "fuse-overlayfs is for engines without root" },
        { "overlay", "the old driver overlay has been replaced by overlay2" },
        { "windowsfilter", "windowsfilter is for Windows" },
        { "zfs", "the driver zfs is not part of this version" },
};

static const StorageDriver *storage_driver_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(storage_drivers); i++)
                if (streq(storage_drivers[i]->name, name))
                        return storage_drivers[i];
        return NULL;
}

static int storage_usable_at(int root_fd, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(storage_drivers); i++) {
                r = storage_drivers[i]->probe(root_fd, NULL);
                if (r > 0)
                        r = strv_add(&list, storage_drivers[i]->name);
                if (r == -ENOMEM)
                        return r;
        }

        *ret = TAKE_PTR(list);
        return 0;
}

int storage_list_usable(const char *data_root, char ***ret) {
        _cleanup_(fd_closep) int fd = -EBADF;

        assert(data_root);
        assert(ret);

        fd = open(data_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        return storage_usable_at(fd, ret);
}

/* "…; usable here: overlay2, vfs". */
static int storage_refuse(int root_fd, Error *reterr, const char *name, const char *why) {
        _cleanup_(strv_freep) char **usable = NULL;
        _cleanup_(freep) char *list = NULL;

        if (storage_usable_at(root_fd, &usable) < 0)
                return -ENOMEM;
        list = strv_join(usable, ", ");
        if (!list)
                return -ENOMEM;

        return error_set(reterr, ERROR_INVALID,
                "Storage driver %s cannot be used: %s; usable here: %s", name, why,
                str_empty(list) ? "none" : list);
}

static int storage_pick_named(
        int root_fd, const char *name, const StorageDriver **ret, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        const StorageDriver *d;
        int r;

        d = storage_driver_find(name);
        if (!d) {
                for (size_t i = 0; i < ARRAY_SIZE(storage_known); i++)
                        if (streq(storage_known[i].name, name))
                                return storage_refuse(root_fd, reterr, name, storage_known[i].why);
                return storage_refuse(root_fd, reterr, name, "no such driver");
        }

        r = d->probe(root_fd, &e);
        if (r < 0)
                return error_set_errno(reterr, r, "Storage driver %s", name);
        if (r == 0)
                return storage_refuse(root_fd, reterr, name, error_text(&e, -EOPNOTSUPP));

        *ret = d;
        return 0;
}

/* Does the data root hold layers of this driver? */
static bool storage_has_layers(int root_fd, const StorageDriver *d) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = file_open_dir(root_fd, "layers");
        if (fd < 0 || file_list(fd, d->name, /* hidden= */ false, &names) < 0)
                return false;

        STRV_FOREACH (n, names)
                if (ident_is_valid(*n))
                        return true;
        return false;
}

static int storage_pick(int root_fd, const char *name, const StorageDriver **ret, Error *reterr) {
        if (!str_empty(name))
                return storage_pick_named(root_fd, name, ret, reterr);

        for (int used = 1; used >= 0; used--)
                for (size_t i = 0; i < ARRAY_SIZE(storage_drivers); i++) {
                        if (used && !storage_has_layers(root_fd, storage_drivers[i]))
                                continue;
                        if (storage_drivers[i]->probe(root_fd, NULL) > 0) {
                                *ret = storage_drivers[i];
                                return 0;
                        }
                }

        return error_set(reterr, ERROR_UNAVAILABLE,
                "No storage driver works on the file system of the data root");
}

/* Tells ext4 that what is made in this folder is not related: each new layer goes to a part of the disk of its own. Else its files
 * would look for inodes where the files of a layer were that has just been removed, which ext4 keeps back for a while: it then
 * searches through all of those for every single file. Other file systems do not know the flag. */
static void storage_spread(int dir_fd) {
        int flags;

        if (ioctl(dir_fd, FS_IOC_GETFLAGS, &flags) >= 0 && !(flags & FS_TOPDIR_FL)) {
                flags |= FS_TOPDIR_FL;
                (void) ioctl(dir_fd, FS_IOC_SETFLAGS, &flags);
        }
}

int storage_open(const char *data_root, const char *driver, char *const *options, Storage **ret,
        Error *reterr) {
        _cleanup_(storage_freep) Storage *s = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        assert(data_root);
        assert(ret);

        s = new (Storage, 1);
        if (!s)
                return -ENOMEM;
        *s = (Storage) {
                .root_fd = -EBADF, .layers_fd = -EBADF, .tmp_fd = -EBADF, .trash_fd = -EBADF
        };

        s->root_fd = open(data_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->root_fd < 0)
                return error_set_errno(reterr, -errno, "Data root %s", data_root);

        r = storage_pick(s->root_fd, driver, &s->driver, reterr);
        if (r < 0)
                return r;

        s->options = strv_copy(options);
        s->path = path_join(data_root, "layers", s->driver->name);
        if (!s->options || !s->path || str_copy(&s->data_root, data_root) < 0)
                return -ENOMEM;

        fd = file_mkdir_open(s->root_fd, "layers", 0710);
        s->layers_fd = fd < 0 ? fd : file_mkdir_open(fd, s->driver->name, 0710);
        s->tmp_fd = s->layers_fd < 0 ? s->layers_fd : file_mkdir_open(s->root_fd, "tmp", 0700);
        s->trash_fd = s->tmp_fd < 0 ? s->tmp_fd : file_mkdir_open(s->tmp_fd, "trash", 0700);
        if (s->trash_fd < 0)
                return error_set_errno(
                        reterr, s->trash_fd, "Data root %s: cannot make its folders", data_root);

        storage_spread(s->tmp_fd);

        r = s->driver->open(s->layers_fd, s->path, options, &s->state, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "Storage driver %s", s->driver->name);

        *ret = TAKE_PTR(s);
        return 0;
}

Storage *storage_free(Storage *s) {
        if (!s)
                return NULL;

        if (s->driver)
                s->driver->close(s->state);
        fd_close(s->root_fd);
        fd_close(s->layers_fd);
        fd_close(s->tmp_fd);
        fd_close(s->trash_fd);
        strv_free(s->options);
        free(s->data_root);
        free(s->path);
        return mfree(s);
}

const char *storage_driver_name(const Storage *s) {
        return s->driver->name;
}

char *const *storage_options(const Storage *s) {
        return s->options;
}

const char *storage_data_root(const Storage *s) {
        return s->data_root;
}

int storage_status(Storage *s, char ***ret_pairs) {
        assert(s);

        return s->driver->status(s->state, ret_pairs);
}

int storage_tidy(Storage *s) {
        _cleanup_(blobs_freep) Blobs *blobs = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        assert(s);

        /* A worker that outlived an earlier daemon may still be busy: then later. */
        r = blobs_open(s->root_fd, &blobs);
        if (r >= 0)
                r = blobs_lock(blobs, /* exclusive= */ true, /* wait= */ false);
        if (r == -EAGAIN)
                return 0;
        if (r < 0)
                return r;

        r = file_list(s->tmp_fd, ".", /* hidden= */ true, &names);
        if (r < 0)
                return r;

        STRV_FOREACH (n, names) {
                _cleanup_(freep) char *trash = NULL;

                /* workers have their own root at "empty", and a container's at "root" */
                if (STR_IN_SET(*n, "empty", "lock", "root", "trash"))
                        continue;

                r = str_printf(&trash, "%.200s-%016llx", *n, (unsigned long long) random_u64());
                if (r < 0)
                        return r;
                if (renameat(s->tmp_fd, *n, s->trash_fd, trash) < 0)
                        return -errno;
        }

        names = strv_free(names);
        r = file_list(s->trash_fd, ".", /* hidden= */ true, &names);
        if (r < 0)
                return r;
        return !strv_empty(names);
}

int storage_trash_empty(Storage *s) {
        int n = 0, removed, error;

        assert(s);

        /* Others may be at it too, and more may come meanwhile. */
        do {
                _cleanup_(strv_freep) char **names = NULL;
                int r;

                r = file_list(s->trash_fd, ".", /* hidden= */ true, &names);
                if (r < 0)
                        return r;

                removed = error = 0;
                STRV_FOREACH (name, names) {
                        r = file_remove_tree(s->trash_fd, *name);
                        if (r >= 0)
                                removed += r;
                        else if (r != -ENOENT && error == 0)
                                error = r;
                }
                n += removed;
        } while (removed > 0);

        return error < 0 ? error : n;
}
