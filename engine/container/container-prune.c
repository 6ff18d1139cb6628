/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/core/hub.h"
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* Measured by a worker first, then removed one after the other. One that somebody starts or removes meanwhile is passed over. */

const char *const container_prune_filter_keys[] = { "label", "label!", "until", NULL };

struct ContainerPrune {
        Containers *set;
        Pending *pending;
        Pending *step;
        char **ids;
        size_t n_next;
        uint64_t size; /* of the one that is being removed */
        ContainersPruned result;
};

ContainerPrune *container_prune_free(ContainerPrune *x) {
        if (!x)
                return NULL;

        if (x->step)
                pending_detach(x->step);
        pending_unref(x->step);
        pending_unref(x->pending);
        strv_free(x->ids);
        strv_free(x->result.ids);
        free(x);
        return NULL;
}

static void publish_prune(const ContainerPrune *x) {
        _cleanup_(strv_freep) char **attributes = NULL;
        int r;

        r = strv_addf(&attributes, "reclaimed=%llu", (unsigned long long) x->result.bytes);
        if (r >= 0)
                r = hub_publish(x->set->hub, "container", "prune", "", attributes);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to publish \"prune\": %m, ignoring");
}

static void prune_next(ContainerPrune *x);

static void on_removed(int r, void *result, const Error *e, void *userdata) {
        ContainerPrune *x = userdata;

        x->step = pending_unref(x->step);
        if (r >= 0 && strv_add(&x->result.ids, x->ids[x->n_next - 1]) >= 0)
                x->result.bytes += x->size;
        prune_next(x);
}

static bool may_go(const Container *c) {
        return !c->remove && (c->state == CONTAINER_CREATED || c->state == CONTAINER_EXITED);
}

static void prune_next(ContainerPrune *x) {
        Containers *s = x->set;
        Pending *p;

        while (!s->ending && x->ids && x->ids[x->n_next]) {
                Container *c = hashmap_get(s->by_id, x->ids[x->n_next++]);
                uint64_t all;

                if (!c || !may_go(c))
                        continue;
                container_size(c, &x->size, &all);
                if (pending_new(on_removed, x, &x->step) < 0)
                        continue;
                if (container_remove(c, /* force= */ false, /* volumes= */ false, x->step, NULL) >=
                        0)
                        return;
                x->step = pending_unref(x->step);
        }

        publish_prune(x);
        s->prune = NULL;
        p = pending_ref(x->pending);
        pending_complete(p, 0, &x->result, NULL);
        pending_unref(p);
        container_prune_free(x);
}

static void on_measured(int r, void *result, const Error *e, void *userdata) {
        ContainerPrune *x = userdata;

        x->step = pending_unref(x->step);
        if (r < 0)
                log_warning("Failed to measure what is pruned: %s, ignoring", error_text(e, r));
        prune_next(x);
}

static int read_until(const Filter *f, int64_t *ret, Error *reterr) {
        char *const *values = filter_values(f, "until");

        *ret = INT64_MAX;
        if (!values || !values[0])
                return 0;
        if (values[1])
                return error_set(reterr, ERROR_INVALID, "more than one until filter specified");
        if (clock_parse_point(values[0], clock_realtime_ns(), ret) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid filter 'until=[%s]'", values[0]);
        return 0;
}

int containers_prune(Containers *s, const Filter *f, Pending *p, Error *reterr) {
        _cleanup_(freep) Container **list = NULL;
        ContainerPrune *x;
        int64_t until;
        size_t n = 0;
        int r;

        assert(s);
        assert(p);

        if (s->prune)
                return error_set(reterr, ERROR_CONFLICT, "a prune operation is already running");
        r = read_until(f, &until, reterr);
        if (r < 0)
                return r;

        list = new0(Container *, s->n_sorted + 1);
        x = list ? new0(ContainerPrune, 1) : NULL;
        if (!x)
                return -ENOMEM;
        x->set = s;
        x->pending = pending_ref(p);
        for (Container *c = containers_next(s, NULL); c && r >= 0; c = containers_next(s, c)) {
                if (!may_go(c) || c->created_ns >= until ||
                        !filter_match_labels(f, c->spec.config.labels))
                        continue;
                list[n++] = c;
                r = strv_add(&x->ids, c->id);
        }
        if (r >= 0)
                r = pending_new(on_measured, x, &x->step);
        if (r < 0) {
                container_prune_free(x);
                return r;
        }

        s->prune = x;
        r = n > 0 ? containers_measure(s, list, n, x->step, NULL) : -ENOENT;
        if (r < 0) {
                x->step = pending_unref(x->step);
                prune_next(x);
        }
        return 0;
}
