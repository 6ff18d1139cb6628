/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layer work that takes long: a writable layer of a driver that copies, emptying the trash, measuring. */
#include <errno.h>

#include "engine/storage/apply.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
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

int task_layer_remove_run(TaskContext *c, Error *reterr) {
        int r;

        r = storage_trash_empty(c->storage);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to remove what was thrown away");
        return 0;
}

static int measure(TaskContext *c, const char *id) {
        TaskLayer *l = c->result.layers + c->result.n_layers;
        uint64_t size;
        int r;

        r = storage_layer_usage(c->storage, id, &size);
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

int task_measure_run(TaskContext *c, Error *reterr) {
        c->result.layers = new0(TaskLayer, strv_length(c->spec.layers) + 1);
        if (!c->result.layers)
                return -ENOMEM;

        STRV_FOREACH (id, c->spec.layers) {
                int r;

                if (task_cancelled(c))
                        return -ECANCELED;
                r = measure(c, *id);
                if (r < 0)
                        return error_set_errno(reterr, r, "Failed to measure layer %s", *id);
        }
        return 0;
}
