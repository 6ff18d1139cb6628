/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/router.h"

#include <ctype.h>
#include <string.h>

#include "engine/view/container-view.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "rest/request.h"

static const Route *const tables[] = {
        system_routes,
        container_routes,
        container_life_routes,
        attach_routes,
        container_io_routes,
        exec_routes,
        container_files_routes,
        image_routes,
        build_routes,
        image_transfer_routes,
        network_routes,
        volume_routes,
        stats_routes,
        events_routes,
        swarm_routes,
        absent_routes,
};

/* "/v1.41/info" → 1041 and "/info"; no prefix means the newest. Leaves *path alone when there is none. */
static int split_version(Request *q, const char **path) {
        const char *p = *path, *end;
        _cleanup_(freep) char *major = NULL, *minor = NULL, *version = NULL;
        unsigned a, b;
        size_t n;

        q->api = VIEW_API_LATEST;

        if (p[0] != '/' || p[1] != 'v' || !isdigit((unsigned char) p[2]))
                return 0;

        n = strspn(p + 2, "0123456789.");
        end = p + 2 + n;
        if (*end != '/' && *end != '\0')
                return 0;

        if (str_copy_n(&version, p + 2, n) < 0)
                return -ENOMEM;
        if (str_split_pair(version, '.', &major, &minor) < 0 || parse_unsigned(major, &a) < 0 ||
                parse_unsigned(minor, &b) < 0 || a > 1000 || b > 999)
                return error_set(&q->error, ERROR_INVALID, "invalid API version \"%s\"", version);

        q->api = a * 1000 + b;
        if (q->api < ROUTER_API_OLDEST)
                return error_set(&q->error, ERROR_INVALID,
                        "client version %s is too old. Minimum supported API version is %u.%u, "
                        "please "
                        "upgrade your client to a newer version",
                        version, ROUTER_API_OLDEST / 1000, ROUTER_API_OLDEST % 1000);
        if (q->api > VIEW_API_LATEST)
                return error_set(&q->error, ERROR_INVALID,
                        "client version %s is too new. Maximum supported API version is %u.%u",
                        version, VIEW_API_LATEST / 1000, VIEW_API_LATEST % 1000);

        *path = *end ? end : "/";
        return 0;
}

static void clear_vars(Request *q) {
        for (size_t i = 0; i < q->n_vars; i++)
                q->vars[i].value = mfree(q->vars[i].value);
        q->n_vars = 0;
}

/* How much of path the variable takes: up to the next slash, or, for {name...}, up to what the literal rest of the pattern needs. */
static size_t var_span(const char *path, const char *rest, bool many) {
        size_t n_path = strlen(path), n_rest = strlen(rest);

        if (!many)
                return strcspn(path, "/");
        if (n_rest >= n_path || !streq(path + n_path - n_rest, rest))
                return 0;
        return n_path - n_rest;
}

/* 1: matches, variables are filled. */
static int match(Request *q, const char *pattern, const char *path) {
        while (*pattern) {
                const char *close, *name;
                bool many;
                size_t n, n_name;

                if (*pattern != '{') {
                        if (*pattern++ != *path++)
                                return 0;
                        continue;
                }

                name = pattern + 1;
                close = strchr(pattern, '}');
                assert(close);
                n_name = (size_t) (close - name);
                many = n_name > 3 && memcmp(close - 3, "...", 3) == 0;
                if (many)
                        n_name -= 3;

                n = var_span(path, close + 1, many);
                if (n == 0)
                        return 0;

                assert(q->n_vars < REQUEST_VARS_MAX);
                q->vars[q->n_vars] = (RequestVar) { .name = name, .name_size = n_name };
                if (str_copy_n(&q->vars[q->n_vars].value, path, n) < 0)
                        return -ENOMEM;
                q->n_vars++;

                path += n;
                pattern = close + 1;
        }

        return *path == '\0';
}

static bool method_fits(const Route *route, const char *method) {
        return streq(route->method, method) ||
               ((route->flags & ROUTE_HEAD) && streq(method, "HEAD"));
}

/* "/containers//x" is what becomes of a name with its slash; dockerd redirects to the clean path. */
static int clean_path(const char *path, char **ret) {
        char *clean, *to;

        clean = to = strdup(path);
        if (!clean)
                return -ENOMEM;

        for (const char *from = path; *from; from++)
                if (*from != '/' || to == clean || to[-1] != '/')
                        *to++ = *from;
        *to = '\0';

        *ret = clean;
        return 0;
}

int router_find(Request *q, const char *path) {
        _cleanup_(freep) char *clean = NULL;
        int r;

        r = clean_path(path, &clean);
        if (r < 0)
                return r;
        path = clean;

        r = split_version(q, &path);
        if (r < 0)
                return r;

        for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
                for (const Route *route = tables[t]; route->method; route++) {
                        if (!method_fits(route, q->method))
                                continue;

                        r = match(q, route->pattern, path);
                        if (r > 0) {
                                q->route = route;
                                return str_copy(&q->path, path);
                        }
                        clear_vars(q);
                        if (r < 0)
                                return r;
                }

        return error_set(&q->error, ERROR_NOT_FOUND, "page not found");
}
