/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/containers.h"
#include "engine/core/pending.h"
#include "engine/engine.h"
#include "engine/network/networks.h"
#include "engine/view/network-view.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "rest/later.h"
#include "rest/request.h"
#include "rest/router.h"

/* Bodies of connect and disconnect. */
typedef struct ConnectBody {
        char *container;
        EndpointSpec *endpoint;
        bool force;
} ConnectBody;

/* clang-format off */
static const JsonField connect_fields[] = {
        JSON_STRING    ("Container",      ConnectBody, container, JSON_NULLABLE),
        JSON_NESTED_PTR("EndpointConfig", ConnectBody, endpoint,  endpoint_spec_fields, JSON_NULLABLE),
        JSON_BOOL      ("Force",          ConnectBody, force,     0),
        {}
};
/* clang-format on */

static void connect_body_done(ConnectBody *b) {
        fields_done(connect_fields, b);
}

static int get_list(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *rows = NULL;
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(freep) Network **list = NULL;
        size_t n;
        int r;

        r = filter_parse(request_query(q, "filters"), network_filter_keys, &filter, &q->error);
        if (r >= 0)
                r = networks_list(q->engine->networks, filter, &list, &n, &q->error);
        if (r >= 0)
                r = json_new_list(&rows);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = network_view(list[i], /* containers= */ false, q->api, &row);
                if (r >= 0)
                        r = json_append(rows, row);
        }
        return r < 0 ? r : response_json(a, 200, rows);
}

static int get_inspect(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *document = NULL;
        const char *scope = request_query(q, "scope"), *id = request_var(q, "network");
        const char *verbose = request_query(q, "verbose");
        bool is_verbose;
        Network *n;
        int r;

        /* There is nothing more to say, but a value that is none is told. */
        if (!str_empty(verbose) && parse_bool(verbose, &is_verbose) < 0)
                return error_set(
                        &q->error, ERROR_INVALID, "invalid value for verbose: %s", verbose);
        if (!STR_IN_SET(str_or_empty(scope), "", "local"))
                return error_set(&q->error, ERROR_NOT_FOUND, "network %s not found", id);
        r = networks_find(q->engine->networks, id, &n, &q->error);
        if (r >= 0)
                r = network_view(n, /* containers= */ true, q->api, &document);
        return r < 0 ? r : response_json(a, 200, document);
}

static void on_created(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const Network *n = result;
        Request *q = userdata;

        if (r < 0) {
                (void) error_copy(&q->error, e);
                request_later_finish(q, r);
                return;
        }
        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Id", n->id);
        if (r >= 0)
                r = json_set_text(v, "Warning", "");
        if (r >= 0)
                r = response_json(&q->response, 201, v);
        request_later_finish(q, r);
}

static int post_create(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *document = NULL;
        NetworkSpec spec;
        Pending *p;
        int r;

        network_spec_init(&spec);
        r = request_body_json(q, /* may_be_empty= */ false, &document);
        if (r >= 0)
                r = json_read_with(
                        document, network_spec_fields, &spec, JSON_READ_DOCKER, &q->error);
        if (r >= 0)
                r = request_later(q, on_created, &p);
        if (r >= 0)
                r = request_later_return(
                        q, networks_create(q->engine->networks, &spec, p, &q->error));
        network_spec_done(&spec);
        return r;
}

static int delete_network(Request *q, Response *a) {
        Network *n;
        Pending *p;
        int r;

        r = networks_find(q->engine->networks, request_var(q, "network"), &n, &q->error);
        if (r >= 0)
                r = request_later(q, request_later_204, &p);
        return r < 0 ? r : request_later_return(q, network_remove(n, p, &q->error));
}

static int read_body(Request *q, ConnectBody *body, Container **ret) {
        _cleanup_(json_unrefp) Json *document = NULL;
        int r;

        r = request_body_json(q, /* may_be_empty= */ false, &document);
        if (r >= 0)
                r = json_read_with(document, connect_fields, body, JSON_READ_DOCKER, &q->error);
        if (r >= 0)
                r = containers_find(
                        q->engine->containers, str_or_empty(body->container), ret, &q->error);
        return r;
}

/* A container that is not there has no endpoint; who insists is told of that, as by Docker. */
static int no_endpoint(Request *q, const char *container) {
        Network *n;
        int r;

        error_done(&q->error);
        r = networks_find(q->engine->networks, request_var(q, "network"), &n, &q->error);
        return r < 0 ? r
                     : error_set(&q->error, ERROR_NOT_FOUND, "endpoint %s not found", container);
}

static int post_connect(Request *q, Response *a) {
        _cleanup_(connect_body_done) ConnectBody body = {};
        Container *c;
        Pending *p;
        int r;

        r = read_body(q, &body, &c);
        if (r >= 0)
                r = request_later(q, request_later_200, &p);
        if (r < 0)
                return r;
        return request_later_return(
                q, container_connect(c, request_var(q, "network"), body.endpoint, p, &q->error));
}

static int post_disconnect(Request *q, Response *a) {
        _cleanup_(connect_body_done) ConnectBody body = {};
        Container *c;
        Pending *p;
        int r;

        r = read_body(q, &body, &c);
        if (r < 0 && q->error.kind == ERROR_NOT_FOUND && body.force)
                return no_endpoint(q, str_or_empty(body.container));
        if (r >= 0)
                r = request_later(q, request_later_200, &p);
        if (r < 0)
                return r;
        return request_later_return(
                q, container_disconnect(c, request_var(q, "network"), body.force, p, &q->error));
}

static void on_pruned(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(json_unrefp) Json *v = NULL;
        char *const *names = result;
        Request *q = userdata;

        if (r < 0)
                (void) error_copy(&q->error, e);
        else
                r = json_new_object(&v);
        if (r >= 0)
                r = strv_empty(names) ? json_set_null(v, "NetworksDeleted")
                                      : json_set_strv(v, "NetworksDeleted", names);
        if (r >= 0)
                r = response_json(&q->response, 200, v);
        request_later_finish(q, r);
}

static int post_prune(Request *q, Response *a) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        Pending *p;
        int r;

        r = filter_parse(
                request_query(q, "filters"), network_prune_filter_keys, &filter, &q->error);
        if (r >= 0)
                r = request_later(q, on_pruned, &p);
        if (r < 0)
                return r;
        return request_later_return(q, networks_prune(q->engine->networks, filter, p, &q->error));
}

/* clang-format off */
const Route network_routes[] = {
        { "GET",    "/networks",                 AUTH_VIEW,            get_list },
        { "POST",   "/networks/create",          AUTH_MANAGE_NETWORKS, post_create },
        { "POST",   "/networks/prune",           AUTH_PRUNE,           post_prune },
        { "GET",    "/networks/{network...}",            AUTH_VIEW,            get_inspect,     0, "network" },
        { "DELETE", "/networks/{network...}",            AUTH_MANAGE_NETWORKS, delete_network,  0, "network" },
        { "POST",   "/networks/{network...}/connect",    AUTH_MANAGE_NETWORKS, post_connect,    0, "network" },
        { "POST",   "/networks/{network...}/disconnect", AUTH_MANAGE_NETWORKS, post_disconnect, 0, "network" },
        {}
};
/* clang-format on */
