/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/container/set.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/network/networks.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

const char *const container_filter_keys[] = { "ancestor", "before", "exited", "expose", "health",
        "id", "is-task", "isolation", "label", "name", "network", "publish", "since", "status",
        "volume", NULL };

/* What the filter's words mean, found out once. */
typedef struct ListQuery {
        const Filter *filter;
        bool all;
        Container *before; /* older than this one only */
        Container *since;  /* newer than this one only */
        Image **ancestors;
        size_t n_ancestors;
        char **networks; /* modes */
} ListQuery;

static void list_query_done(ListQuery *q) {
        free(q->ancestors);
        strv_free(q->networks);
}

static int read_positions(Containers *s, ListQuery *q, Error *reterr) {
        int r;

        STRV_FOREACH (value, (char **) filter_values(q->filter, "before")) {
                r = containers_find(s, *value, &q->before, reterr);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (value, (char **) filter_values(q->filter, "since")) {
                r = containers_find(s, *value, &q->since, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "80", "80/udp" or "8000-8010/tcp". */
typedef struct Ports {
        unsigned first;
        unsigned last;
        const char *protocol; /* points into the text */
} Ports;

static int parse_ports(const char *text, Ports *ret) {
        _cleanup_(freep) char *first = NULL, *last = NULL;
        const char *slash = strchr(text, '/');
        size_t n = slash ? (size_t) (slash - text) : strlen(text), n_first = strcspn(text, "-/");
        int r;

        r = str_copy_n(&first, text, n_first);
        if (r >= 0)
                r = n_first < n ? str_copy_n(&last, text + n_first + 1, n - n_first - 1)
                                : str_copy(&last, first);
        if (r < 0)
                return r;
        if (parse_unsigned(first, &ret->first) < 0 || parse_unsigned(last, &ret->last) < 0 ||
                ret->last > 65535 || ret->first > ret->last)
                return -EINVAL;
        ret->protocol = slash ? slash + 1 : "tcp";
        return STR_IN_SET(ret->protocol, "tcp", "udp", "sctp") ? 0 : -EINVAL;
}

static int check_ports(const Filter *f, const char *key, Error *reterr) {
        STRV_FOREACH (value, (char **) filter_values(f, key)) {
                Ports p;
                int r;

                r = parse_ports(*value, &p);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "error while looking up for %s %s: not a port or a range of ports",
                                key, *value);
        }
        return 0;
}

/* One port of what the container exposes is one of those wanted. */
static bool exposes(const Container *c, const Filter *f) {
        STRV_FOREACH (value, (char **) filter_values(f, "expose")) {
                Ports wanted;

                if (parse_ports(*value, &wanted) < 0)
                        continue;
                STRV_FOREACH (entry, c->spec.config.exposed_ports) {
                        Ports have;

                        if (parse_ports(*entry, &have) >= 0 && have.first <= wanted.last &&
                                wanted.first <= have.last && streq(have.protocol, wanted.protocol))
                                return true;
                }
        }
        return false;
}

static int read_words(const Filter *f, Error *reterr) {
        int r;

        r = check_ports(f, "expose", reterr);
        if (r >= 0)
                r = check_ports(f, "publish", reterr);
        if (r < 0)
                return r;

        STRV_FOREACH (value, (char **) filter_values(f, "status"))
                if (!STR_IN_SET(*value, "created", "restarting", "running", "removing", "paused",
                            "exited", "dead"))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter 'status=%s'", *value);
        STRV_FOREACH (value, (char **) filter_values(f, "exited")) {
                int code;

                if (parse_int(*value, &code) < 0)
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter 'exited=%s'", *value);
        }
        STRV_FOREACH (value, (char **) filter_values(f, "health"))
                if (!STR_IN_SET(*value, "starting", "healthy", "unhealthy", "none"))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter 'health=%s'", *value);
        STRV_FOREACH (value, (char **) filter_values(f, "is-task"))
                if (!STR_IN_SET(*value, "true", "false", "1", "0"))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter 'is-task=%s'", *value);
        return 0;
}

static int read_ancestors(Containers *s, ListQuery *q) {
        size_t n_allocated = 0;

        STRV_FOREACH (value, (char **) filter_values(q->filter, "ancestor")) {
                Image *image;
                int r;

                if (images_find(s->images, *value, &image, NULL) < 0)
                        continue; /* nothing descends from what is not there */
                r = array_grow(&q->ancestors, &n_allocated, q->n_ancestors + 1);
                if (r < 0)
                        return r;
                q->ancestors[q->n_ancestors++] = image;
        }
        return 0;
}

static bool is_in_network(const Container *c, char *const *networks) {
        for (size_t i = 0; i < c->spec.n_endpoints; i++)
                if (strv_contains(networks, c->spec.endpoints[i].network))
                        return true;
        return strv_contains(networks, str_or_empty(c->spec.host.network_mode));
}

static int read_networks(Containers *s, ListQuery *q) {
        STRV_FOREACH (value, (char **) filter_values(q->filter, "network")) {
                Network *n;
                int r;

                if (networks_find(s->networks, *value, &n, NULL) < 0)
                        continue;
                r = strv_add(&q->networks, n->name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool descends(const Container *c, const ListQuery *q) {
        for (size_t i = 0; i < q->n_ancestors; i++) {
                const Image *a = q->ancestors[i];
                const char *top = image_top_layer(a);

                if (str_equal(c->image_id, a->id))
                        return true;
                /* An image built on top has all its layers. */
                if (c->image && top && strv_contains(c->image->chain_ids, top) &&
                        c->image->n_layers > a->n_layers)
                        return true;
        }
        return false;
}

static bool uses_volume(const Container *c, const Filter *f) {
        _cleanup_(strv_freep) char **names = NULL;

        for (size_t i = 0; i < c->mount_points.n; i++) {
                const MountPoint *m = c->mount_points.items + i;

                if (strv_add(&names, str_empty(m->name) ? str_or_empty(m->source) : m->name) < 0 ||
                        strv_add(&names, m->destination) < 0)
                        return false;
        }
        for (size_t i = 0; i < c->spec.host.n_mounts; i++)
                if (strv_add(&names, str_or_empty(c->spec.host.mounts[i].target)) < 0)
                        return false;
        return filter_match_any(f, "volume", names);
}

static bool passes(const Container *c, const ListQuery *q) {
        const Filter *f = q->filter;
        char code[24];

        if (!q->all && !container_is_up(c))
                return false;
        if (!f)
                return true;

        (void) snprintf(code, sizeof(code), "%lld", (long long) c->exit_code);
        if (filter_has(f, "exited") &&
                (!c->has_started || container_is_up(c) || !filter_match_exact(f, "exited", code)))
                return false;
        if (filter_has(f, "ancestor") && !descends(c, q))
                return false;
        if (filter_has(f, "network") && !is_in_network(c, q->networks))
                return false;
        if (filter_has(f, "volume") && !uses_volume(c, f))
                return false;
        if (filter_has(f, "expose") && !exposes(c, f))
                return false;
        /* Nothing is published on "host" and "none". */
        if (filter_has(f, "publish"))
                return false;

        return filter_match_exact(f, "status", container_status(c)) &&
               filter_match_pattern(f, "id", c->id) && filter_match_name(f, "name", c->name) &&
               filter_match_labels(f, c->spec.config.labels) &&
               filter_match_exact(f, "health", container_health_status(c)) &&
               filter_match_exact(f, "isolation", str_or_empty(c->spec.host.isolation)) &&
               (!filter_has(f, "is-task") || filter_match_exact(f, "is-task", "false") ||
                       filter_match_exact(f, "is-task", "0"));
}

int containers_list(Containers *s, bool all, int64_t limit, const Filter *f, Container ***ret,
        size_t *ret_n, Error *reterr) {
        _cleanup_(list_query_done) ListQuery q = { .filter = f };
        _cleanup_(freep) Container **list = NULL;
        bool reached = true;
        size_t n = 0;
        int r;

        assert(s);
        assert(ret);
        assert(ret_n);

        /* These ask for containers that do not run. */
        q.all = all || limit > 0 || filter_has(f, "status") || filter_has(f, "exited") ||
                filter_has(f, "before") || filter_has(f, "since");
        r = read_words(f, reterr);
        if (r >= 0)
                r = read_positions(s, &q, reterr);
        if (r >= 0)
                r = read_ancestors(s, &q);
        if (r >= 0)
                r = read_networks(s, &q);
        if (r < 0)
                return r;

        list = new0(Container *, s->n_sorted + 1);
        if (!list)
                return -ENOMEM;
        reached = !q.before;
        for (Container *c = containers_next(s, NULL); c; c = containers_next(s, c)) {
                if (c == q.since || (limit > 0 && n >= (size_t) limit))
                        break;
                if (!reached) {
                        reached = c == q.before;
                        continue;
                }
                if (passes(c, &q))
                        list[n++] = c;
        }

        *ret = TAKE_PTR(list);
        *ret_n = n;
        return 0;
}
