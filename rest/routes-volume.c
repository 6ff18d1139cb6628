/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/core/pending.h"
#include "engine/engine.h"
#include "engine/view/volume-view.h"
#include "engine/volume/volumes.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "rest/http.h"
#include "rest/later.h"
#include "rest/request.h"
#include "rest/router.h"

#define API_CLUSTER         1042U /* before it ClusterVolumeSpec was not known */
#define API_PRUNE_ANONYMOUS 1042U /* before it a prune took named volumes, too */

/* The body of a create. */
typedef struct VolumeBody {
        char *name;
        char *driver;
        char **options;
        char **labels;
} VolumeBody;

/* clang-format off */
static const JsonField volume_body_fields[] = {
        JSON_STRING("Name",       VolumeBody, name,    JSON_NULLABLE),
        JSON_STRING("Driver",     VolumeBody, driver,  JSON_NULLABLE),
        JSON_MAP   ("DriverOpts", VolumeBody, options, JSON_NULLABLE),
        JSON_MAP   ("Labels",     VolumeBody, labels,  JSON_NULLABLE),
        {}
};
/* clang-format on */

static void volume_body_done(VolumeBody *b) {
        fields_done(volume_body_fields, b);
}

static int get_list(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *answer = NULL;
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(freep) Volume **list = NULL;
        Json *rows;
        size_t n;
        int r;

        r = filter_parse(request_query(q, "filters"), volume_filter_keys, &filter, &q->error);
        if (r >= 0)
                r = volumes_list(q->engine->volumes, filter, &list, &n, &q->error);
        if (r >= 0)
                r = json_new_object(&answer);
        if (r >= 0)
                r = json_set_new_list(answer, "Volumes", &rows);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = volume_view(list[i], /* usage= */ false, &row);
                if (r >= 0)
                        r = json_append(rows, row);
        }
        if (r >= 0)
                r = json_set_null(answer, "Warnings");
        return r < 0 ? r : response_json(a, 200, answer);
}

static int respond(Response *a, int status, const Volume *v) {
        _cleanup_(json_unrefp) Json *document = NULL;
        int r;

        r = volume_view(v, /* usage= */ false, &document);
        return r < 0 ? r : response_json(a, status, document);
}

static int get_inspect(Request *q, Response *a) {
        Volume *v;
        int r;

        r = volumes_find(q->engine->volumes, request_var(q, "volume"), &v, &q->error);
        return r < 0 ? r : respond(a, 200, v);
}

static VolumeWish wish_of(const VolumeBody *b) {
        return (VolumeWish) {
                .name = b->name, .driver = b->driver, .labels = b->labels, .options = b->options
        };
}

static int create(Request *q, Response *a, const VolumeBody *body) {
        const VolumeWish wish = wish_of(body);
        Volume *v;
        int r;

        r = volumes_create(q->engine->volumes, &wish, &v, &q->error);
        return r < 0 ? r : respond(a, 201, v);
}

/* One that shows what is on the host waits here for polkit's answer; the Request's until then. */
static VolumeBody *body_free(VolumeBody *b) {
        if (b)
                volume_body_done(b);
        return mfree(b);
}
DEFINE_CLEANUP(VolumeBody *, body_free);

static void body_on_gone(Request *q) {
        body_free(TAKE_PTR(q->data));
}

static void body_on_answer(int r, const Error *e, void *userdata) {
        Request *q = userdata;
        _cleanup_(body_freep) VolumeBody *body = TAKE_PTR(q->data);

        if (r < 0)
                (void) error_copy(&q->error, e); /* e is the query's */
        q->auth_query = auth_query_free(q->auth_query);
        q->on_gone = NULL;
        request_finish(q, r < 0 ? r : create(q, &q->response, body));
}

static int create_if_allowed(Request *q, Response *a, VolumeBody *body, const char *privilege) {
        const char *name = str_or_empty(body->name);
        const char *const details[] = { "volume", name, "privilege", privilege, NULL };
        _cleanup_(body_freep) VolumeBody *kept = new0(VolumeBody, 1);
        int r;

        if (!kept)
                return -ENOMEM;
        r = auth_check_peer(http_auth(q->http), &q->peer, AUTH_CREATE_PRIVILEGED, name, details,
                body_on_answer, q, &q->auth_query, &q->error);
        if (r < 0)
                return r;
        if (r > 0)
                return create(q, a, body);
        *kept = TAKE_STRUCT(*body);
        q->data = TAKE_PTR(kept);
        q->on_gone = body_on_gone;
        return request_defer(q);
}

static int post_create(Request *q, Response *a) {
        _cleanup_(volume_body_done) VolumeBody body = {};
        _cleanup_(json_unrefp) Json *document = NULL;
        const char *privilege;
        VolumeWish wish;
        int r;

        r = request_body_json(q, /* may_be_empty= */ true, &document);
        if (r >= 0 && document)
                r = json_read_with(
                        document, volume_body_fields, &body, JSON_READ_DOCKER, &q->error);
        if (r >= 0 && q->api >= API_CLUSTER &&
                !json_is_null(json_get(document, "ClusterVolumeSpec")))
                return error_set(&q->error, ERROR_UNAVAILABLE,
                        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker "
                        "swarm "
                        "join\" to connect this node to swarm and try again.");
        if (r < 0)
                return r;
        wish = wish_of(&body);
        privilege = volume_wish_privilege(&wish);
        return privilege ? create_if_allowed(q, a, &body, privilege) : create(q, a, &body);
}

static int delete_volume(Request *q, Response *a) {
        Volume *v;
        int r;

        r = volumes_find(q->engine->volumes, request_var(q, "volume"), &v, &q->error);
        if (r == -ENOENT && request_query_bool(q, "force", false)) {
                error_done(&q->error);
                return response_empty(a, 204);
        }
        if (r >= 0)
                r = volumes_remove(q->engine->volumes, v, &q->error);
        return r < 0 ? r : response_empty(a, 204);
}

static void on_pruned(int r, void *result, const Error *e, void *userdata) {
        const VolumesPruned *pruned = result;
        char *none[] = { NULL };

        request_later_pruned(userdata, r, e, "VolumesDeleted",
                pruned && pruned->names ? pruned->names : none, pruned ? pruned->bytes : 0);
}

static int post_prune(Request *q, Response *a) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        Pending *p;
        int r;

        r = filter_parse(request_query(q, "filters"), volume_prune_filter_keys, &filter, &q->error);
        if (r >= 0)
                r = request_later(q, on_pruned, &p);
        if (r < 0)
                return r;
        return request_later_return(
                q, volumes_prune(q->engine->volumes, filter,
                           /* all= */ q->api < API_PRUNE_ANONYMOUS, p, &q->error));
}

/* clang-format off */
const Route volume_routes[] = {
        { "GET",    "/volumes",          AUTH_VIEW,           get_list },
        { "POST",   "/volumes/create",   AUTH_MANAGE_VOLUMES, post_create },
        { "POST",   "/volumes/prune",    AUTH_PRUNE,          post_prune },
        { "GET",    "/volumes/{volume}", AUTH_VIEW,           get_inspect,   0, "volume" },
        { "DELETE", "/volumes/{volume}", AUTH_MANAGE_VOLUMES, delete_volume, 0, "volume" },
        {}
};
/* clang-format on */
