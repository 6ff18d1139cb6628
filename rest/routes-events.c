/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/core/hub.h"
#include "engine/engine.h"
#include "engine/view/event-view.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "lib/json/json.h"
#include "rest/request.h"
#include "rest/router.h"
#include "rest/stream.h"

/* How a record is written: Accept chooses, else the version of the API. */
typedef struct EventFormat {
        const char *content_type;
        const char *before;
} EventFormat;

static const EventFormat event_formats[] = {
        { "application/json-seq", "\x1e" }, /* RFC 7464 */
        { "application/x-ndjson", "" },
        { "application/jsonl", "" },
        { "application/json", "" },
};

typedef struct EventAnswer {
        Stream *stream;
        Filter *filter;
        HubSubscription *subscription;
        sd_event_source *until;
        const EventFormat *format;
        unsigned api;
} EventAnswer;

static void event_answer_free(EventAnswer *v) {
        hub_subscription_free(v->subscription);
        loop_source_free(v->until);
        filter_free(v->filter);
        stream_unref(v->stream);
        free(v);
}

static void on_gone(Stream *s, void *userdata) {
        event_answer_free(userdata);
}

static void on_event(const Event *e, void *userdata) {
        _cleanup_(json_unrefp) Json *document = NULL;
        _cleanup_(freep) char *text = NULL, *record = NULL;
        EventAnswer *v = userdata;
        int r;

        if (!event_matches(e, v->filter))
                return;

        r = event_view(e, v->api, &document);
        if (r >= 0)
                r = json_print(document, JSON_COMPACT, &text);
        if (r >= 0)
                record = str_concat(v->format->before, text, "\n");
        if (record)
                (void) stream_write_string(v->stream, record); /* who does not read is dropped */
}

static int on_until(sd_event_source *source, uint64_t usec, void *userdata) {
        EventAnswer *v = userdata;

        stream_end(v->stream);
        event_answer_free(v);
        return 0;
}

/* The first of the list that we know; weights are nobody's wish here. */
static const EventFormat *choose_format(Request *q) {
        const char *rest = str_or_empty(request_header(q, "Accept"));

        while (*rest) {
                size_t n = strcspn(rest, ",;");
                const char *end = rest + n;

                for (; n > 0 && rest[n - 1] == ' '; n--)
                        ;
                for (size_t i = 0; i < ARRAY_SIZE(event_formats); i++)
                        if (n == strlen(event_formats[i].content_type) &&
                                strncmp(rest, event_formats[i].content_type, n) == 0)
                                return event_formats + i;
                rest = end + strcspn(end, ",");
                rest += strspn(rest, ", ");
        }
        return event_formats + (q->api >= 1052 ? 2 : 3);
}

static int get_events(Request *q, Response *a) {
        uint64_t since, until, now = (uint64_t) clock_realtime_ns();
        EventAnswer *v;
        int r;

        r = request_query_time(q, "since", 0, &since);
        if (r >= 0)
                r = request_query_time(q, "until", UINT64_MAX, &until);
        if (r < 0)
                return r;
        if (since > until)
                return error_set(&q->error, ERROR_INVALID,
                        "`since` time (%s) cannot be after `until` time (%s)",
                        request_query(q, "since"), request_query(q, "until"));

        v = new0(EventAnswer, 1);
        if (!v)
                return -ENOMEM;
        v->api = q->api;
        v->format = choose_format(q);

        r = filter_parse(request_query(q, "filters"), event_filter_keys, &v->filter, &q->error);
        if (r >= 0)
                r = stream_new(q, v->format->content_type, &v->stream);
        if (r < 0)
                goto fail;

        /* The past is told only when it was asked for. */
        if (!str_empty(request_query(q, "since")) || until != UINT64_MAX)
                hub_replay(q->engine->hub, since, until, on_event, v);

        /* The past alone was more than anybody waits for. */
        if (stream_is_gone(v->stream)) {
                event_answer_free(v);
                return 0;
        }
        if (until <= now) {
                stream_end(v->stream);
                event_answer_free(v);
                return 0;
        }

        r = hub_subscribe(q->engine->hub, on_event, v, &v->subscription);
        if (r >= 0 && until != UINT64_MAX)
                r = loop_timer(q->engine->event, (until - now) / NSEC_PER_USEC, LOOP_TIMER,
                        "rest-events-until", on_until, v, &v->until);
        if (r < 0)
                goto fail;

        stream_set_callbacks(v->stream, NULL, on_gone, v);
        return 0;

fail:
        event_answer_free(v);
        return r;
}

/* clang-format off */
const Route events_routes[] = {
        { "GET", "/events", AUTH_VIEW, get_events },
        {}
};
/* clang-format on */
