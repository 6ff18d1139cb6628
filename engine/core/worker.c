/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/core/worker.h"

#include <signal.h>
#include <systemd/sd-event.h>

#include "engine/core/job.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/event/channel.h"
#include "lib/event/child.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

#define WORKERS_QUEUE_MAX 256U
#define WORKER_GRACE_USEC (10 * USEC_PER_SEC)

/* One task: queued, then being spawned, then running. Owned by Workers until its job is finished. */
typedef struct Worker {
        ListNode node; /* in queue or running */
        Workers *set;
        Job *job;
        Json *record; /* the task, until it is sent */
        int fds[CHANNEL_FDS_MAX];
        size_t n_fds;
        int channel_fd; /* our end while it is being spawned */
        Child *child;
        bool spawning;
        bool cancelled;
        bool has_result;
        TaskResult result;
} Worker;

struct Workers {
        sd_event *event;
        worker_spawn_t spawn;
        void *spawn_userdata;
        List queue;
        List held; /* as queued, but nobody may start them yet */
        List running;
        unsigned n_queued;
        unsigned n_running;
        unsigned max;
        sd_event_source *next; /* starts what waits, from the loop: never inside of a caller */
        bool ending;
};

static Worker *worker_free(Worker *w) {
        if (!w)
                return NULL;

        list_remove(&w->node);
        child_free(w->child);
        fd_close(w->channel_fd);
        fd_close_many(w->fds, w->n_fds);
        json_unref(w->record);
        task_result_done(&w->result);
        job_unref(w->job);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(Worker *, worker_free);

static int on_next(sd_event_source *source, void *userdata);

static void workers_kick(Workers *s) {
        if (s->ending || s->next || list_empty(&s->queue))
                return;
        (void) loop_defer(s->event, LOOP_SYSTEM, "worker-queue", on_next, s, &s->next);
}

/* The last act of a task; w is gone afterwards. */
static void worker_finish(Worker *w, int r, const Error *e) {
        Workers *s = w->set;
        Job *j = job_ref(w->job);
        TaskResult result = TAKE_STRUCT(w->result);
        bool has_result = w->has_result;

        s->n_running--;
        worker_free(w);

        if (!s->ending)
                job_finish(j, has_result ? &result : NULL, r, e);
        task_result_done(&result);
        job_unref(j);
        workers_kick(s);
}

static int on_record(Child *c, Json *record, int *fds, size_t n_fds, void *userdata) {
        _cleanup_(task_progress_done) TaskProgress row = {};
        _cleanup_(error_done) Error e = {};
        Worker *w = userdata;
        const char *type;
        int r;

        type = json_get_text(record, "type");
        if (str_equal(type, "progress")) {
                r = json_read(record, task_progress_fields, &row, &e);
                if (r < 0)
                        return r;
                job_add_progress(w->job, &row);
                return 0;
        }
        if (str_equal(type, "result") && !w->has_result) {
                r = json_read(record, task_result_fields, &w->result, &e);
                if (r < 0)
                        return r;
                w->has_result = true;
                return 0;
        }
        return -EPROTO;
}

static void on_exit_(Child *c, const siginfo_t *si, void *userdata) {
        _cleanup_(error_done) Error e = {};
        Worker *w = userdata;
        int r = 0;

        /* A result that came counts, even when the job was cancelled a moment too late. */
        if (w->has_result && str_empty(w->result.error_kind))
                r = 0;
        else if (w->cancelled)
                r = -ECANCELED;
        else if (w->has_result) {
                ErrorKind kind = error_kind_from_string(w->result.error_kind);

                r = error_set(&e, kind > ERROR_NONE ? kind : ERROR_INTERNAL, "%s",
                        str_or(w->result.error, w->result.error_kind));
        } else
                r = error_set(
                        &e, ERROR_INTERNAL, "%s: the worker ended without a result", w->job->title);

        worker_finish(w, r, &e);
}

static const ChildOps worker_child_ops = {
        .name = "worker",
        .on_record = on_record,
        .on_exit = on_exit_,
};

static void on_spawned(int r, int pid, int pidfd, void *userdata) {
        _cleanup_(error_done) Error e = {};
        Worker *w = userdata;

        w->spawning = false;
        if (r >= 0)
                r = child_adopt(w->set->event, pid, pidfd, TAKE_FD(w->channel_fd),
                        &worker_child_ops, w, &w->child);
        if (r >= 0)
                r = child_send(w->child, w->record, w->fds, w->n_fds);
        if (r < 0) {
                if (w->child)
                        (void) child_kill(w->child, SIGKILL);
                error_set_errno(&e, r, "Failed to start a worker for %s", w->job->title);
                worker_finish(w, r, &e);
                return;
        }

        fd_close_many(w->fds, w->n_fds);
        w->n_fds = 0;
        w->record = json_unref(w->record);
        if (w->cancelled)
                (void) child_terminate(w->child, WORKER_GRACE_USEC);
}

static void worker_begin(Worker *w) {
        _cleanup_(fd_closep) int theirs = -EBADF;
        _cleanup_(error_done) Error e = {};
        int pair[2], r;

        list_remove(&w->node);
        list_append(&w->set->running, &w->node);
        w->set->n_queued--;
        w->set->n_running++;
        job_set_running(w->job);

        r = channel_pair(pair);
        if (r >= 0) {
                w->channel_fd = pair[0];
                theirs = pair[1];
                w->spawning = true;
                r = w->set->spawn(w->set->spawn_userdata, job_kind_to_string(w->job->kind), theirs,
                        on_spawned, w);
        }
        if (r < 0) {
                w->spawning = false;
                error_set_errno(&e, r, "Failed to start a worker for %s", w->job->title);
                worker_finish(w, r, &e);
        }
}

static int on_next(sd_event_source *source, void *userdata) {
        Workers *s = userdata;
        Worker *w;

        s->next = loop_source_free(s->next);
        while (s->n_running < s->max && (w = list_first(&s->queue, Worker, node)))
                worker_begin(w);
        return 0;
}

static int worker_cancel(Job *j, void *userdata) {
        Worker *w = userdata;

        if (w->cancelled)
                return 0;
        w->cancelled = true;

        if (w->child)
                return child_terminate(w->child, WORKER_GRACE_USEC);
        if (!w->spawning) { /* still in the queue */
                w->set->n_queued--;
                w->set->n_running++; /* worker_finish() counts it down */
                worker_finish(w, -ECANCELED, NULL);
        }
        return 0;
}

int workers_new(sd_event *e, worker_spawn_t spawn, void *spawn_userdata, Workers **ret) {
        Workers *s;

        assert(e);
        assert(spawn);
        assert(ret);

        s = new0(Workers, 1);
        if (!s)
                return -ENOMEM;

        s->event = sd_event_ref(e);
        s->max = WORKERS_MAX;
        s->spawn = spawn;
        s->spawn_userdata = spawn_userdata;
        list_init(&s->queue);
        list_init(&s->held);
        list_init(&s->running);
        *ret = s;
        return 0;
}

void workers_set_max(Workers *s, unsigned max) {
        assert(max > 0);

        s->max = max;
}

/* Workers that run see their channel end and give up; what they made lies under names nobody uses. */
Workers *workers_free(Workers *s) {
        Worker *w;

        if (!s)
                return NULL;

        s->ending = true;
        while ((w = list_first(&s->queue, Worker, node)))
                worker_free(w);
        while ((w = list_first(&s->held, Worker, node)))
                worker_free(w);
        while ((w = list_first(&s->running, Worker, node))) {
                if (w->child)
                        (void) child_kill(w->child, SIGTERM);
                worker_free(w);
        }
        loop_source_free(s->next);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}

static int worker_queue(
        Workers *s, const TaskSpec *spec, int *fds, size_t n_fds, bool held, Job *j) {
        _cleanup_(worker_freep) Worker *w = NULL;
        int r;

        assert(s);
        assert(spec);
        assert(j);
        assert(n_fds <= CHANNEL_FDS_MAX);

        w = new0(Worker, 1);
        if (!w) {
                fd_close_many(fds, n_fds);
                return -ENOMEM;
        }
        w->set = s;
        w->channel_fd = -EBADF;
        w->job = job_ref(j);
        for (size_t i = 0; i < n_fds; i++)
                w->fds[w->n_fds++] = TAKE_FD(fds[i]);

        if (s->n_queued >= WORKERS_QUEUE_MAX)
                return -ENOBUFS;

        r = json_write(spec, task_spec_fields, &w->record);
        if (r < 0)
                return r;
        r = json_set_text(w->record, "type", "task");
        if (r < 0)
                return r;

        job_set_cancel(j, worker_cancel, w);
        list_append(held ? &s->held : &s->queue, &w->node);
        s->n_queued++;
        w = NULL;
        workers_kick(s);
        return 0;
}

int worker_start(Workers *s, const TaskSpec *spec, int *fds, size_t n_fds, Job *j) {
        return worker_queue(s, spec, fds, n_fds, /* held= */ false, j);
}

int worker_start_held(Workers *s, const TaskSpec *spec, Job *j) {
        return worker_queue(s, spec, NULL, 0, /* held= */ true, j);
}

void worker_let_go(Workers *s, Job *j) {
        Worker *w;

        LIST_FOREACH_SAFE (w, &s->held, node)
                if (w->job == j) {
                        list_remove(&w->node);
                        list_append(&s->queue, &w->node);
                        workers_kick(s);
                }
}
