/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layer work that takes long: a writable layer of a driver that copies, and emptying the trash. */
#include "engine/storage/apply.h"
#include "engine/storage/storage.h"
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
