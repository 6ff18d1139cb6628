/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of a container's life: start to removal. */
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "lib/base/str.h"
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

/* clang-format off */
const Route container_life_routes[] = {
        { "POST",   "/containers/{id}/start",   AUTH_MANAGE_CONTAINERS, post_start,       0, "id" },
        { "POST",   "/containers/{id}/stop",    AUTH_MANAGE_CONTAINERS, post_stop,        0, "id" },
        { "POST",   "/containers/{id}/restart", AUTH_MANAGE_CONTAINERS, post_restart,     0, "id" },
        { "POST",   "/containers/{id}/kill",    AUTH_MANAGE_CONTAINERS, post_kill,        0, "id" },
        { "POST",   "/containers/{id}/pause",   AUTH_MANAGE_CONTAINERS, post_pause,       0, "id" },
        { "POST",   "/containers/{id}/unpause", AUTH_MANAGE_CONTAINERS, post_unpause,     0, "id" },
        { "POST",   "/containers/{id}/rename",  AUTH_MANAGE_CONTAINERS, post_rename,      0, "id" },
        { "DELETE", "/containers/{id}",         AUTH_MANAGE_CONTAINERS, delete_container, 0, "id" },
        {}
};
/* clang-format on */
