/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large containers are. A walk through a container's folder may take minutes, so a worker does it; whoever asks for nothing that is
 * not being measured just now waits for that. */
#include <errno.h>

#include "config/settings.h"
#include "engine/container/set.h"
#include "engine/core/job.h"
#include "engine/core/pending.h"
#include "engine/core/worker.h"
#include "engine/image/image.h"
#include "engine/storage/storage.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/hashmap.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Measure {
        ListNode by_set;
        Containers *set;
        char **ids;
        Hashmap *index; /* the same */
        Pending **waiters;
        size_t n_waiters;
        size_t n_waiters_allocated;
} Measure;

static Measure *measure_free(Measure *m) {
        if (!m)
                return NULL;

        if (list_node_linked(&m->by_set))
                list_remove(&m->by_set);
        for (size_t i = 0; i < m->n_waiters; i++)
                pending_unref(m->waiters[i]);
        free(m->waiters);
        hashmap_free(m->index);
        strv_free(m->ids);
        return mfree(m);
}
DEFINE_CLEANUP(Measure *, measure_free);

void container_size(const Container *c, uint64_t *ret_own, uint64_t *ret_all) {
        *ret_own = c->has_size ? c->size : 0;
        *ret_all = *ret_own + (c->image ? c->image->size : 0);
}

static int add_waiter(Measure *m, Pending *p) {
        int r;

        r = array_grow(&m->waiters, &m->n_waiters_allocated, m->n_waiters + 1);
        if (r < 0)
                return r;
        m->waiters[m->n_waiters++] = pending_ref(p);
        return 0;
}

/* The set may have lost some of them, and waiters may make new ones. */
static int on_measured(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        _cleanup_(measure_freep) Measure *m = userdata;
        _cleanup_(error_done) Error error = {};

        list_remove(&m->by_set); /* who asks from here on wants a new one */
        if (r < 0 && !e)
                (void) error_set_errno(&error, r, "Failed to measure containers");
        for (size_t i = 0; r >= 0 && result && i < result->n_layers; i++) {
                Container *c = hashmap_get(m->set->by_id, result->layers[i].id);

                if (!c)
                        continue;
                c->size = result->layers[i].size;
                c->has_size = true;
        }
        for (size_t i = 0; i < m->n_waiters; i++)
                pending_complete(m->waiters[i], r, NULL, e ? e : &error);
        return 0;
}

static int measure_new(Containers *s, Container *const *list, size_t n, Measure **ret) {
        _cleanup_(measure_freep) Measure *m = NULL;
        int r;

        m = new0(Measure, 1);
        if (!m)
                return -ENOMEM;
        m->set = s;
        m->ids = new0(char *, n + 1);
        if (!m->ids)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                r = str_copy(&m->ids[i], list[i]->id);
                if (r >= 0)
                        r = hashmap_ensure_put(&m->index, HASHMAP_STRING, m->ids[i], m->ids[i]);
                if (r < 0 && r != -EEXIST)
                        return r;
        }
        *ret = TAKE_PTR(m);
        return 0;
}

static int begin(Containers *s, Measure *m, Error *reterr) {
        _cleanup_(job_unrefp) Job *j = NULL;
        TaskSpec task = {
                .kind = TASK_MEASURE,
                .data_root = s->settings->data_root,
                .driver = (char *) storage_driver_name(s->storage),
                .driver_opts = (char **) storage_options(s->storage),
                .layers = m->ids,
        };
        int r;

        r = job_new(s->jobs, JOB_MEASURE, "measure containers", on_measured, m, &j);
        if (r < 0)
                return r;
        list_append(&s->measures, &m->by_set);
        r = worker_start(s->workers, &task, NULL, 0, j);
        if (r < 0)
                job_finish(j, NULL, r, NULL); /* its handler answers and frees */
        return 0;
}

static bool covers(const Measure *m, Container *const *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!hashmap_contains(m->index, list[i]->id))
                        return false;
        return true;
}

int containers_measure(Containers *s, Container *const *list, size_t n, Pending *p, Error *reterr) {
        _cleanup_(measure_freep) Measure *m = NULL;
        Measure *other;
        int r;

        assert(s);
        assert(list || n == 0);
        assert(p);

        if (n == 0) {
                pending_complete(p, 0, NULL, NULL);
                return 0;
        }
        LIST_FOREACH (other, &s->measures, by_set)
                if (covers(other, list, n))
                        return add_waiter(other, p);

        r = measure_new(s, list, n, &m);
        if (r >= 0)
                r = add_waiter(m, p);
        if (r >= 0)
                r = begin(s, m, reterr);
        if (r < 0)
                return r;
        TAKE_PTR(m);
        return 0;
}
