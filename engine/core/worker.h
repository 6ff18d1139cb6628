/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Runs stauer-worker tasks for jobs: at most WORKERS_MAX at once, the rest queues in order. The process is started by the launcher (given
 * as a callback, so that this floor does not know engine/host), speaks lib/api/task-spec.h over a socketpair, and is ended by
 * TERM then KILL when its job is cancelled. A worker that dies without a result fails its job with ERROR_INTERNAL. */

#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Job Job;
typedef struct TaskSpec TaskSpec;
typedef struct Workers Workers;
typedef struct sd_event sd_event;

#define WORKERS_MAX 4

/* Starts one worker that has channel_fd as descriptor 3 (channel_fd stays the caller's); calls back with its pidfd (moved to the
 * callback) or a negative errno. */
typedef void (*worker_started_t)(int r, int pid, int pidfd, void *userdata);
typedef int (*worker_spawn_t)(void *spawn_userdata, const char *label, int channel_fd,
        worker_started_t on_started, void *userdata);

int workers_new(sd_event *e, worker_spawn_t spawn, void *spawn_userdata, Workers **ret);
Workers *workers_free(Workers *w);
DEFINE_CLEANUP(Workers *, workers_free);

void workers_set_max(Workers *w, unsigned max); /* at once, instead of WORKERS_MAX */

/* spec is copied; fds travel with it and are moved (closed in any case). */
int worker_start(Workers *w, const TaskSpec *spec, int *fds, size_t n_fds, Job *j);

/* The same, but it waits in the queue until it is let go: something has to be ready first. */
int worker_start_held(Workers *w, const TaskSpec *spec, Job *j);
void worker_let_go(Workers *w, Job *j); /* nothing when it has ended already */
