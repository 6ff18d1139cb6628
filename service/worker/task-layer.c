/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layer work that takes long: a writable layer of a driver that copies, emptying the trash, measuring. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/storage/apply.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/rootfs/volume-mount.h"
#include "service/worker/task.h"

int task_layer_create_run(TaskContext *c, Error *reterr) {
        int r;

        r = storage_layer_create(c->storage, c->spec.layer_id, c->spec.layer_parent, reterr);
        if (r < 0)
                return r;

        r = storage_sync(c->storage);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to sync layer %s", c->spec.layer_id);

        return storage_layer_usage(c->storage, c->spec.layer_id, &c->result.layer_size);
}

/* A volume that was removed while something was mounted there: what is mounted must not be emptied with the rest. */
int task_layer_remove_enter(TaskContext *c, Error *reterr) {
        _cleanup_(fd_closep) int trash_fd =
                openat(c->root_fd, "tmp/trash", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (trash_fd >= 0 && geteuid() == 0)
                volume_mount_clear_trash(trash_fd);
        return 0;
}

int task_unmount_volumes_enter(TaskContext *c, Error *reterr) {
        _cleanup_(fd_closep) int volumes_fd = file_open_dir(c->root_fd, "volumes");
        int r = 0;

        if (volumes_fd < 0)
                return volumes_fd;
        STRV_FOREACH (name, c->spec.volumes) {
                int k = volume_mount_release(volumes_fd, *name);

                if (k < 0)
                        r = error_set_errno(reterr, k, "Failed to unmount volume %s", *name);
        }
        return r;
}

int task_unmount_volumes_run(TaskContext *c, Error *reterr) {
        return 0;
}

int task_layer_remove_run(TaskContext *c, Error *reterr) {
        int r;

        r = storage_trash_empty(c->storage);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to remove what was thrown away");
        return 0;
}

static int add_size(TaskContext *c, const char *id, int r, uint64_t size) {
        TaskLayer *l = c->result.layers + c->result.n_layers;

        if (r == -ENOENT)
                return 0; /* removed meanwhile */
        if (r < 0)
                return r;
        *l = (TaskLayer) { .size = size };
        r = str_copy(&l->id, id);
        if (r < 0)
                return r;
        c->result.n_layers++;
        return 0;
}

static int measure_layer(TaskContext *c, const char *id) {
        uint64_t size = 0;
        int r = storage_layer_usage(c->storage, id, &size);

        return add_size(c, id, r, size);
}

static int measure_volume(TaskContext *c, const char *name) {
        _cleanup_(freep) char *path = NULL;
        uint64_t size = 0;
        int r;

        r = str_printf(&path, "volumes/%s/_data", name);
        if (r >= 0)
                r = file_tree_usage(c->root_fd, path, NULL, &size);
        return add_size(c, name, r, size);
}

int task_measure_run(TaskContext *c, Error *reterr) {
        size_t n = strv_length(c->spec.layers) + strv_length(c->spec.volumes);
        int r;

        c->result.layers = new0(TaskLayer, n + 1);
        if (!c->result.layers)
                return -ENOMEM;

        STRV_FOREACH (id, c->spec.layers) {
                r = task_cancelled(c) ? -ECANCELED : measure_layer(c, *id);
                if (r < 0)
                        return error_set_errno(reterr, r, "Failed to measure layer %s", *id);
        }
        STRV_FOREACH (name, c->spec.volumes) {
                r = task_cancelled(c) ? -ECANCELED : measure_volume(c, *name);
                if (r < 0)
                        return error_set_errno(reterr, r, "Failed to measure volume %s", *name);
        }
        return 0;
}
