/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Docker has of swarm, plugins and checkpoints, answered as a dockerd does that is in no swarm, has no plugins and is not experimental.
 * Checks of what was asked come first there, so they do here. */
#include "lib/api/filter.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "rest/request.h"
#include "rest/router.h"

static int check_wish(Request *q) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(json_unrefp) Json *body = NULL;
        const char *version = request_query(q, "version");
        uint64_t n;
        int r;

        r = filter_parse(request_query(q, "filters"), NULL, &filter, &q->error);
        if (r < 0)
                return r;
        if (!str_empty(version) && parse_u64(version, &n) < 0)
                return error_set(&q->error, ERROR_INVALID,
                        "invalid swarm object version '%.64s': invalid syntax", version);
        return request_body_json(q, /* may_be_empty= */ true, &body);
}

static int no_manager(Request *q, Response *a) {
        int r;

        r = check_wish(q);
        if (r < 0)
                return r;
        return error_set(&q->error, ERROR_UNAVAILABLE,
                "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm "
                "join\" to connect this node to swarm and try again.");
}

static int no_manager_logs(Request *q, Response *a) {
        if (!request_query_bool(q, "stdout", false) && !request_query_bool(q, "stderr", false))
                return error_set(&q->error, ERROR_INVALID,
                        "Bad parameters: you must choose at least one stream");
        return no_manager(q, a);
}

static int no_node(Request *q, Response *a) {
        return error_set(&q->error, ERROR_UNAVAILABLE, "This node is not part of a swarm");
}

static int no_swarm(Request *q, Response *a) {
        int r;

        r = check_wish(q);
        if (r < 0)
                return r;
        return error_set(&q->error, ERROR_NOT_IMPLEMENTED,
                "this engine is for one host: swarm mode is not implemented");
}

static int no_cluster_volume(Request *q, Response *a) {
        if (q->api < 1042)
                return error_set(&q->error, ERROR_INVALID,
                        "PUT /volumes/{name} requires minimum API version 1.42");
        return error_set(&q->error, ERROR_UNAVAILABLE,
                "volume update only valid for cluster volumes, but swarm is unavailable");
}

static int list_plugins(Request *q, Response *a) {
        static const char *const keys[] = { "capability", "enabled", NULL };
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(json_unrefp) Json *list = NULL;
        bool enabled;
        int r;

        r = filter_parse(request_query(q, "filters"), keys, &filter, &q->error);
        if (r >= 0 && filter_has(filter, "enabled"))
                r = filter_get_bool(filter, "enabled", &enabled, &q->error);
        if (r >= 0)
                r = json_new_list(&list);
        if (r < 0)
                return r;
        return response_json(a, 200, list);
}

static int no_plugin(Request *q, Response *a) {
        return error_set(
                &q->error, ERROR_NOT_FOUND, "plugin \"%s\" not found", request_var(q, "name"));
}

static int no_plugins(Request *q, Response *a) {
        return error_set(&q->error, ERROR_NOT_IMPLEMENTED, "managed plugins are not implemented");
}

static int not_experimental(Request *q, Response *a) {
        return error_set(&q->error, ERROR_NOT_IMPLEMENTED,
                "This experimental feature is disabled by default. Start the Docker daemon in "
                "experimental mode in order to enable it.");
}

static int options(Request *q, Response *a) {
        return response_empty(a, 200);
}

/* clang-format off */
const Route swarm_routes[] = {
        { "GET",     "/swarm",                                  AUTH_VIEW, no_manager },
        { "POST",    "/swarm/init",                             AUTH_VIEW, no_swarm },
        { "POST",    "/swarm/join",                             AUTH_VIEW, no_swarm },
        { "POST",    "/swarm/leave",                            AUTH_VIEW, no_node },
        { "POST",    "/swarm/update",                           AUTH_VIEW, no_manager },
        { "GET",     "/swarm/unlockkey",                        AUTH_VIEW, no_manager },
        { "POST",    "/swarm/unlock",                           AUTH_VIEW, no_manager },
        { "GET",     "/nodes",                                  AUTH_VIEW, no_manager },
        { "GET",     "/nodes/{id}",                             AUTH_VIEW, no_manager },
        { "DELETE",  "/nodes/{id}",                             AUTH_VIEW, no_manager },
        { "POST",    "/nodes/{id}/update",                      AUTH_VIEW, no_manager },
        { "GET",     "/services",                               AUTH_VIEW, no_manager },
        { "POST",    "/services/create",                        AUTH_VIEW, no_manager },
        { "GET",     "/services/{id}",                          AUTH_VIEW, no_manager },
        { "DELETE",  "/services/{id}",                          AUTH_VIEW, no_manager },
        { "POST",    "/services/{id}/update",                   AUTH_VIEW, no_manager },
        { "GET",     "/services/{id}/logs",                     AUTH_VIEW, no_manager_logs },
        { "GET",     "/tasks",                                  AUTH_VIEW, no_manager },
        { "GET",     "/tasks/{id}",                             AUTH_VIEW, no_manager },
        { "GET",     "/tasks/{id}/logs",                        AUTH_VIEW, no_manager_logs },
        { "GET",     "/secrets",                                AUTH_VIEW, no_manager },
        { "POST",    "/secrets/create",                         AUTH_VIEW, no_manager },
        { "GET",     "/secrets/{id}",                           AUTH_VIEW, no_manager },
        { "DELETE",  "/secrets/{id}",                           AUTH_VIEW, no_manager },
        { "POST",    "/secrets/{id}/update",                    AUTH_VIEW, no_manager },
        { "GET",     "/configs",                                AUTH_VIEW, no_manager },
        { "POST",    "/configs/create",                         AUTH_VIEW, no_manager },
        { "GET",     "/configs/{id}",                           AUTH_VIEW, no_manager },
        { "DELETE",  "/configs/{id}",                           AUTH_VIEW, no_manager },
        { "POST",    "/configs/{id}/update",                    AUTH_VIEW, no_manager },
        { "PUT",     "/volumes/{name}",                         AUTH_VIEW, no_cluster_volume },

        { "GET",     "/plugins",                                AUTH_VIEW, list_plugins },
        { "GET",     "/plugins/privileges",                     AUTH_VIEW, no_plugins },
        { "POST",    "/plugins/pull",                           AUTH_VIEW, no_plugins },
        { "POST",    "/plugins/create",                         AUTH_VIEW, no_plugins, ROUTE_BODY_STREAM },
        { "GET",     "/plugins/{name...}/json",                 AUTH_VIEW, no_plugin },
        { "POST",    "/plugins/{name...}/enable",               AUTH_VIEW, no_plugin },
        { "POST",    "/plugins/{name...}/disable",              AUTH_VIEW, no_plugin },
        { "POST",    "/plugins/{name...}/upgrade",              AUTH_VIEW, no_plugin },
        { "POST",    "/plugins/{name...}/push",                 AUTH_VIEW, no_plugin },
        { "POST",    "/plugins/{name...}/pull",                 AUTH_VIEW, no_plugin },
        { "POST",    "/plugins/{name...}/set",                  AUTH_VIEW, no_plugin },
        { "DELETE",  "/plugins/{name...}",                      AUTH_VIEW, no_plugin },

        { "GET",     "/containers/{id}/checkpoints",            AUTH_VIEW, not_experimental },
        { "POST",    "/containers/{id}/checkpoints",            AUTH_VIEW, not_experimental },
        { "DELETE",  "/containers/{id}/checkpoints/{name}",     AUTH_VIEW, not_experimental },

        { "OPTIONS", "/{any...}",                               AUTH_VIEW, options },
        {}
};
/* clang-format on */
