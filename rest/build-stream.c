/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/build-stream.h"

#include <stdio.h>
#include <string.h>

#include "engine/build/builds.h"
#include "engine/core/job.h"
#include "engine/engine.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "rest/request.h"
#include "rest/stream.h"

#define HELD_MAX ((size_t) 1024 * 1024)

typedef struct BuildStream {
        Request *q; /* until the answer has begun */
        Stream *stream;
        Job *job;
        JobWatch *watch;
        Builds *builds;
        unsigned api;
        bool quiet;
        Buffer held; /* of a quiet one */
} BuildStream;

static void build_stream_free(BuildStream *s) {
        job_watch_free(s->watch);
        job_unref(s->job);
        stream_unref(s->stream);
        buffer_done(&s->held);
        free(s);
}

static void build_stream_cancel(BuildStream *s) {
        Job *j = job_ref(s->job);

        build_stream_free(s);
        (void) job_cancel(j);
        job_unref(j);
}

static void on_gone(Stream *stream, void *userdata) {
        build_stream_cancel(userdata);
}

static void on_request_gone(Request *q) {
        build_stream_cancel(q->data);
}

static void on_drain(Stream *stream, void *userdata) {
        BuildStream *s = userdata;

        builds_pause(s->builds, s->job, false);
}

static void send_row(BuildStream *s, Json *row) {
        _cleanup_(freep) char *text = NULL;

        if (json_print(row, JSON_COMPACT, &text) < 0)
                return;
        if (stream_write_string(s->stream, text) >= 0)
                (void) stream_write_string(s->stream, "\r\n");
}

static void send_text(BuildStream *s, const char *text) {
        _cleanup_(json_unrefp) Json *row = NULL;

        if (json_new_object(&row) >= 0 && json_set_text(row, "stream", text) >= 0)
                send_row(s, row);
}

static void send_aux(BuildStream *s, const char *id) {
        _cleanup_(json_unrefp) Json *row = NULL;
        Json *aux;

        if (s->api >= 1030 && json_new_object(&row) >= 0 &&
                json_set_new_object(row, "aux", &aux) >= 0 && json_set_text(aux, "ID", id) >= 0)
                send_row(s, row);
}

/* "… returned a non-zero code: 3": clients want the number. -1: it is no such sentence. */
static long failed_code(const char *text) {
        static const char mark[] = "returned a non-zero code: ";
        const char *found = strstr(text, mark);
        long code;

        return found && sscanf(found + strlen(mark), "%ld", &code) == 1 ? code : -1;
}

static void send_error(BuildStream *s, int r, const Error *e) {
        _cleanup_(json_unrefp) Json *row = NULL;
        const char *text = error_text(e, r);
        long code = failed_code(text);
        Json *detail;
        int k;

        k = json_new_object(&row);
        if (k >= 0)
                k = json_set_new_object(row, "errorDetail", &detail);
        if (k >= 0 && code >= 0)
                k = json_set_int64(detail, "code", code);
        if (k >= 0)
                k = json_set_text(detail, "message", text);
        if (k >= 0)
                k = json_set_text(row, "error", text);
        if (k >= 0)
                send_row(s, row);
}

/* The first row: from here on it is a stream with status 200. */
static int build_stream_begin(BuildStream *s) {
        Request *q = TAKE_PTR(s->q);
        int r;

        if (!q)
                return 0;
        q->on_gone = NULL;
        r = stream_new(q, "application/json", &s->stream);
        if (r >= 0)
                stream_set_callbacks(s->stream, on_drain, on_gone, s);
        request_finish(q, r);
        return r;
}

static void on_progress(Job *j, const TaskProgress *p, void *userdata) {
        BuildStream *s = userdata;

        if (s->quiet) {
                if (!str_empty(p->stream) && buffer_size(&s->held) < HELD_MAX)
                        (void) buffer_append_string(&s->held, p->stream);
                return;
        }
        if (build_stream_begin(s) < 0) {
                build_stream_cancel(s);
                return;
        }
        if (str_equal(p->id, BUILD_ROW_IMAGE))
                send_aux(s, str_or_empty(p->status));
        else if (!str_empty(p->stream))
                send_text(s, p->stream);
        if (stream_is_full(s->stream))
                builds_pause(s->builds, j, true);
}

static void on_done(Job *j, int r, const Error *e, void *userdata) {
        BuildStream *s = userdata;

        if (s->q && r < 0 && buffer_empty(&s->held)) {
                Request *q = TAKE_PTR(s->q);

                q->on_gone = NULL;
                (void) error_copy(&q->error, e);
                build_stream_free(s);
                request_finish(q, r);
                return;
        }
        if (build_stream_begin(s) >= 0) {
                stream_set_callbacks(s->stream, NULL, NULL, NULL);
                if (r < 0 && !buffer_empty(&s->held))
                        send_text(s, buffer_string(&s->held));
                if (r < 0)
                        send_error(s, r, e);
                else if (s->quiet && j->lines) {
                        _cleanup_(freep) char *line = str_concat(j->lines[0], "\n");

                        send_text(s, str_or_empty(line));
                }
                stream_end(s->stream);
        }
        build_stream_free(s);
}

int build_stream_new(Request *q, Job *j, bool quiet) {
        BuildStream *s = new0(BuildStream, 1);
        int r;

        if (!s) {
                (void) job_cancel(j);
                job_unref(j);
                return -ENOMEM;
        }
        *s = (BuildStream) {
                .q = q, .job = j, .builds = q->engine->builds, .api = q->api, .quiet = quiet
        };
        r = job_watch(j, on_progress, on_done, s, &s->watch);
        if (r < 0) {
                build_stream_cancel(s);
                return r;
        }
        q->data = s;
        q->on_gone = on_request_gone;
        return request_defer(q);
}
