/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/stats.h"

#include <errno.h>

#include "engine/container/set.h"
#include "engine/host/sysinfo.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

/* What was seen of one container. */
typedef struct StatsSource {
        char *id;
        int64_t started_ns; /* of the run that the samples are of */
        bool has_now;
        bool has_before;
        StatsSample now;
        StatsSample before;
        uint64_t turn; /* when it was last looked at */
        bool is_gone;
        Container *container; /* valid within its turn */
} StatsSource;

struct StatsWatch {
        ListNode by_stats;
        Stats *stats;
        char **ids; /* NULL: all */
        stats_callback_t callback;
        void *userdata;
        uint64_t made_turn;  /* it begins with the next one */
        uint64_t first_turn; /* 0: has seen none yet */
        bool ended;          /* while the watchers are being told; freed afterwards */
};

struct Stats {
        sd_event *event;
        Containers *containers;
        sd_event_source *timer;
        Hashmap *sources; /* by id */
        List watches;
        uint64_t turn;
        bool telling;
};

void stats_sample_done(StatsSample *s) {
        cgroup_stats_done(&s->cgroup);
}

/* The host's CPU time may be read once for many. */
static int sample(const Container *c, const HostCpu *host, StatsSample *ret) {
        _cleanup_(freep) char *scope = NULL, *own = NULL;
        StatsSample s = {
                .time_ns = clock_realtime_ns(),
                .host = *host,
                .memory_total = c->set->sysinfo->memory_total,
        };
        int r;

        if (!container_is_running(c))
                return 0;

        scope = container_scope_folder(c);
        own = scope ? path_join(scope, "container") : NULL;
        if (!own)
                return -ENOMEM;

        r = cgroup_stats_read(scope, own, &s.cgroup);
        if (r == -ENOMEM)
                return r;
        /* Without a cgroup it is about to end; what nobody can tell is 0. */
        *ret = s;
        return 1;
}

int stats_sample(const Container *c, StatsSample *ret) {
        HostCpu host;

        assert(c);
        assert(ret);

        host_cpu_read(&host);
        return sample(c, &host, ret);
}

/* ---- one turn ---- */

static StatsSource *source_free(StatsSource *s) {
        if (!s)
                return NULL;

        if (s->has_now)
                stats_sample_done(&s->now);
        if (s->has_before)
                stats_sample_done(&s->before);
        free(s->id);
        return mfree(s);
}

static int source_get(Stats *s, const char *id, StatsSource **ret) {
        StatsSource *source = hashmap_get(s->sources, id);
        int r;

        if (!source) {
                source = new0(StatsSource, 1);
                if (!source)
                        return -ENOMEM;
                r = str_copy(&source->id, id);
                if (r >= 0)
                        r = hashmap_ensure_put(&s->sources, HASHMAP_STRING, source->id, source);
                if (r < 0) {
                        source_free(source);
                        return r;
                }
        }
        *ret = source;
        return 0;
}

static void source_forget(StatsSource *source) {
        if (source->has_before)
                stats_sample_done(&source->before);
        if (source->has_now)
                stats_sample_done(&source->now);
        source->has_before = source->has_now = false;
}

/* Looks at a container, unless somebody else's watch has made us look in this turn. */
static int source_look(Stats *s, const char *id, const HostCpu *host) {
        StatsSource *source;
        StatsSample now;
        Container *c;
        int r;

        r = source_get(s, id, &source);
        if (r < 0)
                return r;
        if (source->turn == s->turn)
                return 0;
        source->turn = s->turn;

        source->is_gone = containers_find(s->containers, id, &c, NULL) < 0 || !streq(c->id, id);
        source->container = source->is_gone ? NULL : c;
        r = source->is_gone ? 0 : sample(c, host, &now);
        if (r <= 0) {
                source_forget(source);
                return r;
        }
        if (source->started_ns != c->started_ns)
                source_forget(source);
        source->started_ns = c->started_ns;

        if (source->has_before)
                stats_sample_done(&source->before);
        source->has_before = source->has_now;
        if (source->has_now)
                source->before = source->now;
        source->now = now;
        source->has_now = true;
        return 0;
}

static int look(Stats *s) {
        bool all = false;
        StatsWatch *w;
        HostCpu host;
        int r = 0;

        host_cpu_read(&host);
        LIST_FOREACH (w, &s->watches, by_stats) {
                all = all || strv_empty(w->ids);
                STRV_FOREACH (id, w->ids)
                        if (r >= 0)
                                r = source_look(s, *id, &host);
        }
        if (!all)
                return r;
        for (Container *c = NULL; r >= 0 && (c = containers_next(s->containers, c));)
                if (container_is_running(c))
                        r = source_look(s, c->id, &host);
        return r;
}

static void add_row(const StatsWatch *w, const StatsSource *source, StatsRow *rows, size_t *n) {
        bool first = w->first_turn == 0 || w->first_turn == w->stats->turn;

        if (source->turn != w->stats->turn || source->is_gone)
                return;
        rows[(*n)++] = (StatsRow) {
                .container = source->container,
                .now = source->has_now ? &source->now : NULL,
                .before = source->has_before && !first ? &source->before : NULL,
        };
}

static void tell(StatsWatch *w, StatsRow *rows) {
        Stats *s = w->stats;
        StatsSource *source;
        size_t n = 0;

        if (w->first_turn == 0)
                w->first_turn = s->turn;
        STRV_FOREACH (id, w->ids) {
                source = hashmap_get(s->sources, *id);
                if (source)
                        add_row(w, source, rows, &n);
        }
        if (strv_empty(w->ids))
                HASHMAP_FOREACH (source, s->sources) {
                        if (source->has_now)
                                add_row(w, source, rows, &n);
                }
        w->callback(rows, n, w->userdata);
}

/* Callbacks may end any watch, also their own. */
static void tell_all(Stats *s) {
        _cleanup_(freep) StatsRow *rows = new0(StatsRow, hashmap_size(s->sources) + 1);
        StatsWatch *w;

        if (!rows)
                return; /* the next second may have more luck */

        s->telling = true;
        LIST_FOREACH (w, &s->watches, by_stats)
                if (!w->ended && w->made_turn < s->turn)
                        tell(w, rows);
        s->telling = false;

        LIST_FOREACH_SAFE (w, &s->watches, by_stats)
                if (w->ended)
                        (void) stats_watch_free(w);
}

static void drop_unused(Stats *s) {
        StatsSource *source;

        HASHMAP_FOREACH (source, s->sources) {
                if (source->turn == s->turn)
                        continue;
                hashmap_remove(s->sources, source->id);
                source_free(source);
        }
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static int arm(Stats *s, uint64_t usec) {
        return loop_timer(s->event, usec, LOOP_TIMER, "stats", on_timer, s, &s->timer);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        uint64_t begin = clock_monotonic_us(), spent;
        Stats *s = userdata;

        s->turn++;
        (void) look(s); /* what found no memory is seen a second later */
        tell_all(s);
        drop_unused(s);

        if (list_empty(&s->watches))
                return 0;
        spent = clock_monotonic_us() - begin;
        return arm(
                s, spent < STATS_PERIOD_USEC / 2 ? STATS_PERIOD_USEC - spent : STATS_PERIOD_USEC);
}

/* ---- watches ---- */

int stats_watch(
        Stats *s, char *const *ids, stats_callback_t callback, void *userdata, StatsWatch **ret) {
        _cleanup_(freep) StatsWatch *w = NULL;
        int r;

        assert(s);
        assert(callback);
        assert(ret);

        w = new0(StatsWatch, 1);
        if (!w)
                return -ENOMEM;
        if (!strv_empty(ids)) {
                r = strv_set(&w->ids, ids);
                if (r < 0)
                        return r;
        }
        if (!loop_timer_armed(s->timer) && !s->telling) {
                r = arm(s, 0);
                if (r < 0) {
                        strv_free(w->ids);
                        return r;
                }
        }

        w->stats = s;
        w->made_turn = s->turn;
        w->callback = callback;
        w->userdata = userdata;
        list_append(&s->watches, &w->by_stats);
        *ret = TAKE_PTR(w);
        return 0;
}

StatsWatch *stats_watch_free(StatsWatch *w) {
        Stats *s;

        if (!w)
                return NULL;

        s = w->stats;
        if (s->telling) {
                w->ended = true;
                return NULL;
        }

        list_remove(&w->by_stats);
        strv_free(w->ids);
        free(w);
        if (list_empty(&s->watches)) {
                (void) loop_timer_stop(s->timer);
                s->sources = hashmap_free_with(s->sources, source_free);
        }
        return NULL;
}

int stats_new(sd_event *event, Containers *containers, Stats **ret) {
        Stats *s;

        assert(event);
        assert(containers);
        assert(ret);

        s = new0(Stats, 1);
        if (!s)
                return -ENOMEM;
        s->event = event;
        s->containers = containers;
        list_init(&s->watches);
        *ret = s;
        return 0;
}

Stats *stats_free(Stats *s) {
        if (!s)
                return NULL;

        assert(list_empty(&s->watches));
        loop_source_free(s->timer);
        hashmap_free_with(s->sources, source_free);
        return mfree(s);
}
