/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large volumes are, and which of them nobody needs. A walk through one may take minutes, so a worker does it. */
#include <stdio.h>

#include "engine/core/hub.h"
#include "engine/core/job.h"
#include "engine/core/pending.h"
#include "engine/core/worker.h"
#include "engine/volume/volumes-internal.h"
#include "lib/api/filter.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

const char *const volume_prune_filter_keys[] = { "all", "label", "label!", NULL };

typedef struct Measure {
        Volumes *set;
        Pending *pending;
} Measure;

static Measure *measure_free(Measure *m) {
        if (m)
                pending_unref(m->pending);
        return mfree(m);
}
DEFINE_CLEANUP(Measure *, measure_free);

/* Some may be gone by now. */
static int on_measured(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        _cleanup_(measure_freep) Measure *m = userdata;
        _cleanup_(error_done) Error error = {};

        for (size_t i = 0; r >= 0 && result && !m->set->ending && i < result->n_layers; i++) {
                Volume *v = hashmap_get(m->set->by_name, result->layers[i].id);

                if (!v)
                        continue;
                v->size = result->layers[i].size;
                v->has_size = true;
        }
        if (r < 0 && !e)
                (void) error_set_errno(&error, r, "Failed to measure volumes");
        pending_complete(m->pending, r, NULL, e ? e : &error);
        return 0;
}

int volumes_measure(Volumes *s, Volume *const *list, size_t n, Pending *p, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(measure_freep) Measure *m = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        TaskSpec task = { .kind = TASK_MEASURE, .data_root = (char *) s->data_root };
        int r = 0;

        assert(s);
        assert(list || n == 0);
        assert(p);

        if (n == 0) {
                pending_complete(p, 0, NULL, NULL);
                return 0;
        }
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = strv_add(&names, list[i]->name);
        if (r < 0)
                return r;
        task.volumes = names;

        m = new0(Measure, 1);
        if (!m)
                return -ENOMEM;
        m->set = s;
        m->pending = pending_ref(p);
        r = job_new(s->jobs, JOB_MEASURE, "measure volumes", on_measured, m, &j);
        if (r < 0)
                return r;
        TAKE_PTR(m);
        r = worker_start(s->workers, &task, NULL, 0, j);
        if (r < 0)
                job_finish(j, NULL, r, NULL); /* its handler answers and frees */
        return 0;
}

/* ---- prune ---- */

struct VolumePrune {
        Volumes *set;
        Pending *pending;
        Pending *step;
        char **names;
        VolumesPruned result;
};

VolumePrune *volume_prune_free(VolumePrune *x) {
        if (!x)
                return NULL;

        if (x->step)
                pending_detach(x->step);
        pending_unref(x->step);
        pending_unref(x->pending);
        strv_free(x->names);
        strv_free(x->result.names);
        free(x);
        return NULL;
}

/* Somebody may have taken one, or removed it, while they were measured. */
static void prune_one(VolumePrune *x, const char *name) {
        Volume *v = hashmap_get(x->set->by_name, name);
        uint64_t size = v && v->has_size ? v->size : 0;

        if (!v || volume_count_users(v) > 0 || strv_add(&x->result.names, name) < 0)
                return;
        if (volumes_remove(x->set, v, NULL) < 0)
                (void) strv_remove(x->result.names, name);
        else
                x->result.bytes += size;
}

static void on_prune_measured(int r, void *result, const Error *e, void *userdata) {
        VolumePrune *x = userdata;
        char reclaimed[sizeof("reclaimed=") + 20];
        Volumes *s = x->set;

        x->step = pending_unref(x->step);
        if (r < 0)
                log_warning("Failed to measure what is pruned: %s, ignoring", error_text(e, r));
        STRV_FOREACH (name, x->names)
                prune_one(x, *name);

        (void) snprintf(reclaimed, sizeof(reclaimed), "reclaimed=%llu",
                (unsigned long long) x->result.bytes);
        volumes_publish(s, "", "prune", reclaimed);
        s->prune = NULL;
        pending_complete(x->pending, 0, &x->result, NULL);
        volume_prune_free(x);
}

int volumes_prune(Volumes *s, const Filter *f, bool all, Pending *p, Error *reterr) {
        _cleanup_(freep) Volume **list = NULL;
        VolumePrune *x;
        size_t n = 0;
        int r;

        assert(s);
        assert(p);

        if (s->prune)
                return error_set(reterr, ERROR_CONFLICT, "a prune operation is already running");
        r = filter_get_bool(f, "all", &all, reterr);
        if (r < 0 && r != -ENOENT)
                return r;

        list = new0(Volume *, s->n_sorted + 1);
        x = list ? new0(VolumePrune, 1) : NULL;
        if (!x)
                return -ENOMEM;
        x->set = s;
        x->pending = pending_ref(p);
        r = 0;
        for (size_t i = 0; r >= 0 && i < s->n_sorted; i++) {
                Volume *v = s->sorted[i];

                if (volume_count_users(v) > 0 || (!all && !volume_is_anonymous(v)) ||
                        !filter_match_labels(f, v->labels))
                        continue;
                list[n++] = v;
                r = strv_add(&x->names, v->name);
        }
        if (r >= 0)
                r = pending_new(on_prune_measured, x, &x->step);
        if (r >= 0) {
                s->prune = x;
                r = volumes_measure(s, list, n, x->step, reterr);
        }
        if (r < 0) {
                s->prune = NULL;
                volume_prune_free(x);
        }
        return r;
}
