/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no image refers to any more: blobs and layers go to the trash by renames, and a worker empties it. Only when no worker brings
 * new ones, which nothing refers to yet. */
#include <errno.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "engine/image/images-internal.h"
#include "engine/storage/storage.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static int on_trash_emptied(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        Images *s = userdata;

        if (r < 0)
                log_warning("Failed to empty the trash, ignoring: %s", error_text(e, r));
        s->trash_job = job_unref(s->trash_job);
        return 0;
}

static int images_empty_trash(Images *s) {
        _cleanup_(job_unrefp) Job *j = NULL;
        TaskSpec task = {
                .kind = TASK_LAYER_REMOVE,
                .data_root = (char *) storage_data_root(s->storage),
                .driver = (char *) storage_driver_name(s->storage),
                .driver_opts = (char **) storage_options(s->storage),
        };
        int r;

        if (s->trash_job || !s->workers)
                return 0;

        r = job_new(s->jobs, JOB_LAYER, "remove layers", on_trash_emptied, s, &j);
        if (r < 0)
                return r;
        s->trash_job = job_ref(j);
        r = worker_start(s->workers, &task, NULL, 0, j);
        if (r < 0)
                s->trash_job = job_unref(s->trash_job);
        return r;
}

static int mark_all(Hashmap *marks, char *const *list) {
        STRV_FOREACH (x, list) {
                int r = hashmap_set(marks, *x, *x, NULL);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int sweep_mark(Images *s, Hashmap *blobs, Hashmap *layers) {
        Image *i;
        int r = 0;

        HASHMAP_FOREACH (i, s->by_id) {
                r = mark_all(blobs, i->blobs);
                if (r >= 0)
                        r = mark_all(layers, i->chain_ids);
                if (r < 0)
                        return r;
        }
        for (size_t k = 0; r >= 0 && k < s->n_unlisted; k++) {
                r = mark_all(blobs, s->unlisted[k]->blobs);
                if (r >= 0)
                        r = mark_all(layers, s->unlisted[k]->chain_ids);
        }
        return r;
}

/* 1: there is something in the trash now. */
static int sweep_remove(Images *s, Hashmap *blobs, Hashmap *layers) {
        _cleanup_(strv_freep) char **all = NULL;
        int r, trash = 0;

        r = blobs_list(s->blobs, &all);
        if (r < 0)
                return r;
        STRV_FOREACH (b, all) {
                if (hashmap_contains(blobs, *b))
                        continue;
                r = blobs_remove(s->blobs, *b);
                if (r < 0)
                        return r;
                trash |= r;
        }

        all = strv_free(all);
        r = storage_list_layers(s->storage, /* of_images= */ true, &all);
        if (r < 0)
                return r;
        STRV_FOREACH (l, all) {
                _cleanup_(freep) char *chain_id = str_concat("sha256:", *l);

                if (!chain_id)
                        return -ENOMEM;
                if (hashmap_contains(layers, chain_id))
                        continue;
                r = storage_layer_remove(s->storage, *l);
                if (r < 0)
                        return r;
                trash |= r;
        }
        return trash;
}

void images_sweep(Images *s) {
        _cleanup_(hashmap_freep) Hashmap *blobs = NULL, *layers = NULL;
        int r;

        assert(s);

        if (s->ending || s->n_damaged > 0)
                return;

        /* A worker may be at it, also one of an earlier daemon: then when the next job has ended. */
        s->sweep_wanted = true;
        if (s->n_jobs > 0)
                return;
        r = blobs_lock(s->blobs, /* exclusive= */ true, /* wait= */ false);
        if (r == -EAGAIN)
                return;
        s->sweep_wanted = false;
        if (r >= 0) {
                blobs = hashmap_new(HASHMAP_STRING);
                layers = hashmap_new(HASHMAP_STRING);
                r = blobs && layers ? sweep_mark(s, blobs, layers) : -ENOMEM;
        }
        if (r >= 0)
                r = sweep_remove(s, blobs, layers);
        blobs_unlock(s->blobs);

        if (r >= 0) { /* and the folders of workers that were killed */
                int tidy = storage_tidy(s->storage);

                r = tidy < 0 ? tidy : r | tidy;
        }
        if (r > 0)
                r = images_empty_trash(s);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to sweep the images: %m, ignoring");
}

void images_on_jobs_changed(Job *j, bool added, void *userdata) {
        Images *s = userdata;

        if (!added && s->sweep_wanted)
                images_sweep(s);
}

bool images_layer_is_used(Images *s, const char *chain_id, const Image *but) {
        Image *i;

        HASHMAP_FOREACH (i, s->by_id) {
                if (i != but && strv_contains(i->chain_ids, chain_id))
                        return true;
        }
        for (size_t k = 0; k < s->n_unlisted; k++)
                if (strv_contains(s->unlisted[k]->chain_ids, chain_id))
                        return true;
        return false;
}
