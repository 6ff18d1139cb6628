/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/core/pending.h"
#include "engine/engine.h"
#include "engine/log/driver.h"
#include "lib/api/container-spec.h"
#include "lib/api/log-details.h"
#include "lib/api/stream-frame.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "rest/request.h"
#include "rest/router.h"
#include "rest/stream.h"

#define TYPE_RAW         "application/vnd.docker.raw-stream"
#define TYPE_MULTIPLEXED "application/vnd.docker.multiplexed-stream"

/* ---- wait ---- */

/* The status and headers go out before we wait: clients start the container only when they have seen them. */
typedef struct Waiter {
        Stream *stream;
        Pending *pending;
} Waiter;

static void waiter_free(Waiter *w) {
        pending_unref(w->pending);
        stream_unref(w->stream);
        free(w);
}

static void waiter_on_gone(Stream *s, void *userdata) {
        Waiter *w = userdata;

        pending_detach(w->pending);
        waiter_free(w);
}

static int wait_document(int r, const int64_t *code, const Error *e, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        Json *error;
        int k;

        k = json_new_object(&v);
        if (k >= 0)
                k = json_set_int64(v, "StatusCode", r < 0 ? -1 : *code);
        if (k >= 0 && r < 0) {
                k = json_set_new_object(v, "Error", &error);
                if (k >= 0)
                        k = json_set_text(error, "Message", error_text(e, r));
        }
        if (k >= 0)
                k = json_print(v, JSON_COMPACT, &text);
        if (k < 0)
                return k;

        *ret = str_concat(text, "\n");
        return *ret ? 0 : -ENOMEM;
}

static void on_waited(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(freep) char *text = NULL;
        Waiter *w = userdata;

        stream_set_callbacks(w->stream, NULL, NULL, NULL);
        if (wait_document(r, result, e, &text) >= 0)
                (void) stream_write_string(w->stream, text);
        stream_end(w->stream);
        waiter_free(w);
}

static int post_wait(Request *q, Response *a) {
        const char *name = request_query(q, "condition");
        ContainerWaitCondition condition = CONTAINER_WAIT_NOT_RUNNING;
        Container *c;
        Waiter *w;
        int r;

        if (!str_empty(name) && q->api >= 1030) {
                condition = container_wait_condition_from_string(name);
                if (condition < 0)
                        return error_set(
                                &q->error, ERROR_INVALID, "invalid condition: \"%s\"", name);
        }

        r = containers_find(q->engine->containers, request_var(q, "id"), &c, &q->error);
        if (r < 0)
                return r;

        w = new0(Waiter, 1);
        if (!w)
                return -ENOMEM;

        r = pending_new(on_waited, w, &w->pending);
        if (r >= 0)
                r = stream_new(q, "application/json", &w->stream);
        if (r < 0) {
                waiter_free(w);
                return r;
        }

        stream_set_callbacks(w->stream, NULL, waiter_on_gone, w);
        r = container_wait(c, condition, w->pending, &q->error);
        if (r < 0) {
                stream_set_callbacks(w->stream, NULL, NULL, NULL);
                waiter_free(w);
        }
        return r;
}

/* ---- logs ---- */

typedef struct LogAnswer {
        Stream *stream;
        ContainerLog *log;
        bool multiplexed;
        bool timestamps;
        bool details;
} LogAnswer;

static void log_answer_free(LogAnswer *l) {
        container_log_free(l->log);
        stream_unref(l->stream);
        free(l);
}

static void log_on_gone(Stream *s, void *userdata) {
        log_answer_free(userdata);
}

static void log_on_drain(Stream *s, void *userdata) {
        LogAnswer *l = userdata;

        container_log_resume(l->log);
}

static int log_write(LogAnswer *l, const LogMessage *m) {
        _cleanup_(buffer_done) Buffer line = {};
        char time[CLOCK_TEXT_SIZE];
        uint8_t header[FRAME_HEADER_SIZE];
        int r = 0;

        if (l->timestamps)
                r = buffer_printf(&line, "%s ", clock_format_fixed((int64_t) m->time_nsec, time));
        if (r >= 0 && l->details)
                r = log_details_append(&line, m->attrs);
        if (r >= 0)
                r = buffer_append(&line, m->data, m->size);
        if (r < 0)
                return r;

        if (l->multiplexed) {
                frame_header(header, m->stream == LOG_STREAM_STDERR ? FRAME_STDERR : FRAME_STDOUT,
                        (uint32_t) buffer_size(&line));
                r = stream_write(l->stream, header, sizeof header);
                if (r < 0)
                        return r;
        }
        return stream_write(l->stream, buffer_head(&line), buffer_size(&line));
}

static void log_on_message(const LogMessage *m, void *userdata) {
        LogAnswer *l = userdata;

        /* A client that is gone has its own callback; what cannot be written now ends there. */
        if (log_write(l, m) >= 0 && stream_is_full(l->stream))
                container_log_pause(l->log);
}

static void log_on_end(int r, void *userdata) {
        LogAnswer *l = userdata;

        if (r < 0 && l->multiplexed) {
                const char *text = "error from daemon in stream: the log cannot be read on\n";
                uint8_t header[FRAME_HEADER_SIZE];

                frame_header(header, FRAME_SYSTEM_ERROR, (uint32_t) strlen(text));
                (void) stream_write(l->stream, header, sizeof header);
                (void) stream_write_string(l->stream, text);
        }
        stream_end(l->stream);
        log_answer_free(l);
}

static int read_log_options(Request *q, LogReadOptions *ret) {
        const char *tail = request_query(q, "tail");
        int r;

        *ret = LOG_READ_OPTIONS_ALL;
        ret->with_stdout = request_query_bool(q, "stdout", false);
        ret->with_stderr = request_query_bool(q, "stderr", false);
        ret->follow = request_query_bool(q, "follow", false);

        if (!ret->with_stdout && !ret->with_stderr)
                return error_set(&q->error, ERROR_INVALID,
                        "must specify at least one of 'stdout' or 'stderr'");

        r = request_query_time(q, "since", 0, &ret->since_nsec);
        if (r >= 0)
                r = request_query_time(q, "until", UINT64_MAX, &ret->until_nsec);
        if (r < 0)
                return r;

        if (!tail || parse_i64(tail, &ret->tail) < 0) /* "all" and whatever else is no number */
                ret->tail = -1;
        return 0;
}

static int get_logs(Request *q, Response *a) {
        LogReadOptions options;
        LogAnswer *l;
        Container *c;
        int r;

        r = read_log_options(q, &options);
        if (r < 0)
                return r;

        r = containers_find(q->engine->containers, request_var(q, "id"), &c, &q->error);
        if (r < 0)
                return r;

        l = new0(LogAnswer, 1);
        if (!l)
                return -ENOMEM;
        l->multiplexed = !c->spec.config.tty;
        l->timestamps = request_query_bool(q, "timestamps", false);
        l->details = request_query_bool(q, "details", false);

        r = stream_new(
                q, l->multiplexed && q->api >= 1042 ? TYPE_MULTIPLEXED : TYPE_RAW, &l->stream);
        if (r >= 0) {
                stream_set_callbacks(l->stream, log_on_drain, log_on_gone, l);
                r = container_logs(c, &options, log_on_message, log_on_end, l, &l->log, &q->error);
                if (r < 0)
                        stream_set_callbacks(l->stream, NULL, NULL, NULL);
        }
        if (r < 0)
                log_answer_free(l);
        return r;
}

/* clang-format off */
const Route container_io_routes[] = {
        { "POST", "/containers/{id}/wait", AUTH_VIEW, post_wait, 0, "id" },
        { "GET",  "/containers/{id}/logs", AUTH_VIEW, get_logs,  0, "id" },
        {}
};
/* clang-format on */
