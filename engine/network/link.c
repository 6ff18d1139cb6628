/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/link.h"

#include <arpa/inet.h>
#include <errno.h>

#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "engine/network/endpoint.h"
#include "engine/network/network.h"
#include "lib/base/strv.h"

bool network_subnet_has_gateway(const NetworkSubnet *s) {
        return s->family == AF_INET6 ? !IN6_IS_ADDR_UNSPECIFIED(&s->gateway.address6)
                                     : s->gateway.address4.s_addr != 0;
}

int link_ground(const Network *n, Error *reterr) {
        if (!n->ground->netlink || !n->ground->pool)
                return error_set(
                        reterr, ERROR_UNAVAILABLE, "this daemon may not make network links");
        return 0;
}

int link_prepare_ipv6(Netns *ns, const Endpoint *e, Error *reterr) {
        int r;

        r = netns_allow_ipv6(ns, e->prefix6 > 0);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to prepare IPv6 of %s", ns->path);
        return 0;
}

int link_plan_new(const Network *n, Netns *ns, NetlinkPlan *ret) {
        _cleanup_(netlink_batch_freep) NetlinkBatch *host = NULL, *inside = NULL, *undo = NULL;

        host = netlink_batch_new();
        inside = netlink_batch_new();
        undo = netlink_batch_new();
        if (!host || !inside || !undo)
                return -ENOMEM;
        *ret = (NetlinkPlan) {
                .netlink = n->ground->netlink,
                .batch = TAKE_PTR(host),
                .then_netlink = ns->inside,
                .then_batch = TAKE_PTR(inside),
                .undo = TAKE_PTR(undo),
        };
        return 0;
}

/* Further ones as the user gave them, link-local mostly: /32 and /128, as dockerd has them. */
static void add_link_local(NetlinkBatch *b, const Endpoint *e, const char *text) {
        struct in6_addr six;
        struct in_addr four;

        if (inet_pton(AF_INET, text, &four) == 1)
                (void) netlink_address_add(b, e->interface, AF_INET, &four, 32);
        else if (inet_pton(AF_INET6, text, &six) == 1 && e->prefix6 > 0)
                (void) netlink_address_add(b, e->interface, AF_INET6, &six, 128);
}

void link_add_addresses(NetlinkBatch *b, const Endpoint *e) {
        (void) netlink_link_up(b, e->interface);
        if (e->prefix4 > 0)
                (void) netlink_address_add(b, e->interface, AF_INET, &e->address4, e->prefix4);
        if (e->prefix6 > 0)
                (void) netlink_address_add(b, e->interface, AF_INET6, &e->address6, e->prefix6);
        STRV_FOREACH (text, e->link_local)
                add_link_local(b, e, *text);
}

void link_add_default_routes(NetlinkBatch *b, const Network *n, const Endpoint *e) {
        if (n->spec.internal)
                return;
        if (e->default4 && e->gateway4.s_addr != 0)
                (void) netlink_route_add(b, e->interface, AF_INET, NULL, 0, &e->gateway4);
        if (e->default6 && !IN6_IS_ADDR_UNSPECIFIED(&e->gateway6))
                (void) netlink_route_add(b, e->interface, AF_INET6, NULL, 0, &e->gateway6);
}

int link_route(
        Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata, Error *reterr) {
        NetlinkBatch *b = netlink_batch_new();

        if (!b)
                return -ENOMEM;
        link_add_default_routes(b, n, e);
        return netlink_run(ns->inside, b, done, userdata, &e->call);
}
