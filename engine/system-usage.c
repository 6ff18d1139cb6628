/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What takes how much of the disk. */
#include <errno.h>

#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/core/pending.h"
#include "engine/engine.h"
#include "engine/image/image-build.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/system.h"
#include "engine/view/container-view.h"
#include "engine/view/image-view.h"
#include "engine/view/volume-view.h"
#include "engine/volume/volumes.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/hashmap.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

int system_usage_parse(char *const *words, SystemUsage *ret, Error *reterr) {
        static const char *const table[] = { "container", "image", "volume", "build-cache" };
        unsigned what = 0;

        STRV_FOREACH (word, words) {
                int i = str_table_find(table, ARRAY_SIZE(table), *word);

                if (i < 0)
                        return error_set(
                                reterr, ERROR_INVALID, "unknown object type: %.64s", *word);
                what |= 1U << i;
        }
        *ret = what ? (SystemUsage) what : SYSTEM_USAGE_ALL;
        return 0;
}

static int list_containers(Engine *e, Container ***ret, size_t *ret_n, Error *reterr) {
        return containers_list(e->containers, /* all= */ true, -1, NULL, ret, ret_n, reterr);
}

/* Containers and volumes are measured at the same time. */
typedef struct Measure {
        Pending *pending;
        unsigned n_open;
        int r;
        Error error;
} Measure;

static void measure_done(Measure *m) {
        if (--m->n_open > 0)
                return;
        pending_complete(m->pending, m->r, NULL, &m->error);
        pending_unref(m->pending);
        error_done(&m->error);
        free(m);
}

static void on_measured(int r, void *result, const Error *e, void *userdata) {
        Measure *m = userdata;

        if (r < 0 && m->r >= 0) {
                m->r = r;
                (void) (e ? error_copy(&m->error, e) : 0);
        }
        measure_done(m);
}

static int measure_containers(Engine *e, Pending *p, Error *reterr) {
        _cleanup_(freep) Container **list = NULL;
        size_t n;
        int r;

        r = list_containers(e, &list, &n, reterr);
        return r < 0 ? r : containers_measure(e->containers, list, n, p, reterr);
}

static int measure_volumes(Engine *e, Pending *p, Error *reterr) {
        _cleanup_(freep) Volume **list = NULL;
        size_t n;
        int r;

        r = volumes_list(e->volumes, NULL, &list, &n, reterr);
        return r < 0 ? r : volumes_measure(e->volumes, list, n, p, reterr);
}

static int begin(Engine *e, Measure *m, int (*begin_one)(Engine *, Pending *, Error *)) {
        _cleanup_(pending_unrefp) Pending *p = NULL;
        int r;

        r = pending_new(on_measured, m, &p);
        if (r < 0)
                return r;
        m->n_open++;
        r = begin_one(e, p, &m->error);
        if (r < 0) {
                m->r = r;
                m->n_open--;
        }
        return r;
}

int system_usage_measure(Engine *e, SystemUsage what, Pending *p, Error *reterr) {
        Measure *m;
        int r = 0;

        assert(e);
        assert(p);

        m = new0(Measure, 1);
        if (!m)
                return -ENOMEM;
        m->pending = pending_ref(p);
        m->n_open = 1; /* ours, until both have begun */
        if (what & SYSTEM_USAGE_CONTAINERS)
                r = begin(e, m, measure_containers);
        if (r >= 0 && (what & SYSTEM_USAGE_VOLUMES))
                (void) begin(e, m, measure_volumes);
        measure_done(m);
        return 0;
}

/* ---- images ---- */

/* How many images have a layer. */
typedef struct LayerUse {
        const char *chain_id;
        uint64_t size;
        unsigned n_images;
} LayerUse;

static int count_layers(const Image *i, Hashmap **uses) {
        for (size_t k = 0; i->chain_ids && k < i->n_layers; k++) {
                LayerUse *use = hashmap_get(*uses, i->chain_ids[k]);
                int r;

                if (!use) {
                        use = new0(LayerUse, 1);
                        if (!use)
                                return -ENOMEM;
                        use->chain_id = i->chain_ids[k];
                        use->size = i->layer_sizes ? i->layer_sizes[k] : 0;
                        r = hashmap_ensure_put(uses, HASHMAP_STRING, use->chain_id, use);
                        if (r < 0) {
                                free(use);
                                return r;
                        }
                }
                use->n_images++;
        }
        return 0;
}

static uint64_t shared_size(const Image *i, const Hashmap *uses) {
        uint64_t sum = 0;

        for (size_t k = 0; i->chain_ids && k < i->n_layers; k++) {
                const LayerUse *use = hashmap_get(uses, i->chain_ids[k]);

                if (use && use->n_images > 1)
                        sum += use->size;
        }
        return sum;
}

static int append_image(Json *list, const Image *i, unsigned api, const Hashmap *uses) {
        _cleanup_(json_unrefp) Json *row = NULL;
        int r;

        r = image_view_row(i, api, &row);
        if (r >= 0)
                r = json_set_uint64(row, "SharedSize", shared_size(i, uses));
        if (r >= 0)
                r = json_set_uint64(row, "Containers", i->n_users);
        return r < 0 ? r : json_append(list, row);
}

static int set_images(Json *v, Engine *e, unsigned api) {
        Hashmap *uses = NULL;
        uint64_t all = 0;
        LayerUse *use;
        Json *list;
        int r = 0;

        for (Image *i = NULL; r >= 0 && (i = images_next(e->images, i));)
                r = count_layers(i, &uses);
        HASHMAP_FOREACH (use, uses)
                all += use->size;
        if (r >= 0)
                r = json_set_uint64(v, "LayersSize", all);
        if (r >= 0)
                r = json_set_new_list(v, "Images", &list);
        for (Image *i = NULL; r >= 0 && (i = images_next(e->images, i));)
                r = append_image(list, i, api, uses);
        hashmap_free_with(uses, mfree);
        return r;
}

/* ---- the document ---- */

static int set_volumes(Json *v, Engine *e) {
        Json *list;
        int r;

        r = json_set_new_list(v, "Volumes", &list);
        for (Volume *i = NULL; r >= 0 && (i = volumes_next(e->volumes, i));) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = volume_view(i, /* usage= */ true, &row);
                if (r >= 0)
                        r = json_append(list, row);
        }
        return r;
}

static int set_containers(Json *v, Engine *e, unsigned api) {
        _cleanup_(freep) Container **containers = NULL;
        Json *list;
        size_t n;
        int r;

        r = list_containers(e, &containers, &n, NULL);
        if (r >= 0)
                r = json_set_new_list(v, "Containers", &list);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = container_view_row(containers[i], api, /* size= */ true, &row);
                if (r >= 0)
                        r = json_append(list, row);
        }
        return r;
}

static int append_cache(Json *list, const BuildCacheEntry *x) {
        const ImageConfig *c = &x->image->config;
        char when[CLOCK_TEXT_SIZE];
        Json *row;
        int r;

        r = json_append_new_object(list, &row);
        if (r >= 0)
                r = json_set_text(row, "ID", x->key);
        if (r >= 0)
                r = json_set_strv(row, "Parents", NULL);
        if (r >= 0)
                r = json_set_text(row, "Type", "regular");
        if (r >= 0)
                r = json_set_text(row, "Description",
                        c->n_history > 0 ? str_or_empty(c->history[c->n_history - 1].created_by)
                                         : "");
        if (r >= 0)
                r = json_set_bool(row, "InUse", x->in_use);
        if (r >= 0)
                r = json_set_bool(row, "Shared", x->shared);
        if (r >= 0)
                r = json_set_uint64(row, "Size", x->size);
        if (r >= 0)
                r = json_set_text(row, "CreatedAt", clock_format(x->time_ns, when));
        if (r >= 0)
                r = json_set_null(row, "LastUsedAt");
        return r < 0 ? r : json_set_uint64(row, "UsageCount", 1);
}

static int set_build_cache(Json *v, Engine *e, unsigned api) {
        _cleanup_(freep) BuildCacheEntry *cache = NULL;
        uint64_t all = 0;
        size_t n;
        Json *list;
        int r;

        r = images_build_cache(e->images, &cache, &n);
        if (r >= 0)
                r = json_set_new_list(v, "BuildCache", &list);
        for (size_t k = 0; r >= 0 && k < n; k++) {
                r = append_cache(list, cache + k);
                all += cache[k].shared ? 0 : cache[k].size;
        }
        return r < 0 || api >= 1042 ? r : json_set_uint64(v, "BuilderSize", all);
}

int system_usage(Engine *e, unsigned api, SystemUsage what, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        assert(e);
        assert(ret);

        r = json_new_object(&v);
        if (r >= 0 && (what & SYSTEM_USAGE_IMAGES))
                r = set_images(v, e, api);
        if (r >= 0 && (what & SYSTEM_USAGE_CONTAINERS))
                r = set_containers(v, e, api);
        if (r >= 0 && (what & SYSTEM_USAGE_VOLUMES))
                r = set_volumes(v, e);
        if (r >= 0 && (what & SYSTEM_USAGE_BUILD_CACHE))
                r = set_build_cache(v, e, api);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
