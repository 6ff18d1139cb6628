/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/core/pending.h"
#include "engine/engine.h"
#include "engine/system.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "rest/request.h"
#include "rest/router.h"

static int get_ping(Request *q, Response *a) {
        static const char *const headers[] = {
                "Builder-Version",
                "1", /* the classic builder */
                "Swarm",
                "inactive",
                "Cache-Control",
                "no-cache, no-store, must-revalidate",
                "Pragma",
                "no-cache",
        };
        int r;

        r = strcmp(q->method, "HEAD") == 0 ? response_empty(a, 200) : response_text(a, 200, "OK");
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(headers); i += 2)
                r = response_header(a, headers[i], headers[i + 1]);
        return r;
}

static int get_version(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = system_version(q->engine, q->api, &v);
        if (r < 0)
                return r;
        return response_json(a, 200, v);
}

static int get_info(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = system_info(q->engine, q->api, &v);
        if (r < 0)
                return r;
        return response_json(a, 200, v);
}

/* ---- disk usage ---- */

static int read_usage(Request *q, SystemUsage *ret) {
        _cleanup_(strv_freep) char **types = NULL;
        int r;

        *ret = SYSTEM_USAGE_ALL;
        if (q->api < 1042) /* knew no types */
                return 0;
        r = request_query_all(q, "type", &types);
        return r < 0 ? r : system_usage_parse(types, ret, &q->error);
}

static void usage_on_gone(Request *q) {
        Pending *p = TAKE_PTR(q->data);

        pending_detach(p);
        pending_unref(p);
}

static void on_measured(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Request *q = userdata;
        SystemUsage what;

        pending_unref(TAKE_PTR(q->data));
        if (r < 0)
                (void) error_copy(&q->error, e);
        if (r >= 0)
                r = read_usage(q, &what);
        if (r >= 0)
                r = system_usage(q->engine, q->api, what, &v);
        if (r >= 0)
                r = response_json(&q->response, 200, v);
        request_finish(q, r);
}

static int get_usage(Request *q, Response *a) {
        SystemUsage what;
        Pending *p;
        int r;

        r = read_usage(q, &what);
        if (r >= 0)
                r = pending_new(on_measured, q, &p);
        if (r < 0)
                return r;

        q->data = p;
        q->on_gone = usage_on_gone;
        r = system_usage_measure(q->engine, what, p, &q->error);
        if (r < 0) {
                q->on_gone = NULL;
                pending_unref(TAKE_PTR(q->data));
                return r;
        }
        return request_defer(q);
}

/* clang-format off */
const Route system_routes[] = {
        { "GET", "/_ping",   AUTH_VIEW, get_ping, ROUTE_HEAD },
        { "GET", "/version", AUTH_VIEW, get_version },
        { "GET", "/info",    AUTH_VIEW, get_info },
        { "GET", "/system/df", AUTH_VIEW, get_usage },
        {}
};
/* clang-format on */
