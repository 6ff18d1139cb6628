/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an endpoint gets when it is made: names, addresses, a MAC address and the name of its interface. */
#include <stdio.h>
#include <string.h>

#include "engine/network/networks-internal.h"
#include "engine/network/sandbox-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define INTERFACE_PREFIX "eth"
#define INTERFACES_MAX   1000U

IpamSubnet *network_subnet_of(const Network *n, const IpamAddress *a) {
        for (size_t i = 0; i < n->n_subnets; i++)
                if (ipam_contains(ipam_subnet_prefix(n->subnets[i].ipam), a))
                        return n->subnets[i].ipam;
        return NULL;
}

static int take_asked(Network *n, int family, const char *text, IpamAddress *ret,
        const NetworkSubnet **ret_subnet, Error *reterr) {
        IpamAddress a;

        if (ipam_parse(text, &a) < 0 || a.family != family)
                return error_set(reterr, ERROR_INVALID, "invalid IPv%d address: %s",
                        family == AF_INET ? 4 : 6, text);
        for (size_t i = 0; i < n->n_subnets; i++) {
                NetworkSubnet *s = n->subnets + i;
                int r;

                if (!ipam_contains(ipam_subnet_prefix(s->ipam), &a))
                        continue;
                r = ipam_take(s->ipam, &a, reterr);
                if (r < 0)
                        return r;
                *ret = a;
                *ret_subnet = s;
                return 0;
        }
        return error_set(reterr, ERROR_INVALID,
                "no configured subnet or ip-range contain the IP address %s", text);
}

static int take_any(
        Network *n, int family, IpamAddress *ret, const NetworkSubnet **ret_subnet, Error *reterr) {
        _cleanup_(error_done) Error last = {};
        _cleanup_(freep) char *label = NULL;
        int r;

        r = str_printf(&label, "%s (%.12s)", n->name, n->id);
        if (r < 0)
                return r;
        r = error_set(&last, ERROR_INTERNAL, "network %s has no IPv%d subnet", n->name,
                family == AF_INET ? 4 : 6);
        for (size_t i = 0; i < n->n_subnets; i++) {
                if (n->subnets[i].family != family)
                        continue;
                error_done(&last);
                r = ipam_take_next(n->subnets[i].ipam, label, ret, &last);
                if (r >= 0) {
                        *ret_subnet = n->subnets + i;
                        return 0;
                }
        }
        error_move(reterr, &last);
        return r;
}

static int take_address(Network *n, Endpoint *e, int family, const char *asked, Error *reterr) {
        const NetworkSubnet *s = NULL;
        IpamAddress a = {};
        int r;

        r = str_empty(asked) ? take_any(n, family, &a, &s, reterr)
                             : take_asked(n, family, asked, &a, &s, reterr);
        if (r < 0)
                return r;
        if (family == AF_INET) {
                e->address4 = a.four;
                e->prefix4 = s->prefix;
                e->gateway4 = n->container_gateway4.s_addr != 0 ? n->container_gateway4
                                                                : s->gateway.address4;
                e->fixed4 = !str_empty(asked);
        } else {
                e->address6 = a.six;
                e->prefix6 = s->prefix;
                e->gateway6 = IN6_IS_ADDR_UNSPECIFIED(&n->container_gateway6)
                                    ? s->gateway.address6
                                    : n->container_gateway6;
                e->fixed6 = !str_empty(asked);
        }
        return 0;
}

static int take_addresses(Network *n, Endpoint *e, const EndpointSpec *wish, Error *reterr) {
        const char *four = wish->ipam ? wish->ipam->ipv4_address : NULL;
        const char *six = wish->ipam ? wish->ipam->ipv6_address : NULL;
        int r = 0;

        if (!n->driver->has_ipam)
                return 0;
        if (n->ipv4)
                r = take_address(n, e, AF_INET, four, reterr);
        else if (!str_empty(four))
                return error_set(reterr, ERROR_INVALID,
                        "network %s has no IPv4: address %s cannot be used", n->name, four);
        if (r >= 0 && n->ipv6)
                r = take_address(n, e, AF_INET6, six, reterr);
        else if (r >= 0 && !str_empty(six))
                return error_set(reterr, ERROR_INVALID,
                        "network %s has no IPv6: address %s cannot be used", n->name, six);
        return r;
}

/* Follows the address: who has it next, a restarted container mostly, is reached at once by neighbours that remember the way to it. */
static int choose_mac(Endpoint *e, const char *asked, Error *reterr) {
        if (!str_empty(asked)) {
                if (endpoint_parse_mac(asked, e->mac) < 0)
                        return error_set(reterr, ERROR_INVALID, "invalid MAC address: %s", asked);
                return 0;
        }
        e->mac[0] = 0x02; /* one, given out locally */
        e->mac[1] = 0x42;
        if (e->prefix4 > 0)
                memcpy(e->mac + 2, &e->address4, sizeof(e->address4));
        else if (e->prefix6 > 0)
                memcpy(e->mac + 2, e->address6.s6_addr + 12, 4);
        else
                random_bytes(e->mac + 2, sizeof(e->mac) - 2);
        return 0;
}

static bool has_interface(const Sandbox *b, const char *name) {
        const Endpoint *e;

        LIST_FOREACH (e, &b->endpoints, by_sandbox)
                if (streq(e->interface, name))
                        return true;
        return false;
}

static int choose_interface(Sandbox *b, Endpoint *e, Error *reterr) {
        const char *asked = pairs_get(e->driver_options, ENDPOINT_OPTION_IFNAME);
        const char *prefix = network_option(e->network, NETWORK_OPTION_PREFIX);
        char name[2 * ENDPOINT_INTERFACE_SIZE];

        if (!str_empty(asked)) {
                if (!network_interface_is_valid(asked) || has_interface(b, asked))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid name of a network interface: \"%s\"", asked);
                (void) snprintf(e->interface, sizeof(e->interface), "%s", asked);
                return 0;
        }
        for (unsigned i = 0; i < INTERFACES_MAX; i++) {
                (void) snprintf(name, sizeof(name), "%.11s%u",
                        str_empty(prefix) ? INTERFACE_PREFIX : prefix, i);
                if (has_interface(b, name))
                        continue;
                memcpy(e->interface, name, strlen(name) + 1);
                return 0;
        }
        return error_set(reterr, ERROR_INVALID, "too many networks");
}

static int add_name(char ***l, const char *name) {
        return str_empty(name) || strv_contains(*l, name) ? 0 : strv_add(l, name);
}

int endpoint_make_names(Endpoint *e) {
        _cleanup_(strv_freep) char **l = NULL;
        const Sandbox *b = e->sandbox;
        char id[IDENT_SHORT_SIZE];
        int r;

        if (!e->network->driver->has_names || e->network->is_default)
                return 0;
        r = add_name(&l, b->container_name);
        STRV_FOREACH (alias, e->aliases)
                if (r >= 0)
                        r = add_name(&l, *alias);
        if (r >= 0)
                r = add_name(&l, ident_short(b->container_id, id));
        if (r >= 0)
                r = add_name(&l, b->hostname);
        if (r < 0)
                return r;
        strv_free(e->dns_names);
        e->dns_names = TAKE_PTR(l);
        return 0;
}

static int copy_wish(Endpoint *e, const EndpointSpec *wish) {
        int r;

        e->gateway_priority = wish->gateway_priority;
        r = strv_set(&e->driver_options, wish->driver_opts);
        if (r >= 0)
                r = strv_set(&e->aliases, wish->aliases);
        if (r >= 0 && wish->ipam)
                r = strv_set(&e->link_local, wish->ipam->link_local_ips);
        STRV_FOREACH (link, wish->links)
                if (r >= 0)
                        r = strchr(*link, ':') ? strv_add(&e->links, *link)
                                               : strv_addf(&e->links, "%s:%s", *link, *link);
        return r;
}

int sandbox_add(Sandbox *b, Network *n, const EndpointSpec *wish, const char *mac, Endpoint **ret,
        Error *reterr) {
        Endpoint *e;
        int r;

        assert(b);
        assert(n);
        assert(n->driver);

        r = endpoint_new(n, b, &e);
        if (r < 0)
                return r;
        r = copy_wish(e, wish);
        if (r >= 0 && n->driver->uses_netns)
                r = choose_interface(b, e, reterr);
        if (r >= 0)
                r = endpoint_make_names(e);
        if (r >= 0)
                r = take_addresses(n, e, wish, reterr);
        if (r >= 0 && n->driver->uses_netns)
                r = choose_mac(e, str_empty(mac) ? wish->mac_address : mac, reterr);
        if (r < 0) {
                sandbox_take_out(b, e);
                return r;
        }
        sandbox_choose_gateways(b);
        if (ret)
                *ret = e;
        return 0;
}
