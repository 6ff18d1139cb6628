/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/image/image-build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/core/worker.h"
#include "engine/image/images-internal.h"
#include "engine/storage/storage.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/reference.h"

Image *images_find_step(Images *s, const char *key) {
        const Tag *t = tags_find_cache(s->tags, key);
        Image *i = t ? images_by_manifest(s, t->manifest) : NULL;

        return i && !i->hidden ? i : NULL;
}

/* i: in the set. A row for it; an image that has only such rows is none for people. */
static int step_save(Images *s, Image *i, const char *key, Error *reterr) {
        _cleanup_(tags_freep) Tags *next = NULL;
        int r;

        r = tags_copy(s->tags, &next);
        if (r >= 0)
                r = tags_set_cache(next, key, i->manifest, i->media_type, i->manifest_size,
                        clock_realtime_ns());
        if (r >= 0)
                r = images_commit_tags(s, &next, reterr);
        return r < 0 ? r : images_refresh_names(s, i);
}

/* The image of a manifest in the store, with a row. */
static int step_add(Images *s, const char *manifest, const char *key, Image **ret, Error *reterr) {
        Image *i = NULL, *known;
        int r;

        r = images_read(s, manifest, NULL, &i, reterr);
        if (r < 0)
                return r;
        known = images_get(s, i->id);
        r = images_read_layers(s, i);
        if (r >= 0)
                r = images_add(s, i, ret);
        if (r < 0) {
                image_free(i);
                return error_set_errno(reterr, r, "Failed to keep the result of a step");
        }
        r = step_save(s, *ret, key, reterr);
        if (r < 0 && !known)
                images_drop(s, TAKE_PTR(*ret));
        return r;
}

static int step_read_manifest(Images *s, const char *base, ImageManifest *ret, Error *reterr) {
        const Image *i = base ? images_get(s, base) : NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (!base) {
                *ret = (ImageManifest) { .schema_version = 2 };
                return str_copy(&ret->media_type, MEDIA_OCI_MANIFEST) < 0 ||
                                       str_copy(&ret->config.media_type, MEDIA_OCI_CONFIG) < 0
                             ? -ENOMEM
                             : 0;
        }
        if (!i)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "image %s was removed while the build used it", base);
        r = blobs_read(s->blobs, i->manifest, &text, &size, reterr);
        return r < 0 ? r : image_manifest_read(text, size, i->media_type, ret, reterr);
}

int images_make_step(Images *s, const char *base, const ImageConfig *config, const char *key,
        Image **ret, Error *reterr) {
        _cleanup_(image_manifest_done) ImageManifest m = {};
        char config_digest[DIGEST_TEXT_SIZE], manifest_digest[DIGEST_TEXT_SIZE];
        _cleanup_(freep) char *text = NULL, *manifest = NULL;
        int r;

        assert(s);
        assert(config);
        assert(key);
        assert(ret);

        r = step_read_manifest(s, base, &m, reterr);
        if (r >= 0)
                r = image_config_write(config, &text);
        if (r >= 0)
                r = blobs_put(s->blobs, text, strlen(text), config_digest);
        if (r >= 0)
                r = str_copy(&m.config.digest, config_digest);
        if (r < 0)
                return r;
        m.config.size = (int64_t) strlen(text);
        r = image_manifest_write(&m, &manifest);
        if (r >= 0)
                r = blobs_put(s->blobs, manifest, strlen(manifest), manifest_digest);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to keep the result of a step");
        return step_add(s, manifest_digest, key, ret, reterr);
}

/* ---- tasks ---- */

typedef struct Step {
        Images *set;
        char *key; /* NULL: no image comes of it */
} Step;

static int on_step(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        Step *x = userdata;
        Images *s = x->set;
        Image *i;

        assert(s->n_jobs > 0);

        if (r >= 0 && x->key) {
                if (result->n_images != 1 ||
                        !image_digest_is_valid(str_or_empty(result->images[0].manifest)))
                        r = error_set(reterr, ERROR_INTERNAL, "the worker gave no image");
                else
                        r = step_add(s, result->images[0].manifest, x->key, &i, reterr);
                if (r >= 0)
                        r = strv_add(&j->lines, i->id);
        } else if (r >= 0)
                r = strv_add(&j->lines, str_or_empty(result->text));

        s->n_jobs--;
        free(x->key);
        free(x);
        images_sweep(s);
        return r;
}

static int step_start(
        Images *s, TaskSpec *task, const char *key, int fd, Job **ret, Error *reterr) {
        _cleanup_(job_unrefp) Job *j = NULL;
        Step *x = new0(Step, 1);
        int r;

        task->data_root = (char *) storage_data_root(s->storage);
        task->driver = (char *) storage_driver_name(s->storage);
        task->driver_opts = (char **) storage_options(s->storage);

        r = x ? str_copy(&x->key, key) : -ENOMEM;
        if (r >= 0)
                r = job_new(s->jobs, JOB_STEP, "build step", on_step, x, &j);
        if (r < 0) {
                if (x)
                        free(x->key);
                free(x);
                fd_close(fd);
                return r;
        }
        x->set = s;
        s->n_jobs++;
        r = worker_start(s->workers, task, fd >= 0 ? &fd : NULL, fd >= 0, j);
        if (r < 0) {
                job_finish(j, NULL, r, NULL);
                return error_set_errno(reterr, r, "Failed to start a step");
        }
        *ret = TAKE_PTR(j);
        return 0;
}

int images_start_step(Images *s, TaskSpec *task, const char *key, Job **ret, Error *reterr) {
        assert(key);

        return step_start(s, task, key, -EBADF, ret, reterr);
}

int images_start_build_task(Images *s, TaskSpec *task, int fd, Job **ret, Error *reterr) {
        return step_start(s, task, NULL, fd, ret, reterr);
}

/* ---- the end ---- */

int images_build_name(const char *text, char **ret, Error *reterr) {
        return images_target_name(text, NULL, ret, reterr);
}

int images_finish_build(Images *s, const char *id, char *const *names, Error *reterr) {
        Image *i = images_get(s, id), *any;
        _cleanup_(tags_freep) Tags *next = NULL;
        int64_t now = clock_realtime_ns();
        bool is_new;
        int r;

        if (!i)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "image %s was removed while the build used it", id);
        is_new = i->cached;

        r = tags_copy(s->tags, &next);
        if (r >= 0)
                r = images_give_name(s, next, i, NULL, now);
        STRV_FOREACH (n, names)
                if (r >= 0)
                        r = images_give_name(s, next, i, *n, now);
        if (r >= 0)
                r = images_commit_tags(s, &next, reterr);
        if (r < 0)
                return r;
        HASHMAP_FOREACH (any, s->by_id) {
                int q = images_refresh_names(s, any);

                r = r < 0 ? r : q;
        }

        if (is_new)
                images_publish(s, i, "create", NULL);
        STRV_FOREACH (n, names) {
                _cleanup_(reference_done) Reference ref = {};
                _cleanup_(freep) char *familiar = NULL;

                if (reference_parse(*n, &ref) >= 0 &&
                        reference_format_familiar(&ref, &familiar) >= 0)
                        images_publish(s, i, "tag", familiar);
        }
        return r;
}

void images_hold_sweep(Images *s) {
        s->n_jobs++;
}

void images_release_sweep(Images *s) {
        assert(s->n_jobs > 0);

        s->n_jobs--;
        images_sweep(s);
}

void images_drop_context(Images *s, const char *context) {
        _cleanup_(freep) char *from = NULL, *to = NULL;

        if (!path_is_safe_name(context) || str_printf(&from, "tmp/%s", context) < 0 ||
                str_printf(&to, "tmp/trash/%s", context) < 0)
                return;
        if (renameat(s->root_fd, from, s->root_fd, to) < 0) {
                if (errno != ENOENT)
                        (void) log_warning_errno(
                                -errno, "Failed to remove a build context: %m, ignoring");
                return;
        }
        images_trash_is_full(s);
}

/* ---- the cache ---- */

/* An image for people has this layer. */
static bool layer_is_shared(Images *s, const char *chain_id) {
        for (Image *i = images_next(s, NULL); i; i = images_next(s, i))
                if (strv_contains(i->chain_ids, chain_id))
                        return true;
        return false;
}

int images_build_cache(Images *s, BuildCacheEntry **ret, size_t *ret_n) {
        _cleanup_(freep) BuildCacheEntry *list = NULL;
        size_t n = 0;

        assert(s);
        assert(ret);

        list = new0(BuildCacheEntry, tags_count(s->tags) + 1);
        if (!list)
                return -ENOMEM;
        for (size_t k = 0; k < tags_count(s->tags); k++) {
                const Tag *t = tags_at(s->tags, k);
                const Image *i = t->cache ? images_by_manifest(s, t->manifest) : NULL;
                bool top = true;

                if (!i)
                        continue;
                for (size_t m = 0; i->n_layers > 0 && m < n; m++)
                        top = top &&
                              !str_equal(i->chain_ids[i->n_layers - 1],
                                      list[m].image->n_layers > 0
                                              ? list[m].image
                                                        ->chain_ids[list[m].image->n_layers - 1]
                                              : NULL);
                list[n++] = (BuildCacheEntry) {
                        .key = t->cache,
                        .image = i,
                        .time_ns = t->time_ns,
                        .size = top && i->n_layers > 0 ? i->layer_sizes[i->n_layers - 1] : 0,
                        .in_use = i->n_users > 0,
                        .shared = i->n_layers > 0 &&
                                  layer_is_shared(s, i->chain_ids[i->n_layers - 1]),
                };
        }
        *ret = TAKE_PTR(list);
        *ret_n = n;
        return 0;
}

/* Its rows have gone: so does the image, unless it is one for people. */
static uint64_t cache_drop_image(Images *s, Image *i) {
        uint64_t bytes = 0;

        if (!i->cached || i->n_users > 0)
                return 0;
        STRV_FOREACH (m, i->manifests)
                for (size_t k = 0; k < tags_count(s->tags); k++)
                        if (streq(tags_at(s->tags, k)->manifest, *m))
                                return 0;
        for (size_t k = 0; k < i->n_layers; k++)
                if (!images_layer_is_used(s, i->chain_ids[k], i))
                        bytes += i->layer_sizes[k];
        images_drop(s, i);
        return bytes;
}

static bool key_is_meant(const char *key, char *const *only) {
        STRV_FOREACH (o, only)
                if (str_starts(key, *o))
                        return true;
        return strv_empty(only);
}

int images_prune_build_cache(Images *s, bool all, int64_t until_ns, char *const *only,
        char ***ret_keys, uint64_t *ret_bytes, Error *reterr) {
        _cleanup_(freep) BuildCacheEntry *list = NULL;
        _cleanup_(strv_freep) char **keys = strv_new(NULL), **ids = NULL;
        _cleanup_(tags_freep) Tags *next = NULL;
        uint64_t bytes = 0;
        size_t n;
        int r;

        r = keys ? images_build_cache(s, &list, &n) : -ENOMEM;
        if (r >= 0)
                r = tags_copy(s->tags, &next);
        for (size_t k = 0; r >= 0 && k < n; k++) {
                if (list[k].in_use ||
                        (list[k].time_ns != CLOCK_NEVER && list[k].time_ns > until_ns) ||
                        (!all && list[k].shared) || !key_is_meant(list[k].key, only))
                        continue;
                r = tags_unset_cache(next, list[k].key);
                if (r >= 0)
                        r = strv_add(&keys, list[k].key);
                if (r >= 0)
                        r = strv_add(&ids, list[k].image->id);
        }
        if (r >= 0 && !strv_empty(keys))
                r = images_commit_tags(s, &next, reterr);
        if (r < 0)
                return r;

        STRV_FOREACH (id, ids) {
                Image *i = images_get(s, *id);

                if (i)
                        bytes += cache_drop_image(s, i);
        }
        images_sweep(s);
        *ret_keys = TAKE_PTR(keys);
        *ret_bytes = bytes;
        return 0;
}
