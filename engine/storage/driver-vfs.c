/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfs: every layer is a whole tree, copied from the one below. Works on every file system and for every user; shares blocks where the
 * file system can (reflink). The driver of the tests. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/storage/copy-tree.h"
#include "engine/storage/driver.h"
#include "engine/storage/storage-internal.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Vfs {
        int layers_fd; /* borrowed */
        char *path;
} Vfs;

static int vfs_probe(int root_fd, Error *reterr) {
        return 1;
}

static void vfs_close(void *state) {
        Vfs *v = state;

        if (!v)
                return;

        free(v->path);
        free(v);
}

static int vfs_open(
        int layers_fd, const char *path, char *const *options, void **ret_state, Error *reterr) {
        Vfs *v;

        STRV_FOREACH (s, options)
                if (!str_starts(*s, "overlay2."))
                        return error_set(reterr, ERROR_INVALID,
                                "Storage driver vfs has no option \"%s\"", *s);

        v = new0(Vfs, 1);
        if (!v)
                return -ENOMEM;

        v->layers_fd = layers_fd;
        v->path = strdup(path);
        if (!v->path) {
                vfs_close(v);
                return -ENOMEM;
        }

        *ret_state = v;
        return 0;
}

static int vfs_create(void *state, int dir_fd, const char *parent, bool writable, Error *reterr) {
        char name[IDENT_SIZE + STRLEN("/" LAYER_DIFF)];
        _cleanup_(fd_closep) int from = -EBADF, to = -EBADF;
        const Vfs *v = state;

        if (mkdirat(dir_fd, LAYER_DIFF, 0755) < 0)
                return -errno;
        to = file_open_dir(dir_fd, LAYER_DIFF);
        if (to < 0)
                return to;
        if (!parent)
                return fchmod(to, 0755) < 0 ? -errno : 0;

        (void) snprintf(name, sizeof(name), "%s/" LAYER_DIFF, parent);
        from = file_open_dir(v->layers_fd, name);
        if (from < 0)
                return from;

        return copy_tree(from, to);
}

static int vfs_mount_spec(
        void *state, char *const *chain, bool read_only, MountSpec *ret, Error *reterr) {
        const Vfs *v = state;

        *ret = (MountSpec) { .read_only = read_only };
        if (str_copy(&ret->type, "bind") < 0 || str_copy(&ret->directory, v->path) < 0 ||
                str_copy(&ret->options, "") < 0 ||
                str_printf(&ret->source, "%s/%s/" LAYER_DIFF, v->path, chain[0]) < 0) {
                mount_spec_done(ret);
                return -ENOMEM;
        }
        return 0;
}

static int vfs_usage(void *state, int dir_fd, uint64_t *ret) {
        return file_tree_usage(dir_fd, LAYER_DIFF, NULL, ret);
}

static int vfs_status(void *state, char ***ret_pairs) {
        return (*ret_pairs = strv_new(NULL)) ? 0 : -ENOMEM;
}

static int vfs_describe(void *state, char *const *chain, bool read_only, char ***ret_pairs) {
        return (*ret_pairs = strv_new(NULL)) ? 0 : -ENOMEM;
}

const StorageDriver storage_driver_vfs = {
        .name = "vfs",
        .probe = vfs_probe,
        .open = vfs_open,
        .close = vfs_close,
        .create = vfs_create,
        .mount_spec = vfs_mount_spec,
        .usage = vfs_usage,
        .status = vfs_status,
        .describe = vfs_describe,
};
