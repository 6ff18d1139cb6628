/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/core/job.h"

#include <systemd/sd-event.h>

#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

#define JOBS_WATCHERS_MAX 8U
#define JOB_ROWS_MAX      4096U /* a worker's rows: one per layer of one archive */

typedef struct JobRow {
        char *id;
        uint64_t current;
        uint64_t total;
} JobRow;

typedef struct JobPrivate {
        job_result_t on_result;
        void *userdata;
        int (*cancel)(Job *j, void *userdata);
        void *cancel_userdata;
        Hashmap *rows;
        List watches;
        job_ending_t on_ending; /* NULL: nobody holds its end back */
        void *ending_userdata;
        bool ends; /* .result is there */
        int result;
        Error error;
        sd_event *event;
} JobPrivate;

struct JobWatch {
        ListNode by_age;
        Job *job;
        job_progress_t on_progress;
        job_done_t on_done;
        void *userdata;
        sd_event_source *late; /* the job had ended before the watch */
};

struct Jobs {
        sd_event *event;
        Hashmap *jobs; /* by number */
        uint32_t last_id;
        struct {
                jobs_changed_t callback;
                void *userdata;
        } watchers[JOBS_WATCHERS_MAX];
        unsigned n_watchers;
};

static const char *const job_kind_table[_JOB_KIND_MAX] = {
        [JOB_LOAD] = "load",
        [JOB_IMPORT] = "import",
        [JOB_PULL] = "pull",
        [JOB_LAYER] = "layer",
        [JOB_MEASURE] = "measure",
        [JOB_COPY] = "copy",
        [JOB_COMMIT] = "commit",
        [JOB_UNMOUNT] = "unmount",
        [JOB_BUILD] = "build",
        [JOB_STEP] = "step",
};

static const char *const job_state_table[_JOB_STATE_MAX] = {
        [JOB_QUEUED] = "queued",
        [JOB_RUNNING] = "running",
        [JOB_DONE] = "done",
        [JOB_FAILED] = "failed",
        [JOB_CANCELLED] = "cancelled",
};

const char *job_kind_to_string(JobKind k) {
        return (size_t) k < ARRAY_SIZE(job_kind_table) ? job_kind_table[k] : NULL;
}

const char *job_state_to_string(JobState s) {
        return (size_t) s < ARRAY_SIZE(job_state_table) ? job_state_table[s] : NULL;
}

static bool job_is_over(const Job *j) {
        return j->state >= JOB_DONE;
}

static JobRow *job_row_free(JobRow *row) {
        free(row->id);
        free(row);
        return NULL;
}

int jobs_new(sd_event *e, Jobs **ret) {
        _cleanup_(jobs_freep) Jobs *s = NULL;

        assert(e);
        assert(ret);

        s = new0(Jobs, 1);
        if (!s)
                return -ENOMEM;

        s->event = sd_event_ref(e);
        s->jobs = hashmap_new(HASHMAP_POINTER);
        if (!s->jobs)
                return -ENOMEM;

        *ret = TAKE_PTR(s);
        return 0;
}

Job *jobs_find(Jobs *s, uint32_t id) {
        return hashmap_get(s->jobs, UINT_TO_PTR(id));
}

Job *jobs_next(Jobs *s, Job *after) {
        bool found = !after;
        Job *j;

        HASHMAP_FOREACH (j, s->jobs) {
                if (found)
                        return j;
                found = j == after;
        }
        return NULL;
}

int jobs_watch(Jobs *s, jobs_changed_t callback, void *userdata) {
        assert(s);
        assert(callback);

        if (s->n_watchers >= JOBS_WATCHERS_MAX)
                return -ENOBUFS;

        s->watchers[s->n_watchers].callback = callback;
        s->watchers[s->n_watchers++].userdata = userdata;
        return 0;
}

void jobs_unwatch(Jobs *s, void *userdata) {
        unsigned n = 0;

        assert(s);

        for (unsigned i = 0; i < s->n_watchers; i++)
                if (s->watchers[i].userdata != userdata)
                        s->watchers[n++] = s->watchers[i];
        s->n_watchers = n;
}

static void jobs_tell(Jobs *s, Job *j, bool added) {
        for (unsigned i = 0; i < s->n_watchers; i++)
                s->watchers[i].callback(j, added, s->watchers[i].userdata);
}

int job_new(Jobs *s, JobKind kind, const char *title, job_result_t on_result, void *userdata,
        Job **ret) {
        _cleanup_(job_unrefp) Job *j = NULL;
        JobPrivate *p;
        int r;

        assert(s);
        assert(ret);

        j = new0(Job, 1);
        if (!j)
                return -ENOMEM;
        j->n_ref = 1;
        j->n_callers = 1;
        j->kind = kind;
        j->started_nsec = (uint64_t) clock_realtime_ns();

        j->private = p = new0(JobPrivate, 1);
        if (!p)
                return -ENOMEM;
        list_init(&p->watches);
        p->on_result = on_result;
        p->userdata = userdata;
        p->event = sd_event_ref(s->event);

        r = str_copy(&j->title, title);
        if (r < 0)
                return r;

        do
                j->id = ++s->last_id;
        while (j->id == 0 || jobs_find(s, j->id));

        r = hashmap_put(s->jobs, UINT_TO_PTR(j->id), j);
        if (r < 0)
                return r;

        /* The set's own reference; job_finish() gives it up. */
        j->jobs = s;
        job_ref(j);
        jobs_tell(s, j, /* added= */ true);

        *ret = TAKE_PTR(j);
        return 0;
}

Job *job_ref(Job *j) {
        assert(j && j->n_ref > 0);

        j->n_ref++;
        return j;
}

Job *job_unref(Job *j) {
        JobPrivate *p;

        if (!j)
                return NULL;

        assert(j->n_ref > 0);
        if (--j->n_ref > 0)
                return NULL;

        p = j->private;
        if (p) {
                assert(list_empty(&p->watches));
                hashmap_free_with(p->rows, job_row_free);
                error_done(&p->error);
                sd_event_unref(p->event);
                free(p);
        }
        free(j->title);
        free(j->status);
        strv_free(j->lines);
        free(j);
        return NULL;
}

static int on_late_watch(sd_event_source *source, void *userdata) {
        JobWatch *w = userdata;
        JobPrivate *p = w->job->private;

        w->late = loop_source_free(w->late);
        if (w->on_done)
                w->on_done(w->job, p->result, &p->error, w->userdata);
        return 0;
}

int job_watch(
        Job *j, job_progress_t on_progress, job_done_t on_done, void *userdata, JobWatch **ret) {
        _cleanup_(job_watch_freep) JobWatch *w = NULL;
        JobPrivate *p;
        int r;

        assert(j);
        assert(ret);

        w = new0(JobWatch, 1);
        if (!w)
                return -ENOMEM;

        p = j->private;
        w->job = job_ref(j);
        w->on_progress = on_progress;
        w->on_done = on_done;
        w->userdata = userdata;
        list_append(&p->watches, &w->by_age);

        if (job_is_over(j)) {
                r = loop_defer(p->event, LOOP_SYSTEM, "job-ended", on_late_watch, w, &w->late);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(w);
        return 0;
}

JobWatch *job_watch_free(JobWatch *w) {
        if (!w)
                return NULL;

        list_remove(&w->by_age);
        loop_source_free(w->late);
        job_unref(w->job);
        free(w);
        return NULL;
}

int job_cancel(Job *j) {
        JobPrivate *p;

        assert(j);

        p = j->private;
        if (job_is_over(j) || !p->cancel)
                return 0;
        return p->cancel(j, p->cancel_userdata);
}

void job_leave(Job *j) {
        assert(j->n_callers > 0);

        if (--j->n_callers == 0)
                (void) job_cancel(j);
}

void job_set_cancel(Job *j, int (*cancel)(Job *j, void *userdata), void *userdata) {
        JobPrivate *p = j->private;

        p->cancel = cancel;
        p->cancel_userdata = userdata;
}

void job_set_running(Job *j) {
        assert(j->state == JOB_QUEUED);

        j->state = JOB_RUNNING;
}

/* Share of all rows with a total that is done; rows without one say nothing. */
static void job_count_progress(Job *j, const TaskProgress *row) {
        double current = 0, total = 0;
        JobPrivate *p = j->private;
        JobRow *known;

        if (row->total == 0 || str_empty(row->id))
                return;

        known = hashmap_get(p->rows, row->id);
        if (!known) {
                if (hashmap_size(p->rows) >= JOB_ROWS_MAX)
                        return;
                known = new0(JobRow, 1);
                if (!known)
                        return;
                if (str_copy(&known->id, row->id) < 0 ||
                        hashmap_ensure_put(&p->rows, HASHMAP_STRING, known->id, known) < 0) {
                        job_row_free(known);
                        return;
                }
        }
        known->current = MIN(row->current, row->total);
        known->total = row->total;

        HASHMAP_FOREACH (known, p->rows) {
                current += (double) known->current;
                total += (double) known->total;
        }
        j->progress = MAX(j->progress, current / total);
}

/* A watcher may end its own watch while it is called, or any other one: the walk starts again at the
 * first that has not been called yet. The job is held meanwhile. */
typedef enum JobNews { JOB_NEWS_PROGRESS, JOB_NEWS_DONE } JobNews;

static void job_tell(Job *j, JobNews news, const TaskProgress *row) {
        JobPrivate *p = j->private;
        List called = {};
        JobWatch *w;

        list_init(&called);
        while ((w = list_first(&p->watches, JobWatch, by_age))) {
                list_remove(&w->by_age);
                list_append(&called, &w->by_age);
                if (news == JOB_NEWS_PROGRESS && w->on_progress)
                        w->on_progress(j, row, w->userdata);
                else if (news == JOB_NEWS_DONE && w->on_done)
                        w->on_done(j, p->result, &p->error, w->userdata);
        }
        while ((w = list_first(&called, JobWatch, by_age))) {
                list_remove(&w->by_age);
                list_append(&p->watches, &w->by_age);
        }
}

void job_add_progress(Job *j, const TaskProgress *row) {
        assert(j);
        assert(row);

        if (job_is_over(j))
                return;

        job_ref(j);
        if (!str_empty(row->status))
                (void) str_copy(&j->status, row->status);
        job_count_progress(j, row);
        job_tell(j, JOB_NEWS_PROGRESS, row);
        job_unref(j);
}

/* The result is known: everybody is told. */
static void job_end(Job *j) {
        int r = ((JobPrivate *) j->private)->result;
        Jobs *jobs;

        j->state = r >= 0 ? JOB_DONE : r == -ECANCELED ? JOB_CANCELLED : JOB_FAILED;
        if (r >= 0)
                j->progress = 1;

        job_tell(j, JOB_NEWS_DONE, NULL);

        jobs = TAKE_PTR(j->jobs);
        if (jobs) {
                hashmap_remove(jobs->jobs, UINT_TO_PTR(j->id));
                jobs_tell(jobs, j, /* added= */ false);
                job_unref(j);
        }
}

void job_finish(Job *j, const TaskResult *result, int r, const Error *e) {
        JobPrivate *p;

        assert(j);
        assert(!job_is_over(j));

        p = j->private;
        p->cancel = NULL;

        /* Done only when what came of it is saved: the set's handler has the last word. */
        if (p->on_result) {
                int q = p->on_result(j, result, r, e, p->userdata, &p->error);
                if (r >= 0 && q < 0)
                        r = q;
        }
        if (r < 0) {
                if (e && !error_is_set(&p->error))
                        (void) error_copy(&p->error, e);
                if (r == -ECANCELED)
                        (void) error_set(&p->error, ERROR_CANCELLED, "%s was cancelled", j->title);
                else
                        (void) error_set_errno(&p->error, r, "%s", j->title);
        }

        p->result = r;
        p->ends = true;
        if (p->on_ending)
                p->on_ending(j, p->ending_userdata);
        else
                job_end(j);
}

Jobs *jobs_free(Jobs *s) {
        Job *j;

        if (!s)
                return NULL;

        HASHMAP_FOREACH (j, s->jobs) {
                JobPrivate *p = j->private;

                p->on_ending = NULL; /* nothing can be waited for any more */
                if (p->ends)
                        job_end(j);
                else
                        job_finish(j, NULL, -ECANCELED, NULL);
        }
        hashmap_free(s->jobs);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}

void job_hold(Job *j, job_ending_t on_ending, void *userdata) {
        JobPrivate *p = j->private;

        assert(!job_is_over(j));
        assert(!p->on_ending);

        p->on_ending = on_ending;
        p->ending_userdata = userdata;
}

void job_release(Job *j) {
        JobPrivate *p = j->private;

        assert(p->on_ending);

        p->on_ending = NULL;
        job_end(j);
}
