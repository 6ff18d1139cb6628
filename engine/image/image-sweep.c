/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no image refers to any more: blobs and layers go to the trash by renames, and a worker empties it. Only when no worker brings
 * new ones, which nothing refers to yet. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "engine/image/images-internal.h"
#include "engine/storage/storage.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/image-spec.h"

static int images_empty_trash(Images *s);

static int on_trash_emptied(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        Images *s = userdata;

        if (r < 0 && r != -ECANCELED)
                log_warning("Failed to empty the trash, ignoring: %s", error_text(e, r));
        s->trash_job = job_unref(s->trash_job);
        if (!s->ending && TAKE(s->trash_again, false)) {
                r = images_empty_trash(s);
                if (r < 0)
                        (void) log_warning_errno(r, "Failed to empty the trash: %m, ignoring");
        }
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

        if (!s->workers)
                return 0;
        if (s->trash_job) { /* it may have looked already */
                s->trash_again = true;
                return 0;
        }

        r = job_new(s->jobs, JOB_LAYER, "remove layers", on_trash_emptied, s, &j);
        if (r < 0)
                return r;
        s->trash_job = job_ref(j);
        r = worker_start(s->workers, &task, NULL, 0, j);
        if (r < 0)
                job_finish(j, NULL, r, NULL);
        return 0;
}

void images_trash_is_full(Images *s) {
        int r = s->ending ? 0 : images_empty_trash(s);

        if (r < 0)
                (void) log_warning_errno(r, "Failed to empty the trash: %m, ignoring");
}

/* What is not to be swept. */
typedef struct Sweep {
        Hashmap *blobs;  /* sha256:…; borrowed from images or from kept */
        Hashmap *layers; /* the same for chain ids */
        char **kept;
        size_t n_kept;
        size_t n_kept_allocated;
} Sweep;

static void sweep_done(Sweep *k) {
        hashmap_free(k->blobs);
        hashmap_free(k->layers);
        for (size_t i = 0; i < k->n_kept; i++)
                free(k->kept[i]);
        free(k->kept);
}

static int sweep_keep(Sweep *k, Hashmap *marks, const char *name) {
        int r;

        r = array_grow(&k->kept, &k->n_kept_allocated, k->n_kept + 1);
        if (r < 0)
                return r;
        k->kept[k->n_kept] = strdup(name);
        if (!k->kept[k->n_kept])
                return -ENOMEM;

        r = hashmap_set(marks, k->kept[k->n_kept], k->kept[k->n_kept], NULL);
        k->n_kept++;
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

/* What a row that is not ours refers to: somebody put it there with another program. */
static int sweep_mark_document(Images *s, const char *digest, unsigned depth, Sweep *k) {
        _cleanup_(image_manifest_done) ImageManifest m = {};
        _cleanup_(image_index_done) ImageIndex index = {};
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (!image_digest_is_valid(digest) || hashmap_contains(k->blobs, digest))
                return 0;
        r = sweep_keep(k, k->blobs, digest);
        if (r < 0)
                return r;

        r = blobs_read(s->blobs, digest, &text, &size, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        r = image_manifest_read(text, size, NULL, &m, NULL);
        if (r == -ENOMEM)
                return r;
        if (r >= 0) {
                r = sweep_keep(k, k->blobs, m.config.digest);
                for (size_t i = 0; r >= 0 && i < m.n_layers; i++)
                        r = sweep_keep(k, k->blobs, m.layers[i].digest);
                return r;
        }

        if (depth >= IMAGE_INDEX_DEPTH_MAX || image_index_read(text, size, NULL, &index, NULL) < 0)
                return 0;
        r = 0;
        for (size_t i = 0; r >= 0 && i < index.n_manifests; i++)
                r = sweep_mark_document(s, index.manifests[i].digest, depth + 1, k);
        return r;
}

static int sweep_mark_others(Images *s, Sweep *k) {
        const Descriptor *d;

        for (size_t i = 0; (d = tags_other(s->tags, i)); i++) {
                int r = sweep_mark_document(s, d->digest, 0, k);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The layers below those of containers whose image has been lost. */
static int sweep_mark_orphans(Images *s, Sweep *k) {
        STRV_FOREACH (b, s->orphans) {
                char chain_id[DIGEST_TEXT_SIZE], digits[IDENT_SIZE];
                int r;

                (void) strcpy(digits, *b);
                while ((r = storage_layer_parent(s->storage, digits, digits)) > 0) {
                        (void) snprintf(chain_id, sizeof(chain_id), "sha256:%s", digits);
                        if (hashmap_contains(k->layers, chain_id))
                                break;
                        r = sweep_keep(k, k->layers, chain_id);
                        if (r < 0)
                                return r;
                }
                if (r < 0 && r != -EBADMSG)
                        return r;
        }
        return 0;
}

static int sweep_begin(Images *s, Sweep *k) {
        Image *i;
        int r = 0;

        k->blobs = hashmap_new(HASHMAP_STRING);
        k->layers = hashmap_new(HASHMAP_STRING);
        if (!k->blobs || !k->layers)
                return -ENOMEM;

        HASHMAP_FOREACH (i, s->by_id) {
                r = mark_all(k->blobs, i->blobs);
                if (r >= 0)
                        r = mark_all(k->layers, i->chain_ids);
                if (r < 0)
                        return r;
        }
        for (size_t n = 0; r >= 0 && n < s->n_unlisted; n++) {
                r = mark_all(k->blobs, s->unlisted[n]->blobs);
                if (r >= 0)
                        r = mark_all(k->layers, s->unlisted[n]->chain_ids);
        }
        if (r >= 0)
                r = sweep_mark_others(s, k);
        return r < 0 ? r : sweep_mark_orphans(s, k);
}

int images_find_orphans(Images *s) {
        _cleanup_(strv_freep) char **boxes = NULL;
        _cleanup_(sweep_done) Sweep k = {};
        int r;

        r = storage_list_layers(s->storage, /* of_images= */ false, &boxes);
        if (r < 0 || strv_empty(boxes))
                return r;
        r = sweep_begin(s, &k);
        if (r < 0)
                return r;

        STRV_FOREACH (b, boxes) {
                char chain_id[DIGEST_TEXT_SIZE], digits[IDENT_SIZE];

                r = storage_layer_parent(s->storage, *b, digits);
                if (r < 0 && r != -EBADMSG)
                        return r;
                if (r <= 0)
                        continue;
                (void) snprintf(chain_id, sizeof(chain_id), "sha256:%s", digits);
                if (!hashmap_contains(k.layers, chain_id) && strv_add(&s->orphans, *b) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* 1: there is something in the trash now. */
static int sweep_remove(Images *s, const Sweep *k) {
        _cleanup_(strv_freep) char **all = NULL;
        int r, trash = 0;

        r = blobs_list(s->blobs, &all);
        if (r < 0)
                return r;
        STRV_FOREACH (b, all) {
                if (hashmap_contains(k->blobs, *b))
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
                if (hashmap_contains(k->layers, chain_id))
                        continue;
                r = storage_layer_remove(s->storage, *l);
                if (r < 0)
                        return r;
                trash |= r;
        }
        return trash;
}

void images_sweep(Images *s) {
        _cleanup_(sweep_done) Sweep k = {};
        int r;

        assert(s);

        if (s->ending || !strv_empty(s->damaged))
                return;

        /* A worker may be at it, also one of an earlier daemon: then when the next job has ended. */
        s->sweep_wanted = true;
        if (s->n_jobs > 0)
                return;
        r = blobs_lock(s->blobs, /* exclusive= */ true, /* wait= */ false);
        if (r == -EAGAIN)
                return;
        s->sweep_wanted = false;
        if (r >= 0)
                r = sweep_begin(s, &k);
        if (r >= 0)
                r = sweep_remove(s, &k);
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
