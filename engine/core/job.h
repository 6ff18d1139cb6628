/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Job is a long operation (load, import, pull, …): state, progress rows, watchers, cancel, result. Owned by Jobs while it
 * runs; a face that still shows it holds a reference. Finishing order: the set's own handler first (it saves what came of
 * it), then the watchers, then "job removed" on the jobs' subscribers. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Job Job;
typedef struct Jobs Jobs;
typedef struct JobWatch JobWatch;
typedef struct Json Json;
typedef struct TaskProgress TaskProgress;
typedef struct TaskResult TaskResult;
typedef struct sd_event sd_event;

typedef enum JobKind {
        JOB_LOAD,
        JOB_IMPORT,
        JOB_PULL,
        JOB_LAYER,
        JOB_MEASURE,
        JOB_COPY,    /* a container's files: in, out, looked at */
        JOB_COMMIT,  /* an image of a container */
        JOB_UNMOUNT, /* volumes that nobody uses any more */
        JOB_BUILD,   /* of a Dockerfile */
        JOB_STEP,    /* of a build: what a worker does for it */
        _JOB_KIND_MAX,
        _JOB_KIND_INVALID = -22
} JobKind;
typedef enum JobState {
        JOB_QUEUED,
        JOB_RUNNING,
        JOB_DONE,
        JOB_FAILED,
        JOB_CANCELLED,
        _JOB_STATE_MAX
} JobState;

/* Called once with the worker's result; r < 0 and e filled when it failed, was cancelled or the worker died. May itself turn success
 * into failure by returning negative and filling reterr (e.g. the tag could not be saved). */
typedef int (*job_result_t)(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr);

typedef void (*job_progress_t)(Job *j, const TaskProgress *p, void *userdata);
typedef void (*job_done_t)(Job *j, int r, const Error *e, void *userdata);
typedef void (*jobs_changed_t)(Job *j, bool added, void *userdata);

struct Job {
        unsigned n_ref;
        Jobs *jobs;  /* NULL after it ended */
        uint32_t id; /* 1… , for /job/<n> on the bus */
        JobKind kind;
        JobState state;
        char *title;     /* "load", "import docker.io/library/x:latest" */
        char *status;    /* text of the last row */
        double progress; /* 0…1, of all rows with a total */
        uint64_t started_nsec;
        unsigned
                n_callers; /* who wait for it, if it is to end with the last of them: job_leave() */
        char **lines;      /* what the job made, as text for the user: "Loaded image: x:1" */
        void *private;     /* job.c */
};

int jobs_new(sd_event *e, Jobs **ret);
Jobs *jobs_free(Jobs *s); /* jobs that still run end as cancelled */
DEFINE_CLEANUP(Jobs *, jobs_free);
Job *jobs_find(Jobs *s, uint32_t id);
Job *jobs_next(Jobs *s, Job *after); /* NULL: first; for listing */
int jobs_watch(
        Jobs *s, jobs_changed_t callback, void *userdata); /* set at wiring by each face, few */
void jobs_unwatch(Jobs *s, void *userdata); /* drops the jobs_watch() of that userdata */

int job_new(Jobs *s, JobKind kind, const char *title, job_result_t on_result, void *userdata,
        Job **ret);
Job *job_ref(Job *j);
Job *job_unref(Job *j);
DEFINE_CLEANUP(Job *, job_unref);

/* Either callback may be NULL. When the job has ended already, on_done comes from the loop's next turn. */
int job_watch(
        Job *j, job_progress_t on_progress, job_done_t on_done, void *userdata, JobWatch **ret);
JobWatch *job_watch_free(JobWatch *w);
DEFINE_CLEANUP(JobWatch *, job_watch_free);

/* TERM, after 10 s KILL; the job ends as JOB_CANCELLED. 0 when it has ended already. */
int job_cancel(Job *j);

/* One of those who wait has gone: cancelled when it was the last. */
void job_leave(Job *j);

/* Its end is told to nobody before job_release(): whoever began it has something to put back first. on_ending comes once, when the result is there and
 * saved. One holder, who keeps a reference until then. */
typedef void (*job_ending_t)(Job *j, void *userdata);
void job_hold(Job *j, job_ending_t on_ending, void *userdata);
void job_release(Job *j);

/* For worker.c: */
void job_set_running(Job *j);
void job_add_progress(Job *j, const TaskProgress *p);
void job_finish(Job *j, const TaskResult *result, int r, const Error *e);
void job_set_cancel(Job *j, int (*cancel)(Job *j, void *userdata), void *userdata);

const char *job_kind_to_string(JobKind k);
const char *job_state_to_string(JobState s);
