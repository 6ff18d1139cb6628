/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/engine.h"
#include "engine/image/images.h"
#include "engine/view/image-view.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "rest/request.h"
#include "rest/router.h"

#define API_CONTAINER_CONFIG 1044U /* the last with this member */

static int find(Request *q, Image **ret) {
        return images_find(q->engine->images, request_var(q, "name"), ret, &q->error);
}

static int get_list(Request *q, Response *a) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(freep) Image **list = NULL;
        _cleanup_(json_unrefp) Json *rows = NULL;
        size_t n;
        int r;

        r = filter_parse(request_query(q, "filters"), image_filter_keys, &filter, &q->error);
        if (r < 0)
                return r;

        r = images_list(q->engine->images, request_query_bool(q, "all", false), filter, &list, &n,
                &q->error);
        if (r < 0)
                return r;

        r = json_new_list(&rows);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = image_view_row(list[i], q->api, &row);
                if (r >= 0)
                        r = json_append(rows, row);
        }
        if (r < 0)
                return r;
        return response_json(a, 200, rows);
}

static int get_view(Request *q, Response *a, int (*view)(const Image *, unsigned, Json **)) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Image *i;
        int r;

        r = find(q, &i);
        if (r >= 0)
                r = view(i, q->api, &v);
        if (r < 0)
                return r;
        return response_json(a, 200, v);
}

/* docker-compose 1.x takes whatever version we announce and needs of an image what Docker says up to 1.44 only: without it no service
 * that has changed can be made anew. */
static int get_inspect(Request *q, Response *a) {
        const char *client = str_or_empty(request_header(q, "User-Agent"));

        if (str_starts(client, "docker-compose/1."))
                q->api = MIN(q->api, API_CONTAINER_CONFIG);
        return get_view(q, a, image_view_inspect);
}

static int get_history(Request *q, Response *a) {
        return get_view(q, a, image_view_history);
}

static int post_tag(Request *q, Response *a) {
        Image *i;
        int r;

        r = find(q, &i);
        if (r < 0)
                return r;

        r = images_tag(q->engine->images, i, str_or_empty(request_query(q, "repo")),
                request_query(q, "tag"), &q->error);
        if (r < 0)
                return r;
        return response_empty(a, 201);
}

/* "Untagged: x" → {"Untagged":"x"} */
static int append_action(Json *list, const char *action) {
        const char *colon = strstr(action, ": ");
        char key[16];
        Json *row;
        int r;

        if (!colon || (size_t) (colon - action) >= sizeof key)
                return -EINVAL;
        memcpy(key, action, (size_t) (colon - action));
        key[colon - action] = '\0';

        r = json_append_new_object(list, &row);
        if (r < 0)
                return r;
        return json_set_text(row, key, colon + 2);
}

static int delete_image(Request *q, Response *a) {
        _cleanup_(strv_freep) char **actions = NULL;
        _cleanup_(json_unrefp) Json *list = NULL;
        int r;

        r = images_remove(q->engine->images, request_var(q, "name"),
                request_query_bool(q, "force", false), request_query_bool(q, "noprune", false),
                &actions, &q->error);
        if (r < 0)
                return r;

        r = json_new_list(&list);
        STRV_FOREACH (action, actions)
                if (r >= 0)
                        r = append_action(list, *action);
        if (r < 0)
                return r;
        return response_json(a, 200, list);
}

/* clang-format off */
const Route image_routes[] = {
        { "GET",    "/images/json",              AUTH_VIEW,          get_list },
        { "GET",    "/images/{name...}/json",    AUTH_VIEW,          get_inspect,  0, "name" },
        { "GET",    "/images/{name...}/history", AUTH_VIEW,          get_history,  0, "name" },
        { "POST",   "/images/{name...}/tag",     AUTH_MANAGE_IMAGES, post_tag,     0, "name" },
        { "DELETE", "/images/{name...}",         AUTH_MANAGE_IMAGES, delete_image, 0, "name" },
        {}
};
/* clang-format on */
