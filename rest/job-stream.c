/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/job-stream.h"

#include <string.h>

#include "engine/core/job.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "rest/request.h"
#include "rest/stream.h"

typedef struct JobStream {
        Request *q; /* until the answer has begun, when that comes late */
        Stream *stream;
        Job *job;
        JobWatch *watch;
        JobStreamKind kind;
        bool quiet;
        bool cancel_on_gone;
} JobStream;

static void job_stream_free(JobStream *s) {
        job_watch_free(s->watch);
        job_unref(s->job);
        stream_unref(s->stream);
        free(s);
}

static void send_row(JobStream *s, Json *row) {
        _cleanup_(freep) char *text = NULL;

        if (json_print(row, JSON_COMPACT, &text) < 0)
                return;
        if (stream_write_string(s->stream, text) >= 0)
                (void) stream_write_string(s->stream, "\r\n");
}

static int progress_row(const TaskProgress *p, Json **ret) {
        _cleanup_(json_unrefp) Json *row = NULL;
        Json *detail;
        int r;

        r = json_new_object(&row);
        if (r >= 0 && !str_empty(p->stream))
                r = json_set_text(row, "stream", p->stream);
        if (r >= 0 && !str_empty(p->status))
                r = json_set_text(row, "status", p->status);
        if (r >= 0 && str_empty(p->stream) && !p->message) {
                r = json_set_new_object(row, "progressDetail", &detail);
                if (r >= 0 && p->total > 0) {
                        r = json_set_uint64(detail, "current", p->current);
                        if (r >= 0)
                                r = json_set_uint64(detail, "total", p->total);
                }
        }
        if (r >= 0 && !str_empty(p->id))
                r = json_set_text(row, "id", p->id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(row);
        return 0;
}

static void on_gone(Stream *stream, void *userdata);

/* s is gone when it fails. */
static int job_stream_begin(JobStream *s) {
        Request *q = TAKE_PTR(s->q);
        int r;

        q->on_gone = NULL;
        r = stream_new(q, "application/json", &s->stream);
        if (r >= 0)
                stream_set_callbacks(s->stream, NULL, on_gone, s);
        else
                on_gone(NULL, s);
        request_finish(q, r);
        return r;
}

static void on_progress(Job *j, const TaskProgress *p, void *userdata) {
        _cleanup_(json_unrefp) Json *row = NULL;
        JobStream *s = userdata;

        /* Rows are news of the moment: a client that is behind misses some, the result it gets. */
        if (s->q && job_stream_begin(s) < 0)
                return;
        if (s->quiet || stream_is_full(s->stream))
                return;
        if (progress_row(p, &row) >= 0)
                send_row(s, row);
}

static void send_error(JobStream *s, int r, const Error *e) {
        _cleanup_(json_unrefp) Json *row = NULL;
        Json *detail;
        int k;

        k = json_new_object(&row);
        if (k >= 0)
                k = json_set_new_object(row, "errorDetail", &detail);
        if (k >= 0)
                k = json_set_text(detail, "message", error_text(e, r));
        if (k >= 0)
                k = json_set_text(row, "error", error_text(e, r));
        if (k >= 0)
                send_row(s, row);
}

static void send_line(JobStream *s, const char *line) {
        _cleanup_(json_unrefp) Json *row = NULL;
        int r;

        r = json_new_object(&row);
        if (r >= 0)
                r = s->kind == JOB_STREAM_TEXT ? json_set_textf(row, "stream", "%s\n", line)
                                               : json_set_text(row, "status", line);
        if (r >= 0)
                send_row(s, row);
}

static void on_done(Job *j, int r, const Error *e, void *userdata) {
        JobStream *s = userdata;

        if (s->q && r < 0) { /* it never came to a row */
                Request *q = s->q;

                q->on_gone = NULL;
                (void) error_copy(&q->error, e);
                job_stream_free(s);
                request_finish(q, r);
                return;
        }
        if (s->q && job_stream_begin(s) < 0)
                return;
        stream_set_callbacks(s->stream, NULL, NULL, NULL);
        if (r < 0)
                send_error(s, r, e);
        else
                STRV_FOREACH (line, j->lines)
                        send_line(s, *line);
        stream_end(s->stream);
        job_stream_free(s);
}

static void on_gone(Stream *stream, void *userdata) {
        JobStream *s = userdata;
        Job *j = s->cancel_on_gone ? job_ref(s->job) : NULL;

        job_stream_free(s); /* first: a job that has not begun ends at once, and would tell us */
        if (j)
                job_leave(j);
        job_unref(j);
}

static void on_request_gone(Request *q) {
        on_gone(NULL, q->data);
}

int job_stream_new_late(Request *q, Job *j, JobStreamKind kind, int quiet, int cancel_on_gone) {
        JobStream *s;
        int r;

        s = new0(JobStream, 1);
        if (!s) {
                job_unref(j);
                return -ENOMEM;
        }
        *s = (JobStream) {
                .q = q, .job = j, .kind = kind, .quiet = quiet, .cancel_on_gone = cancel_on_gone
        };
        r = job_watch(j, on_progress, on_done, s, &s->watch);
        if (r < 0) {
                job_stream_free(s);
                return r;
        }
        q->data = s;
        q->on_gone = on_request_gone;
        return request_defer(q);
}

int job_stream_new(Request *q, Job *j, JobStreamKind kind, int quiet, int cancel_on_gone) {
        JobStream *s;
        int r;

        s = new0(JobStream, 1);
        if (!s) {
                job_unref(j);
                return -ENOMEM;
        }
        s->job = j;
        s->kind = kind;
        s->quiet = quiet;
        s->cancel_on_gone = cancel_on_gone;

        r = stream_new(q, "application/json", &s->stream);
        if (r >= 0) {
                stream_set_callbacks(s->stream, NULL, on_gone, s);
                r = job_watch(j, on_progress, on_done, s, &s->watch);
                if (r < 0)
                        stream_set_callbacks(s->stream, NULL, NULL, NULL);
        }
        if (r < 0)
                job_stream_free(s);
        return r;
}
