/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/engine.h"
#include "engine/system.h"
#include "lib/base/error.h"
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

/* clang-format off */
const Route system_routes[] = {
        { "GET", "/_ping",   AUTH_VIEW, get_ping, ROUTE_HEAD },
        { "GET", "/version", AUTH_VIEW, get_version },
        { "GET", "/info",    AUTH_VIEW, get_info },
        {}
};
/* clang-format on */
