/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layers as folders: made, found, described, removed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/storage/driver.h"
#include "engine/storage/storage-internal.h"
#include "engine/storage/storage.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define REMOVE_AT_ONCE 64U /* files of a tree that is deleted inline */

const char *storage_layer_digits(const char *s) {
        const char *digits;

        if (!s)
                return NULL;
        digits = str_starts(s, "sha256:") ?: s;
        return ident_is_valid(digits) ? digits : NULL;
}

static int storage_no_layer(const char *id, Error *reterr) {
        return error_set(reterr, ERROR_NOT_FOUND, "No such layer: %s", str_or_empty(id));
}

int storage_layer_exists(Storage *s, const char *id) {
        const char *digits;

        assert(s);

        digits = storage_layer_digits(id);
        return digits ? file_is_dir_at(s->layers_fd, digits) : -EINVAL;
}

int storage_list_layers(Storage *s, bool of_images, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL, **list = NULL;
        int r;

        assert(s);
        assert(ret);

        r = file_list(s->layers_fd, ".", /* hidden= */ false, &names);
        if (r < 0)
                return r;

        STRV_FOREACH (n, names) {
                char record[IDENT_SIZE + STRLEN("/" LAYER_RECORD)];

                if (!ident_is_valid(*n))
                        continue;
                (void) snprintf(record, sizeof(record), "%s/" LAYER_RECORD, *n);
                if ((faccessat(s->layers_fd, record, F_OK, AT_SYMLINK_NOFOLLOW) >= 0) != of_images)
                        continue;
                r = strv_add(&list, *n);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(list);
        return 0;
}

int storage_layer_parent(Storage *s, const char *digits, char ret[static IDENT_SIZE]) {
        char link[IDENT_SIZE + STRLEN("/" LAYER_PARENT_LINK)], target[IDENT_SIZE + STRLEN("../")];
        ssize_t size;

        assert(ident_is_valid(digits));

        (void) snprintf(link, sizeof(link), "%s/" LAYER_PARENT_LINK, digits);
        size = readlinkat(s->layers_fd, link, target, sizeof(target));
        if (size < 0)
                return errno == ENOENT ? 0 : -errno;
        if ((size_t) size != sizeof(target) - 1)
                return -EBADMSG;
        target[size] = '\0';
        if (!str_starts(target, "../") || !ident_is_valid(target + 3))
                return -EBADMSG;

        (void) strcpy(ret, target + 3);
        return 1;
}

int storage_chain(Storage *s, const char *digits, char ***ret) {
        _cleanup_(strv_freep) char **chain = NULL;
        char id[IDENT_SIZE];
        int r;

        assert(ident_is_valid(digits));

        (void) strcpy(id, digits);
        for (unsigned n = 0;; n++) {
                if (n > STORAGE_LAYERS_MAX) /* a circle, or too many for the kernel */
                        return -ELOOP;

                r = file_is_dir_at(s->layers_fd, id);
                if (r <= 0)
                        return r < 0 ? r : -ENOENT;
                r = strv_add(&chain, id);
                if (r >= 0)
                        r = storage_layer_parent(s, id, id);
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
        }

        *ret = TAKE_PTR(chain);
        return 0;
}

int storage_folder_make(Storage *s, char **ret_name) {
        _cleanup_(freep) char *name = NULL;
        int r;

        r = str_printf(&name, "layer-%016llx", (unsigned long long) random_u64());
        if (r < 0)
                return r;
        if (mkdirat(s->tmp_fd, name, 0700) < 0)
                return -errno;

        *ret_name = TAKE_PTR(name);
        return 0;
}

int storage_folder_publish(
        Storage *s, const char *folder, const char *digits, const char *parent_digits) {
        _cleanup_(freep) char *link = NULL, *target = NULL;
        int r;

        if (parent_digits) {
                if (str_printf(&link, "%s/" LAYER_PARENT_LINK, folder) < 0 ||
                        str_printf(&target, "../%s", parent_digits) < 0)
                        return -ENOMEM;
                if (symlinkat(target, s->tmp_fd, link) < 0)
                        return -errno;
        }

        if (s->driver->publish) {
                r = s->driver->publish(s->state, digits);
                if (r < 0)
                        return r;
        }

        if (renameat2(s->tmp_fd, folder, s->layers_fd, digits, RENAME_NOREPLACE) < 0)
                return -errno;
        return 0;
}

bool storage_create_is_quick(const Storage *s) {
        return FLAGS_SET(s->driver->flags, STORAGE_CREATE_QUICK);
}

int storage_layer_create(Storage *s, const char *id, const char *parent, Error *reterr) {
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *below = NULL;
        int r;

        assert(s);

        if (!ident_is_valid(str_or_empty(id)))
                return error_set(reterr, ERROR_INVALID, "Invalid layer id: %s", str_or_empty(id));

        if (!str_empty(parent)) {
                below = storage_layer_digits(parent);
                if (!below || storage_layer_exists(s, below) <= 0)
                        return storage_no_layer(parent, reterr);
        }

        r = storage_layer_exists(s, id);
        if (r != 0)
                return r < 0 ? r : error_set(reterr, ERROR_EXISTS, "Layer %s exists already", id);

        r = storage_folder_make(s, &folder);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to make a layer");

        fd = file_open_dir(s->tmp_fd, folder);
        r = fd < 0 ? fd : s->driver->create(s->state, fd, below, /* writable= */ true, reterr);
        if (r >= 0)
                r = storage_folder_publish(s, folder, id, below);
        if (r < 0) {
                (void) file_remove_tree(s->tmp_fd, folder);
                return error_set_errno(reterr, r, "Failed to make layer %s", id);
        }

        return 0;
}

int storage_mount_spec(Storage *s, const char *id, bool read_only, MountSpec *ret, Error *reterr) {
        _cleanup_(strv_freep) char **chain = NULL;
        const char *digits;
        int r;

        assert(s);
        assert(ret);

        digits = storage_layer_digits(id);
        if (!digits)
                return storage_no_layer(id, reterr);

        r = storage_chain(s, digits, &chain);
        if (r == -ENOENT)
                return error_set(
                        reterr, ERROR_NOT_FOUND, "Layer %s or one below it is missing", digits);
        if (r >= 0)
                r = s->driver->mount_spec(s->state, chain, read_only, ret, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "Layer %s", digits);

        return 0;
}

int storage_layer_describe(Storage *s, const char *id, bool read_only, char ***ret_pairs) {
        _cleanup_(strv_freep) char **chain = NULL;
        const char *digits;
        int r;

        assert(s);
        assert(ret_pairs);

        digits = storage_layer_digits(id);
        if (!digits)
                return -EINVAL;

        r = storage_chain(s, digits, &chain);
        if (r < 0)
                return r;

        return s->driver->describe(s->state, chain, read_only, ret_pairs);
}

/* Are there at most *budget files in the tree? Nothing is removed. */
static bool storage_tree_is_small(int dir_fd, const char *name, unsigned *budget, unsigned depth) {
        DIR *d;
        bool small = true;
        int fd;

        fd = file_open_dir(dir_fd, name);
        if (fd < 0)
                return false;
        d = fdopendir(fd);
        if (!d) {
                fd_close(fd);
                return false;
        }

        for (const struct dirent *de; small && (de = readdir(d));) {
                if (STR_IN_SET(de->d_name, ".", ".."))
                        continue;
                if (*budget == 0 || depth == 0)
                        small = false;
                else {
                        (*budget)--;
                        if (de->d_type == DT_DIR || de->d_type == DT_UNKNOWN)
                                small = storage_tree_is_small(
                                        dirfd(d), de->d_name, budget, depth - 1);
                }
        }

        (void) closedir(d);
        return small;
}

int storage_layer_remove(Storage *s, const char *id) {
        _cleanup_(freep) char *trash = NULL;
        unsigned budget = REMOVE_AT_ONCE;
        const char *digits;
        int r;

        assert(s);

        digits = storage_layer_digits(id);
        if (!digits)
                return -EINVAL;

        r = str_printf(&trash, "%s-%016llx", digits, (unsigned long long) random_u64());
        if (r < 0)
                return r;

        if (s->driver->withdraw)
                s->driver->withdraw(s->state, digits);

        if (renameat(s->layers_fd, digits, s->trash_fd, trash) < 0)
                return errno == ENOENT ? 0 : -errno;

        if (!storage_tree_is_small(s->trash_fd, trash, &budget, 16))
                return 1;

        return file_remove_tree(s->trash_fd, trash) < 0 ? 1 : 0;
}

static int parent_usage(Storage *s, const char *digits, uint64_t *ret) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char parent[IDENT_SIZE];
        int r;

        r = storage_layer_parent(s, digits, parent);
        if (r <= 0)
                return r;
        fd = file_open_dir(s->layers_fd, parent);
        return fd < 0 ? fd : s->driver->usage(s->state, fd, ret);
}

int storage_layer_usage(Storage *s, const char *id, uint64_t *ret) {
        _cleanup_(fd_closep) int fd = -EBADF;
        uint64_t size, below = 0;
        const char *digits;
        int r;

        assert(s);
        assert(ret);

        digits = storage_layer_digits(id);
        if (!digits)
                return -EINVAL;

        fd = file_open_dir(s->layers_fd, digits);
        if (fd < 0)
                return fd;

        r = s->driver->usage(s->state, fd, &size);
        if (r < 0)
                return r;
        if (!(s->driver->flags & STORAGE_UNPACK_ALONE)) { /* the folder holds the whole tree */
                r = parent_usage(s, digits, &below);
                if (r < 0)
                        return r;
        }

        *ret = size > below ? size - below : 0;
        return 0;
}
