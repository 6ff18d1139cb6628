/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Stats looks at what containers use, once a second and only while somebody watches: one timer for all watchers together, and a container
 * that several watch is read once. Owned by Engine, above Containers. */

#include <stddef.h>
#include <stdint.h>

#include "engine/host/cgroup-stats.h"
#include "lib/base/macro.h"

typedef struct Container Container;
typedef struct Containers Containers;
typedef struct Stats Stats;
typedef struct StatsWatch StatsWatch;
typedef struct sd_event sd_event;

#define STATS_PERIOD_USEC UINT64_C(1000000)

/* One look at one container. */
typedef struct StatsSample {
        int64_t time_ns; /* since the epoch */
        HostCpu host;
        uint64_t memory_total; /* of the host */
        CgroupStats cgroup;
} StatsSample;

/* now NULL: it does not run. before NULL: this watch, or the container's present run, has seen none yet. */
typedef struct StatsRow {
        const Container *container;
        const StatsSample *now;
        const StatsSample *before;
} StatsRow;

/* Once a second, the first time at once or with the next of others. Rows of containers that are gone (or that there was
 * no memory for) are missing; those that a watch of all sees are those that run. May free any watch. */
typedef void (*stats_callback_t)(const StatsRow *rows, size_t n_rows, void *userdata);

int stats_new(sd_event *event, Containers *containers, Stats **ret);
Stats *stats_free(Stats *s); /* no watch is left then */
DEFINE_CLEANUP(Stats *, stats_free);

/* ids: full ones, copied; NULL or empty: all that run. */
int stats_watch(
        Stats *s, char *const *ids, stats_callback_t callback, void *userdata, StatsWatch **ret);
StatsWatch *stats_watch_free(StatsWatch *w);
DEFINE_CLEANUP(StatsWatch *, stats_watch_free);

/* One look now. 0: it does not run, 1: *ret is filled and the caller ends it. */
int stats_sample(const Container *c, StatsSample *ret);
void stats_sample_done(StatsSample *s);
