/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/networks-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define ROUTES_SIZE_MAX ((size_t) 4 * 1024 * 1024)

/* What the host can reach already: new networks stay clear of it. */
typedef struct Routes {
        IpamPrefix *list;
        size_t n;
        size_t n_allocated;
} Routes;

static void routes_done(Routes *r) {
        free(r->list);
}

static void routes_read(int family, Routes *ret) {
        _cleanup_(freep) char *text = NULL;

        if (file_read(family == AF_INET ? "/proc/net/route" : "/proc/net/ipv6_route",
                    ROUTES_SIZE_MAX, &text, NULL) >= 0)
                (void) ipam_parse_routes(family, text, &ret->list, &ret->n, &ret->n_allocated);
}

static NetworkSubnet *add_subnet(Network *n) {
        NetworkSubnet *l = realloc(n->subnets, (n->n_subnets + 1) * sizeof(*l));

        if (!l)
                return NULL;
        n->subnets = l;
        l[n->n_subnets] = (NetworkSubnet) {};
        return l + n->n_subnets;
}

static int add_config(Network *n) {
        IpamSpec *s = &n->spec.ipam;
        IpamConfig *l = realloc(s->configs, (s->n_configs + 1) * sizeof(*l));

        if (!l)
                return -ENOMEM;
        s->configs = l;
        l[s->n_configs++] = (IpamConfig) {};
        return 0;
}

static void set_address(NetworkSubnet *to, const IpamAddress *a, bool gateway) {
        if (a->family == AF_INET && gateway)
                to->gateway.address4 = a->four;
        else if (a->family == AF_INET)
                to->net.address4 = a->four;
        else if (gateway)
                to->gateway.address6 = a->six;
        else
                to->net.address6 = a->six;
}

static bool wants_gateway(const Network *n) {
        /* A network of links that is cut off from outside has nobody who could be it. */
        return streq(n->driver->name, "bridge") || !n->spec.internal;
}

static int take_gateway(Network *n, IpamConfig *c, NetworkSubnet *s, Error *reterr) {
        char text[IPAM_TEXT_SIZE];
        IpamAddress a;
        int r;

        if (!str_empty(c->gateway)) {
                r = ipam_parse(c->gateway, &a);
                if (r < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid gateway %s: invalid address", c->gateway);
                r = ipam_take(s->ipam, &a, reterr);
        } else if (!wants_gateway(n))
                return 0;
        else
                r = ipam_take_next(s->ipam, n->name, &a, reterr);
        if (r < 0)
                return r;
        set_address(s, &a, /* gateway= */ true);
        return str_copy(&c->gateway, ipam_format(&a, text));
}

/* c: the entry that says what is asked; an empty one: choose. */
static int take_one(Network *n, size_t config, int family, Error *reterr) {
        IpamConfig *c = n->spec.ipam.configs + config;
        char text[IPAM_PREFIX_TEXT_SIZE];
        bool asked = !str_empty(c->subnet);
        _cleanup_(routes_done) Routes routes = {};
        IpamPrefix wish = {}, range = {};
        const char *key, *value;
        NetworkSubnet *s;
        int r;

        if (asked && ipam_parse_prefix(c->subnet, &wish) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid subnet %s: invalid CIDR block notation", c->subnet);
        if (!str_empty(c->ip_range) && ipam_parse_prefix(c->ip_range, &range) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid ip-range %s: invalid CIDR block notation", c->ip_range);
        if (!asked)
                routes_read(family, &routes);

        s = add_subnet(n);
        if (!s)
                return -ENOMEM;
        r = ipam_request(n->set->ipam, family, asked ? &wish : NULL,
                str_empty(c->ip_range) ? NULL : &range, routes.list, routes.n, &s->ipam, reterr);
        if (r < 0)
                return r;
        n->n_subnets++; /* network_drop_subnets() gives it back from here on */
        s->family = family;
        s->prefix = ipam_subnet_prefix(s->ipam)->bits;
        s->is_chosen = !asked || (family == AF_INET ? n->chosen4 : n->chosen6);
        if (!asked && family == AF_INET)
                n->chosen4 = true;
        else if (!asked)
                n->chosen6 = true;
        set_address(s, &ipam_subnet_prefix(s->ipam)->address, /* gateway= */ false);
        r = str_copy(&c->subnet, ipam_format_prefix(ipam_subnet_prefix(s->ipam), text));
        if (r < 0)
                return r;

        PAIRS_FOREACH(key, value, c->auxiliary) {
                IpamAddress a;

                if (ipam_parse(value, &a) < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid auxiliary address %s: invalid address", key);
                r = ipam_take(s->ipam, &a, reterr);
                if (r < 0)
                        return error_prefix(reterr, r,
                                "failed to allocate secondary ip address "
                                "(%s:%s)",
                                key, value);
        }
        return take_gateway(n, c, s, reterr);
}

static int family_of(const IpamConfig *c) {
        return strchr(str_or_empty(c->subnet), ':') ? AF_INET6 : AF_INET;
}

static int take_all(Network *n, Error *reterr) {
        const struct {
                int family;
                bool on;
        } families[] = { { AF_INET, n->ipv4 }, { AF_INET6, n->ipv6 } };
        int r;

        for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
                bool any = false;

                if (!families[f].on)
                        continue;
                for (size_t i = 0; i < n->spec.ipam.n_configs; i++) {
                        if (family_of(n->spec.ipam.configs + i) != families[f].family)
                                continue;
                        r = take_one(n, i, families[f].family, reterr);
                        if (r < 0)
                                return r;
                        any = true;
                }
                if (any)
                        continue;
                r = add_config(n);
                if (r >= 0)
                        r = take_one(n, n->spec.ipam.n_configs - 1, families[f].family, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int network_take_subnets(Network *n, Error *reterr) {
        int r = take_all(n, reterr);

        if (r < 0)
                network_drop_subnets(n);
        return r;
}
