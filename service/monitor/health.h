/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The health check of the container, run here and not by the daemon, which may be down. One probe at a time, none while the container is paused;
 * a probe that takes too long is killed with all that it has started. What is found goes to the daemon after every probe and to every
 * daemon that connects; what shall be done about an unhealthy container is begun here, but for a restart. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/api/monitor-spec.h"
#include "service/monitor/poller.h"

typedef struct Exec Exec;
typedef struct Monitor Monitor;

typedef struct Health {
        HealthState state;
        bool started;
        bool stops;           /* on-unhealthy=stop has done its work */
        bool in_period;       /* no success yet, and the start period is not over */
        uint64_t period_end;  /* usec, monotonic */
        Timer timer;          /* of the next probe, or of the end of this one */
        Exec *probe;          /* under way */
        int64_t probe_start;  /* nsec since the epoch */
        bool probe_timed_out; /* and is noted already; it has to die yet */
        int output_fd;
        Watch output_watch;
        size_t n_output;
        bool output_cut;
        char output[HEALTH_OUTPUT_MAX];
} Health;

/* The container runs. Nothing to do without a check. */
void health_start(Monitor *m);
/* It does not any more. */
void health_stop(Monitor *m);
void health_tell(Monitor *m); /* to a daemon that connects */
void health_done(Monitor *m);

/* Pure: what a probe does to the state. counts: a failure now is one. 1: the status has changed. */
int health_note(HealthState *s, HealthProbe *probe /* taken */, bool counts, int retries);
