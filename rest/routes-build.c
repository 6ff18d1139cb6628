/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "engine/build/builds.h"
#include "engine/core/job.h"
#include "engine/engine.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"
#include "rest/build-stream.h"
#include "rest/http.h"
#include "rest/request.h"
#include "rest/router.h"

/* What is not there is refused, and what it would have meant is in the sentence. */
static int check_query(Request *q) {
        static const struct {
                const char *name, *why;
                ErrorKind kind;
        } refused[] = {
                { "squash", "squash is only supported with experimental mode", ERROR_INVALID },
                { "pull", "pull: fetching a newer base image is not implemented in a build",
                        ERROR_NOT_IMPLEMENTED },
        };
        const char *version = request_query(q, "version"), *remote = request_query(q, "remote"),
                   *outputs = request_query(q, "outputs"),
                   *isolation = request_query(q, "isolation");

        if (!str_empty(version) && !streq(version, "1"))
                return error_set(&q->error, ERROR_INVALID,
                        "version %s of the builder is not supported: use DOCKER_BUILDKIT=0",
                        version);
        if (!str_empty(remote))
                return error_set(&q->error, ERROR_NOT_IMPLEMENTED,
                        "building from %s is not implemented: send the context as the request's "
                        "body",
                        remote);
        if (!str_empty(outputs) && !STR_IN_SET(outputs, "[]", "null"))
                return error_set(
                        &q->error, ERROR_INVALID, "outputs are BuildKit's: the result is an image");
        if (!str_empty(request_query(q, "securityopt")))
                return error_set(&q->error, ERROR_INVALID,
                        "The daemon on this platform does not support setting security options on "
                        "build");
        if (!str_empty(isolation) && !STR_IN_SET(isolation, "default"))
                return error_set(
                        &q->error, ERROR_INVALID, "Unsupported isolation: \"%s\"", isolation);
        for (size_t k = 0; k < ARRAY_SIZE(refused); k++)
                if (request_query_bool(q, refused[k].name, false))
                        return error_set(&q->error, refused[k].kind, "%s", refused[k].why);
        return 0;
}

static int query_json(Request *q, const char *name, JsonType type, Json **ret) {
        const char *text = request_query(q, name);
        int r;

        *ret = NULL;
        if (str_empty(text))
                return 0;
        r = json_parse(text, strlen(text), JSON_SIZE_MAX, ret, &q->error);
        if (r >= 0 && !json_is_null(*ret) && json_type_of(*ret) != type)
                r = error_set(&q->error, ERROR_INVALID, "%s is not %s", name, json_type_name(type));
        return r < 0 ? error_prefix(&q->error, r, "%s", name) : 0;
}

static int read_args(Request *q, BuildOptions *o) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *key;
        Json *value;
        int r;

        r = query_json(q, "buildargs", JSON_TYPE_OBJECT, &v);
        if (r < 0)
                return r;
        JSON_FOREACH (key, value, v) {
                const char *text = json_to_text(value);

                if (!text && !json_is_null(value))
                        return error_set(
                                &q->error, ERROR_INVALID, "buildargs: %s is no string", key);
                r = text ? strv_addf(&o->args, "%s=%s", key, text) : strv_add(&o->args, key);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_labels(Request *q, BuildOptions *o) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *key;
        Json *value;
        int r;

        r = query_json(q, "labels", JSON_TYPE_OBJECT, &v);
        JSON_FOREACH (key, value, v)
                if (r >= 0)
                        r = json_to_text(value) ? pairs_set(&o->labels, key, json_to_text(value))
                                                : error_set(&q->error, ERROR_INVALID,
                                                          "labels: %s is no string", key);
        return r < 0 ? r : 0;
}

/* Numbers that are none count as 0, as in dockerd; the size of /dev/shm is looked at. */
static int read_limits(Request *q, Json *host) {
        static const struct {
                const char *name, *key;
        } numbers[] = {
                { "memory", "Memory" },
                { "memswap", "MemorySwap" },
                { "cpushares", "CpuShares" },
                { "cpuperiod", "CpuPeriod" },
                { "cpuquota", "CpuQuota" },
        };
        static const struct {
                const char *name, *key;
        } texts[] = {
                { "cpusetcpus", "CpusetCpus" },
                { "cpusetmems", "CpusetMems" },
                { "cgroupparent", "CgroupParent" },
        };
        int64_t shm;
        int r = 0;

        for (size_t k = 0; r >= 0 && k < ARRAY_SIZE(numbers); k++) {
                int64_t n;

                if (parse_i64(str_or_empty(request_query(q, numbers[k].name)), &n) >= 0)
                        r = json_set_int64(host, numbers[k].key, n);
        }
        for (size_t k = 0; r >= 0 && k < ARRAY_SIZE(texts); k++)
                if (!str_empty(request_query(q, texts[k].name)))
                        r = json_set_text(host, texts[k].key, request_query(q, texts[k].name));
        if (r >= 0)
                r = request_query_int64(q, "shmsize", 0, &shm);
        return r < 0 || shm == 0 ? r : json_set_int64(host, "ShmSize", shm);
}

static int read_hosts(Request *q, Json *host) {
        _cleanup_(strv_freep) char **given = NULL, **all = NULL;
        int r;

        r = request_query_all(q, "extrahosts", &given);
        STRV_FOREACH (g, given) {
                _cleanup_(strv_freep) char **parts = NULL;

                if (r >= 0)
                        r = strv_split(*g, ",", /* keep_empty= */ false, &parts);
                if (r >= 0)
                        r = strv_add_all(&all, parts);
        }
        return r < 0 || strv_empty(all) ? r : json_set_strv(host, "ExtraHosts", all);
}

static int read_host(Request *q, BuildOptions *o) {
        _cleanup_(json_unrefp) Json *host = NULL, *ulimits = NULL;
        const char *network = request_query(q, "networkmode");
        int r;

        r = json_new_object(&host);
        if (r >= 0)
                r = read_limits(q, host);
        if (r >= 0)
                r = read_hosts(q, host);
        if (r >= 0 && !str_empty(network) && !streq(network, "default"))
                r = json_set_text(host, "NetworkMode", network);
        if (r >= 0)
                r = query_json(q, "ulimits", JSON_TYPE_LIST, &ulimits);
        if (r >= 0 && !json_is_null(ulimits))
                r = json_set(host, "Ulimits", ulimits);
        return r < 0 ? r : json_read(host, host_config_fields, &o->host, &q->error);
}

static int read_options(Request *q, BuildOptions *o) {
        static const struct {
                const char *name;
                size_t offset;
        } texts[] = {
                { "dockerfile", offsetof(BuildOptions, dockerfile) },
                { "target", offsetof(BuildOptions, target) },
                { "platform", offsetof(BuildOptions, platform) },
        };
        _cleanup_(json_unrefp) Json *sources = NULL;
        int r;

        r = check_query(q);
        for (size_t k = 0; r >= 0 && k < ARRAY_SIZE(texts); k++)
                if (!str_empty(request_query(q, texts[k].name)))
                        r = str_copy((char **) ((char *) o + texts[k].offset),
                                request_query(q, texts[k].name));
        if (r >= 0)
                r = request_query_all(q, "t", &o->names);
        if (r >=
                0) /* looked at and not needed: what was built here is known, and nothing else is believed */
                r = query_json(q, "cachefrom", JSON_TYPE_LIST, &sources);
        if (r >= 0)
                r = read_args(q, o);
        if (r >= 0)
                r = read_labels(q, o);
        if (r >= 0)
                r = read_host(q, o);
        o->no_cache = request_query_bool(q, "nocache", false);
        o->force_remove = request_query_bool(q, "forcerm", false);
        o->keep = !request_query_bool(q, "rm", true) && !o->force_remove;
        strv_remove(o->names, "");
        return r;
}

/* o is taken. */
static int start_build(Request *q, BuildOptions *o) {
        Job *j;
        int r;

        r = builds_start(q->engine->builds, o, TAKE_FD(q->body_fd), &j, &q->error);
        return r < 0 ? r : build_stream_new(q, j, request_query_bool(q, "q", false));
}

/* One whose containers are as good as root on the host waits here for polkit's answer; the Request's until then. */
static BuildOptions *wish_free(BuildOptions *w) {
        if (w)
                build_options_done(w);
        return mfree(w);
}
DEFINE_CLEANUP(BuildOptions *, wish_free);

static void wish_on_gone(Request *q) {
        wish_free(TAKE_PTR(q->data));
}

static void wish_on_answer(int r, const Error *e, void *userdata) {
        Request *q = userdata;
        _cleanup_(wish_freep) BuildOptions *wish = TAKE_PTR(q->data);

        if (r < 0)
                (void) error_copy(&q->error, e); /* e is the query's */
        q->auth_query = auth_query_free(q->auth_query);
        q->on_gone = NULL;

        if (r >= 0)
                r = start_build(q, wish);
        if (r != REQUEST_DEFERRED)
                request_finish(q, r);
}

/* o is taken, also after a failure. */
static int start_if_allowed(Request *q, BuildOptions *o, const char *privilege) {
        _cleanup_(wish_freep) BuildOptions *wish = new0(BuildOptions, 1);
        const char *name = o->names && o->names[0] ? o->names[0] : "";
        const char *const details[] = { "image", name, "privilege", privilege, NULL };
        int r;

        if (!wish) {
                build_options_done(o);
                return -ENOMEM;
        }
        *wish = TAKE_STRUCT(*o);
        r = auth_check_peer(http_auth(q->http), &q->peer, AUTH_CREATE_PRIVILEGED, name, details,
                wish_on_answer, q, &q->auth_query, &q->error);
        if (r < 0)
                return r;
        if (r > 0)
                return start_build(q, wish);
        q->data = TAKE_PTR(wish);
        q->on_gone = wish_on_gone;
        return request_defer(q);
}

static int post_build(Request *q, Response *a) {
        const char *privilege;
        BuildOptions o;
        int r;

        build_options_init(&o);
        r = read_options(q, &o);
        if (r < 0) {
                build_options_done(&o);
                return r;
        }
        privilege = build_check_privilege(&o);
        return privilege ? start_if_allowed(q, &o, privilege) : start_build(q, &o);
}

static int post_prune(Request *q, Response *a) {
        static const char *const sizes[] = { "keep-storage", "reserved-space", "max-used-space",
                "min-free-space" };
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(strv_freep) char **keys = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        uint64_t bytes = 0;
        int64_t size;
        int r = 0;

        for (size_t k = 0; r >= 0 && k < ARRAY_SIZE(sizes); k++) {
                r = request_query_int64(q, sizes[k], 0, &size);
                if (r >= 0 && size != 0)
                        return error_set(&q->error, ERROR_NOT_IMPLEMENTED,
                                "%s: pruning by size is not implemented", sizes[k]);
        }
        if (r >= 0)
                r = filter_parse(
                        request_query(q, "filters"), build_prune_filter_keys, &filter, &q->error);
        if (r >= 0)
                r = builds_prune(q->engine->builds, request_query_bool(q, "all", false), filter,
                        &keys, &bytes, &q->error);
        if (r >= 0)
                r = json_new_object(&v);
        if (r >= 0)
                r = json_set_strv(v, "CachesDeleted", keys);
        if (r >= 0)
                r = json_set_uint64(v, "SpaceReclaimed", bytes);
        return r < 0 ? r : response_json(a, 200, v);
}

/* clang-format off */
const Route build_routes[] = {
        { "POST", "/build", AUTH_MANAGE_IMAGES, post_build, ROUTE_BODY_STREAM },
        { "POST", "/build/prune", AUTH_PRUNE, post_prune },
        {}
};
/* clang-format on */
