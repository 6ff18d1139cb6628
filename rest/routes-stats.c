/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /containers/ID/stats: one object a second for as long as the container exists, or only one object. */
#include <errno.h>
#include <string.h>

#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/container/stats.h"
#include "engine/engine.h"
#include "engine/view/stats-view.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "rest/request.h"
#include "rest/router.h"
#include "rest/stream.h"

typedef struct StatsAnswer {
        Engine *engine;
        Stream *stream;
        StatsWatch *watch;
        char *id;
        bool once; /* the first with something to compare with, then the end */
} StatsAnswer;

static StatsAnswer *stats_answer_free(StatsAnswer *v) {
        if (!v)
                return NULL;

        stats_watch_free(v->watch);
        stream_unref(v->stream);
        free(v->id);
        return mfree(v);
}
DEFINE_CLEANUP(StatsAnswer *, stats_answer_free);

static void on_gone(Stream *s, void *userdata) {
        stats_answer_free(userdata);
}

static void end(StatsAnswer *v) {
        stream_end(v->stream);
        stats_answer_free(v);
}

static int write_row(StatsAnswer *v, const StatsRow *row) {
        _cleanup_(json_unrefp) Json *document = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = stats_view(row->container, row->now, row->before, &document);
        if (r >= 0)
                r = json_print(document, JSON_COMPACT, &text);
        if (r >= 0)
                r = str_appendf(&text, "\n");
        return r < 0 ? r : stream_write(v->stream, text, strlen(text));
}

static void on_stats(const StatsRow *rows, size_t n_rows, void *userdata) {
        StatsAnswer *v = userdata;
        Container *c;
        int r;

        if (n_rows == 0) {
                if (containers_find(v->engine->containers, v->id, &c, NULL) < 0)
                        end(v);
                return;
        }
        if (v->once && rows->now && !rows->before)
                return;
        if (stream_is_full(v->stream)) /* who reads slowly sees fewer of them */
                return;
        r = write_row(v, rows);
        if (r == -EPIPE || r == -ENOBUFS)
                return; /* on_gone() was called */
        if (v->once)
                end(v);
}

static int answer_now(Request *q, Response *a, const Container *c) {
        _cleanup_(json_unrefp) Json *document = NULL;
        StatsSample now;
        int running, r;

        running = stats_sample(c, &now);
        if (running < 0)
                return running;
        r = stats_view(c, running ? &now : NULL, NULL, &document);
        if (running)
                stats_sample_done(&now);
        if (r < 0)
                return r;
        return response_json(a, 200, document);
}

static int get_stats(Request *q, Response *a) {
        _cleanup_(stats_answer_freep) StatsAnswer *v = NULL;
        bool stream = request_query_bool(q, "stream", true);
        bool one_shot = q->api >= 1041 && request_query_bool(q, "one-shot", false);
        Container *c;
        int r;

        r = containers_find(q->engine->containers, request_var(q, "id"), &c, &q->error);
        if (r < 0)
                return r;
        if (stream && one_shot)
                return error_set(
                        &q->error, ERROR_INVALID, "cannot have stream=true and one-shot=true");
        if (!stream && (one_shot || !container_is_running(c)))
                return answer_now(q, a, c);

        v = new0(StatsAnswer, 1);
        if (!v)
                return -ENOMEM;
        v->engine = q->engine;
        v->once = !stream;
        r = str_copy(&v->id, c->id);
        if (r >= 0)
                r = stream_new(q, "application/json", &v->stream);
        if (r >= 0)
                r = stats_watch(
                        q->engine->stats, (char *[]) { v->id, NULL }, on_stats, v, &v->watch);
        if (r < 0)
                return r;

        stream_set_callbacks(v->stream, NULL, on_gone, v);
        TAKE_PTR(v);
        return 0;
}

/* clang-format off */
const Route stats_routes[] = {
        { "GET", "/containers/{id}/stats", AUTH_VIEW, get_stats, 0, "id" },
        {}
};
/* clang-format on */
