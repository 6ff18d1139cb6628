/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of a container's life: start to removal. */
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "lib/api/container-spec.h"
#include "lib/api/filter.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "rest/later.h"
#include "rest/request.h"
#include "rest/router.h"

static int find(Request *q, Container **ret) {
        return containers_find(q->engine->containers, request_var(q, "id"), ret, &q->error);
}

/* The container of the path, and a Pending that answers 204. */
static int begin(Request *q, Container **ret, Pending **ret_pending) {
        int r;

        r = find(q, ret);
        return r < 0 ? r : request_later(q, request_later_204, ret_pending);
}

static int post_start(Request *q, Response *a) {
        Container *c;
        Pending *p;
        int r;

        if (buffer_size(&q->body) > 7)
                return error_set(&q->error, ERROR_INVALID,
                        "starting container with non-empty request body was deprecated since API "
                        "v1.22 "
                        "and removed in v1.24");

        r = begin(q, &c, &p);
        return r < 0 ? r : request_later_return(q, container_start(c, p, &q->error));
}

typedef int (*stop_verb_t)(
        Container *c, int64_t timeout_sec, const char *signal, Pending *p, Error *reterr);

static int stop_or_restart(Request *q, stop_verb_t verb) {
        const char *signal = q->api >= 1042 ? request_query(q, "signal") : NULL;
        int64_t timeout;
        Container *c;
        Pending *p;
        int r;

        r = request_query_int64(q, "t", CONTAINER_TIMEOUT_DEFAULT, &timeout);
        if (r >= 0)
                r = begin(q, &c, &p);
        return r < 0 ? r : request_later_return(q, verb(c, timeout, signal, p, &q->error));
}

static int post_stop(Request *q, Response *a) {
        return stop_or_restart(q, container_stop);
}

static int post_restart(Request *q, Response *a) {
        return stop_or_restart(q, container_restart);
}

static int post_kill(Request *q, Response *a) {
        Container *c;
        Pending *p;
        int r;

        r = begin(q, &c, &p);
        if (r < 0)
                return r;
        return request_later_return(q, container_kill(c, request_query(q, "signal"), p, &q->error));
}

static int post_pause(Request *q, Response *a) {
        Container *c;
        Pending *p;
        int r;

        r = begin(q, &c, &p);
        return r < 0 ? r : request_later_return(q, container_pause(c, p, &q->error));
}

static int post_unpause(Request *q, Response *a) {
        Container *c;
        Pending *p;
        int r;

        r = begin(q, &c, &p);
        return r < 0 ? r : request_later_return(q, container_unpause(c, p, &q->error));
}

static int post_rename(Request *q, Response *a) {
        Container *c;
        int r;

        r = find(q, &c);
        if (r >= 0)
                r = container_rename(c, request_query(q, "name"), &q->error);
        return r < 0 ? r : response_empty(a, 204);
}

static int delete_container(Request *q, Response *a) {
        Container *c;
        Pending *p;
        int r;

        r = find(q, &c);
        if (r < 0)
                return r;

        if (request_query_bool(q, "link", false))
                return error_set(
                        &q->error, ERROR_NOT_IMPLEMENTED, "container links are not implemented");

        r = begin(q, &c, &p);
        if (r < 0)
                return r;
        return request_later_return(q, container_remove(c, request_query_bool(q, "force", false),
                                               request_query_bool(q, "v", false), p, &q->error));
}

/* ---- update, top, prune ---- */

static void on_updated(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Request *q = userdata;

        if (r < 0)
                (void) error_copy(&q->error, e);
        else {
                r = json_new_object(&v);
                if (r >= 0)
                        r = json_set_strv(v, "Warnings", result);
                if (r >= 0)
                        r = response_json(&q->response, 200, v);
        }
        request_later_finish(q, r);
}

static int post_update(Request *q, Response *a) {
        _cleanup_(container_spec_done) ContainerSpec wish;
        _cleanup_(json_unrefp) Json *body = NULL;
        Container *c;
        Pending *p;
        int r;

        container_spec_init(&wish);
        r = request_body_json(q, /* may_be_empty= */ false, &body);
        if (r >= 0)
                r = json_read_with(
                        body, host_config_fields, &wish.host, JSON_READ_DOCKER, &q->error);
        if (r >= 0)
                r = find(q, &c);
        if (r >= 0)
                r = request_later(q, on_updated, &p);
        return r < 0 ? r : request_later_return(q, container_update(c, &wish, p, &q->error));
}

static int answer_top(Response *a, const TopTable *t) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *rows;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_strv(v, "Titles", t->titles);
        if (r >= 0)
                r = json_set_new_list(v, "Processes", &rows);
        for (size_t i = 0; r >= 0 && i < t->n_rows; i++) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = json_new_list(&row);
                STRV_FOREACH (word, t->rows[i])
                        if (r >= 0)
                                r = json_append_text(row, *word);
                if (r >= 0)
                        r = json_append(rows, row);
        }
        return r < 0 ? r : response_json(a, 200, v);
}

static void on_top(int r, void *result, const Error *e, void *userdata) {
        Request *q = userdata;

        if (r < 0)
                (void) error_copy(&q->error, e);
        else
                r = answer_top(&q->response, result);
        request_later_finish(q, r);
}

static int get_top(Request *q, Response *a) {
        Container *c;
        Pending *p;
        int r;

        r = find(q, &c);
        if (r >= 0)
                r = request_later(q, on_top, &p);
        if (r < 0)
                return r;
        return request_later_return(q, container_top(c, request_query(q, "ps_args"), p, &q->error));
}

static void on_pruned(int r, void *result, const Error *e, void *userdata) {
        const ContainersPruned *pruned = result;

        request_later_pruned(userdata, r, e, "ContainersDeleted", pruned ? pruned->ids : NULL,
                pruned ? pruned->bytes : 0);
}

static int post_prune(Request *q, Response *a) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        Pending *p;
        int r;

        r = filter_parse(
                request_query(q, "filters"), container_prune_filter_keys, &filter, &q->error);
        if (r >= 0)
                r = request_later(q, on_pruned, &p);
        if (r < 0)
                return r;
        return request_later_return(
                q, containers_prune(q->engine->containers, filter, p, &q->error));
}

/* clang-format off */
const Route container_life_routes[] = {
        { "POST",   "/containers/{id}/start",   AUTH_MANAGE_CONTAINERS, post_start,       0, "id" },
        { "POST",   "/containers/{id}/stop",    AUTH_MANAGE_CONTAINERS, post_stop,        0, "id" },
        { "POST",   "/containers/{id}/restart", AUTH_MANAGE_CONTAINERS, post_restart,     0, "id" },
        { "POST",   "/containers/{id}/kill",    AUTH_MANAGE_CONTAINERS, post_kill,        0, "id" },
        { "POST",   "/containers/{id}/pause",   AUTH_MANAGE_CONTAINERS, post_pause,       0, "id" },
        { "POST",   "/containers/{id}/unpause", AUTH_MANAGE_CONTAINERS, post_unpause,     0, "id" },
        { "POST",   "/containers/{id}/rename",  AUTH_MANAGE_CONTAINERS, post_rename,      0, "id" },
        { "POST",   "/containers/{id}/update",  AUTH_MANAGE_CONTAINERS, post_update,      0, "id" },
        { "GET",    "/containers/{id}/top",     AUTH_VIEW,              get_top,          0, "id" },
        { "POST",   "/containers/prune",        AUTH_MANAGE_CONTAINERS, post_prune },
        { "DELETE", "/containers/{id}",         AUTH_MANAGE_CONTAINERS, delete_container, 0, "id" },
        {}
};
/* clang-format on */
