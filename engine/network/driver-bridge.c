/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bridge on the host, and for each member a veth pair whose other end is made in the container's namespace. */
#include <errno.h>
#include <linux/ip.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "engine/host/forwarding.h"
#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "engine/network/link.h"
#include "engine/network/driver.h"
#include "engine/network/endpoint.h"
#include "engine/network/firewall.h"
#include "engine/network/network.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

#define MTU_MIN 68U /* the least that IPv4 may have */
#define MTU_MAX 65535U

/* The bridge has one address of each, the gateway. */
static bool has_two_subnets(const IpamSpec *s) {
        unsigned four = 0, six = 0;

        for (size_t i = 0; i < s->n_configs; i++)
                *(strchr(str_or_empty(s->configs[i].subnet), ':') ? &six : &four) += 1;
        return four > 1 || six > 1;
}

static int bridge_check(Network *n, Error *reterr) {
        if (has_two_subnets(&n->spec.ipam))
                return error_set(
                        reterr, ERROR_FORBIDDEN, "bridge driver doesn't support multiple subnets");
        if (!netlink_name_is_valid(n->bridge))
                return error_set(reterr, ERROR_INVALID, "invalid bridge name: %s", n->bridge);
        if (n->mtu > MTU_MAX || (n->mtu > 0 && n->mtu < MTU_MIN))
                return error_set(reterr, ERROR_INVALID, "invalid MTU number: %u", n->mtu);
        return 0;
}

/* --- the bridge ----------------------------------------------------------------------------------------------------------------------- */

/* The gateway is the bridge's own address: all of the family else goes. */
static void add_bridge_address(NetlinkBatch *b, const Network *n, int family) {
        const NetworkSubnet *s = network_subnet(n, family);
        bool has = s && network_subnet_has_gateway(s) && !(family == AF_INET && n->inhibit_ipv4);

        (void) netlink_address_only(
                b, n->bridge, family, has ? &s->gateway : NULL, s ? s->prefix : 0);
        if (has)
                (void) netlink_address_add(b, n->bridge, family, &s->gateway, s->prefix);
}

static void add_ipv6_conf(NetlinkBatch *b, const Network *n, const char *key, const char *value) {
        char name[STRLEN("ipv6/conf//disable_ipv6") + NETLINK_NAME_SIZE];

        (void) snprintf(name, sizeof(name), "ipv6/conf/%s/%s", n->bridge, key);
        (void) netlink_sysctl(b, name, value, /* optional= */ true);
}

/* All of it changes nothing where it is right already. The address of the bridge must not follow that of its ports: neighbours keep it in mind. */
static void add_bridge(NetlinkBatch *b, const Network *n) {
        char alias[sizeof(LINK_ALIAS_PREFIX) + IDENT_LENGTH];
        uint8_t mac[ENDPOINT_MAC_SIZE] = { 0x02, 0x42 };
        const NetlinkLink link = {
                .name = n->bridge,
                .kind = "bridge",
                .mac = mac,
                .alias = alias,
                .exist_ok = true,
        };

        (void) snprintf(alias, sizeof(alias), LINK_ALIAS_PREFIX "%s", n->id);
        random_bytes(mac + 2, sizeof(mac) - 2);

        (void) netlink_link_add(b, &link);
        if (n->mtu > 0)
                (void) netlink_link_mtu(b, n->bridge, n->mtu);
        add_ipv6_conf(b, n, "disable_ipv6", n->ipv6 ? "0" : "1");
        add_ipv6_conf(b, n, "accept_ra", "0");
        (void) netlink_link_conf4(b, n->bridge, IPV4_DEVCONF_ROUTE_LOCALNET, 1);
        add_bridge_address(b, n, AF_INET);
        if (n->ipv6)
                add_bridge_address(b, n, AF_INET6);
        (void) netlink_link_up(b, n->bridge);
}

typedef struct Forwarding {
        int family;
        const char *note; /* below the run root */
        bool wanted, guarded;
} Forwarding;

/* It was off before us, or is now and we are about to turn it on. */
static int look_at_forwarding(const Network *n, Forwarding *f, char **ret_note) {
        int r;

        *ret_note = path_join(n->ground->run_root, f->note);
        if (!*ret_note)
                return -ENOMEM;
        r = f->wanted ? forwarding_is_on(f->family) : 1;
        if (r >= 0)
                f->guarded = forwarding_was_off(*ret_note) || r == 0;
        return r;
}

/* The firewall first: a host that starts to forward for its containers must not be a router for others, not even for a moment. */
static int open_forwarding(const Network *n, Error *reterr) {
        Forwarding four = { AF_INET, "ip4-forward-was-off", n->ipv4, false };
        Forwarding six = { AF_INET6, "ip6-forward-was-off", n->ipv6, false };
        _cleanup_(freep) char *note4 = NULL, *note6 = NULL;
        int r;

        if (!n->ground->ip_forward || n->spec.internal)
                return 0;

        r = look_at_forwarding(n, &four, &note4);
        if (r >= 0)
                r = look_at_forwarding(n, &six, &note6);
        if (r >= 0 && n->ground->firewall && (four.guarded || six.guarded))
                r = firewall_guard(n->ground->firewall, four.guarded, six.guarded, reterr);
        if (r >= 0 && four.wanted)
                r = forwarding_enable(AF_INET, note4);
        if (r >= 0 && six.wanted)
                r = forwarding_enable(AF_INET6, note6);
        return r < 0 ? error_set_errno(reterr, r, "Failed to let this host forward packets") : 0;
}

static int bridge_create(Network *n, network_done_t done, void *userdata, Error *reterr) {
        NetlinkBatch *b;
        int r = 0;

        r = link_ground(n, reterr);
        if (r < 0)
                return r;
        r = open_forwarding(n, reterr);
        if (r < 0)
                return r;

        b = netlink_batch_new();
        if (!b)
                return -ENOMEM;
        if (n->bridge_is_foreign) {
                (void) netlink_link_expect_kind(b, n->bridge, "bridge");
                (void) netlink_link_conf4(b, n->bridge, IPV4_DEVCONF_ROUTE_LOCALNET, 1);
        } else
                add_bridge(b, n);
        return netlink_run(n->ground->netlink, b, done, userdata, &n->call);
}

static int bridge_remove(Network *n, network_done_t done, void *userdata, Error *reterr) {
        NetlinkBatch *b;

        if (n->bridge_is_foreign || !n->ground->netlink)
                return 1;

        b = netlink_batch_new();
        if (!b)
                return -ENOMEM;
        (void) netlink_link_remove(b, n->bridge);
        return netlink_run(n->ground->netlink, b, done, userdata, &n->call);
}

/* --- its members ------------------------------------------------------------------------------------------------------------------------ */

static void add_port(NetlinkBatch *b, const Network *n, const Endpoint *e, const Netns *ns) {
        const NetlinkLink pair = {
                .name = e->host_interface,
                .kind = "veth",
                .mtu = n->mtu,
                .master = n->bridge,
                .peer = e->interface,
                .peer_mac = e->mac,
                .peer_ns_fd = ns->fd,
        };

        (void) netlink_link_add(b, &pair);
        (void) netlink_link_no_local6(b, e->host_interface);
        (void) netlink_port_hairpin(b, e->host_interface, true);
        if (!n->icc)
                (void) netlink_port_isolated(b, e->host_interface, true);
        (void) netlink_link_up(b, e->host_interface);
}

static int bridge_join(
        Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata, Error *reterr) {
        NetlinkPlan p;
        int r;

        r = link_ground(n, reterr);
        if (r < 0)
                return r;
        r = link_prepare_ipv6(ns, e, reterr);
        if (r < 0)
                return r;

        /* Seven hex digits, as people know it; never the same again, for the old one may be on its way out still. */
        (void) snprintf(e->host_interface, sizeof(e->host_interface), "veth%07x",
                (unsigned) (random_u64() & 0xfffffff));

        r = link_plan_new(n, ns, &p);
        if (r < 0)
                return r;
        /* Somebody may have removed it by hand. */
        if (!n->bridge_is_foreign && if_nametoindex(n->bridge) == 0)
                add_bridge(p.batch, n);
        add_port(p.batch, n, e, ns);
        link_add_addresses(p.then_batch, e);
        link_add_default_routes(p.then_batch, n, e);
        (void) netlink_link_remove(p.undo, e->host_interface);
        return netlink_run_plan(&p, done, userdata, &e->call);
}

static int bridge_leave(
        Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata, Error *reterr) {
        NetlinkBatch *b;

        if (str_empty(e->host_interface) || !n->ground->netlink)
                return 1;

        b = netlink_batch_new();
        if (!b)
                return -ENOMEM;
        if (ns && ns->ends)
                (void) netlink_port_off(b, e->host_interface);
        else
                (void) netlink_link_remove(b, e->host_interface);
        return netlink_run(n->ground->netlink, b, done, userdata, done ? &e->call : NULL);
}

const NetworkDriver network_driver_bridge = {
        .name = "bridge",
        .uses_netns = true,
        .has_ipam = true,
        .has_ports = true,
        .has_names = true,
        .may_be_made = true,
        .check = bridge_check,
        .create = bridge_create,
        .remove = bridge_remove,
        .join = bridge_join,
        .route = link_route,
        .leave = bridge_leave,
};
