/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-check.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "engine/view/container-view.h"
#include "lib/api/container-spec.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "rest/http.h"
#include "rest/later.h"
#include "rest/request.h"
#include "rest/router.h"

static int find(Request *q, Container **ret) {
        return containers_find(q->engine->containers, request_var(q, "id"), ret, &q->error);
}

/* ---- looking ---- */

/* With size=1 a worker measures first; the answer is made of what there is then. */
typedef int (*answer_t)(Request *q, Response *a);

static void on_measured(Request *q, int r, const Error *e, answer_t answer) {
        if (r < 0)
                (void) error_copy(&q->error, e);
        else
                r = answer(q, &q->response);
        request_later_finish(q, r);
}

static int answer_measured(Request *q, Container *const *list, size_t n, pending_callback_t done) {
        Pending *p;
        int r;

        r = request_later(q, done, &p);
        if (r < 0)
                return r;
        r = containers_measure(q->engine->containers, list, n, p, &q->error);
        return request_later_return(q, r);
}

static int find_list(Request *q, Container ***ret, size_t *ret_n) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        int64_t limit;
        int r;

        r = filter_parse(request_query(q, "filters"), container_filter_keys, &filter, &q->error);
        if (r < 0)
                return r;

        r = request_query_int64(q, "limit", -1, &limit);
        if (r < 0)
                return r;

        return containers_list(q->engine->containers, request_query_bool(q, "all", false), limit,
                filter, ret, ret_n, &q->error);
}

static int answer_list(Request *q, Response *a) {
        _cleanup_(freep) Container **list = NULL;
        _cleanup_(json_unrefp) Json *rows = NULL;
        size_t n;
        int r;

        r = find_list(q, &list, &n);
        if (r < 0)
                return r;

        r = json_new_list(&rows);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = container_view_row(list[i], q->api, request_query_bool(q, "size", false), &row);
                if (r >= 0)
                        r = json_append(rows, row);
        }
        if (r < 0)
                return r;

        return response_json(a, 200, rows);
}

static void on_list_measured(int r, void *result, const Error *e, void *userdata) {
        on_measured(userdata, r, e, answer_list);
}

static int get_list(Request *q, Response *a) {
        _cleanup_(freep) Container **list = NULL;
        size_t n;
        int r;

        if (!request_query_bool(q, "size", false))
                return answer_list(q, a);

        r = find_list(q, &list, &n);
        return r < 0 ? r : answer_measured(q, list, n, on_list_measured);
}

static int answer_inspect(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Container *c;
        int r;

        r = find(q, &c);
        if (r < 0)
                return r;

        r = container_view_inspect(c, q->api, request_query_bool(q, "size", false), &v);
        if (r < 0)
                return r;
        return response_json(a, 200, v);
}

static void on_inspect_measured(int r, void *result, const Error *e, void *userdata) {
        on_measured(userdata, r, e, answer_inspect);
}

static int get_inspect(Request *q, Response *a) {
        Container *c;
        int r;

        if (!request_query_bool(q, "size", false))
                return answer_inspect(q, a);

        r = find(q, &c);
        return r < 0 ? r : answer_measured(q, &c, 1, on_inspect_measured);
}

/* ---- verbs ---- */

static int answer_created(Response *a, const Container *c) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Id", c->id);
        if (r >= 0)
                r = json_set_strv(v, "Warnings", c->warnings);
        if (r < 0)
                return r;
        return response_json(a, 201, v);
}

static void on_created(int r, void *result, const Error *e, void *userdata) {
        Request *q = userdata;

        if (r < 0)
                (void) error_copy(&q->error, e);
        else
                r = answer_created(&q->response, result);
        request_later_finish(q, r);
}

static int create(Request *q, ContainerSpec *spec) {
        Pending *p;
        int r;

        r = request_later(q, on_created, &p);
        if (r < 0)
                return r;

        r = containers_create(q->engine->containers, spec, request_query(q, "name"),
                request_query(q, "platform"), p, &q->error);
        return request_later_return(q, r);
}

/* A wish that is as good as root on the host waits here for polkit's answer; the Request's until then. */
static ContainerSpec *wish_free(ContainerSpec *w) {
        if (w)
                container_spec_done(w);
        return mfree(w);
}
DEFINE_CLEANUP(ContainerSpec *, wish_free);

static void wish_on_gone(Request *q) {
        wish_free(TAKE_PTR(q->data));
}

static void wish_on_answer(int r, const Error *e, void *userdata) {
        Request *q = userdata;
        _cleanup_(wish_freep) ContainerSpec *wish = TAKE_PTR(q->data);

        if (r < 0)
                (void) error_copy(&q->error, e); /* e is the query's */
        q->auth_query = auth_query_free(q->auth_query);
        q->on_gone = NULL;

        if (r >= 0)
                r = create(q, wish);
        if (r < 0)
                request_finish(q, r);
}

static int create_if_allowed(Request *q, ContainerSpec *spec, const char *privilege) {
        const char *const details[] = { "container", str_or_empty(request_query(q, "name")),
                "image", str_or_empty(spec->config.image), "privilege", privilege, NULL };
        _cleanup_(wish_freep) ContainerSpec *wish = NULL;
        int r;

        wish = new0(ContainerSpec, 1);
        if (!wish)
                return -ENOMEM;

        r = auth_check_peer(http_auth(q->http), &q->peer, AUTH_CREATE_PRIVILEGED,
                request_query(q, "name"), details, wish_on_answer, q, &q->auth_query, &q->error);
        if (r < 0)
                return r;
        if (r > 0)
                return create(q, spec);

        *wish = *spec;
        container_spec_init(spec);
        q->data = TAKE_PTR(wish);
        q->on_gone = wish_on_gone;
        return request_defer(q);
}

static int post_create(Request *q, Response *a) {
        _cleanup_(container_spec_done) ContainerSpec spec;
        _cleanup_(json_unrefp) Json *body = NULL;
        const char *privilege;
        int r;

        container_spec_init(&spec);

        r = request_body_json(q, /* may_be_empty= */ false, &body);
        if (r < 0)
                return r;

        r = container_spec_read(body, &spec, &q->error);
        if (r < 0)
                return r;

        privilege = container_check_privilege(&spec);
        return privilege ? create_if_allowed(q, &spec, privilege) : create(q, &spec);
}

/* clang-format off */
const Route container_routes[] = {
        { "GET",    "/containers/json",       AUTH_VIEW,              get_list },
        { "POST",   "/containers/create",     AUTH_MANAGE_CONTAINERS, post_create },
        { "GET",    "/containers/{id}/json",  AUTH_VIEW,              get_inspect,      0, "id" },
        {}
};
/* clang-format on */
