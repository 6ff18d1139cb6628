/* SPDX-License-Identifier: GPL-2.0-or-later */
/* macvlan and ipvlan: a link of the container on top of a link of the host (the parent). A parent "eth0.10" that is not there is made as a VLAN of eth0; without a
 * parent, or for an internal network, there is a dummy, on which members see each other and nobody else. Both are ours (their alias says so) and go with the network. */
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "engine/network/driver.h"
#include "engine/network/endpoint.h"
#include "engine/network/link.h"
#include "engine/network/network.h"
#include "engine/network/networks.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define OPTION_PARENT       "parent"
#define OPTION_MACVLAN_MODE "macvlan_mode"
#define OPTION_IPVLAN_MODE  "ipvlan_mode"
#define OPTION_IPVLAN_FLAG  "ipvlan_flag"
#define VLAN_MAX            4094U

typedef struct Word {
        const char *name;
        uint32_t value;
} Word;

static const Word macvlan_modes[] = {
        { "bridge", MACVLAN_MODE_BRIDGE }, /* the first is the default */
        { "private", MACVLAN_MODE_PRIVATE },
        { "passthru", MACVLAN_MODE_PASSTHRU },
        { "vepa", MACVLAN_MODE_VEPA },
        {},
};

static const Word ipvlan_modes[] = {
        { "l2", IPVLAN_MODE_L2 },
        { "l3", IPVLAN_MODE_L3 },
        { "l3s", IPVLAN_MODE_L3S },
        {},
};

static const Word ipvlan_flags[] = {
        { "bridge", 0 },
        { "private", IPVLAN_F_PRIVATE },
        { "vepa", IPVLAN_F_VEPA },
        {},
};

static bool is_ipvlan(const Network *n) {
        return n->driver == &network_driver_ipvlan;
}

/* -EINVAL: no such word. */
static int find_word(const Network *n, const char *option, const Word *words, uint32_t *ret) {
        const char *name = str_or(network_option(n, option), words[0].name);

        for (; words->name; words++)
                if (streq(words->name, name)) {
                        *ret = words->value;
                        return 0;
                }
        return -EINVAL;
}

static int check_word(const Network *n, const char *option, const Word *words, Error *reterr) {
        uint32_t value;

        if (find_word(n, option, words, &value) >= 0)
                return 0;
        return error_set(reterr, ERROR_INVALID,
                "requested %s %s '%s' is not valid, '%s' %s is the %s driver default",
                n->driver->name, option + strlen(n->driver->name) + 1, network_option(n, option),
                words[0].name, option + strlen(n->driver->name) + 1, n->driver->name);
}

/* --- the parent ----------------------------------------------------------------------------------------------------------------------- */

static bool parent_is_dummy(const Network *n) {
        return str_empty(network_option(n, OPTION_PARENT));
}

static void parent_name(const Network *n, char ret[static ENDPOINT_INTERFACE_SIZE]) {
        if (parent_is_dummy(n))
                (void) snprintf(ret, ENDPOINT_INTERFACE_SIZE, "dm-%.12s", n->id);
        else
                (void) snprintf(
                        ret, ENDPOINT_INTERFACE_SIZE, "%s", network_option(n, OPTION_PARENT));
}

/* "eth0.10": 1 and its parts; 0: no VLAN's name. */
static int parse_vlan(
        const char *name, char ret_below[static ENDPOINT_INTERFACE_SIZE], unsigned *ret_id) {
        const char *dot = strrchr(name, '.');

        if (!dot)
                return 0;
        if (dot == name || parse_unsigned(dot + 1, ret_id) < 0 || *ret_id == 0 ||
                *ret_id > VLAN_MAX)
                return -EINVAL;
        (void) snprintf(ret_below, ENDPOINT_INTERFACE_SIZE, "%.*s", (int) (dot - name), name);
        return 1;
}

static bool shares_parent(const Network *a, const Network *b) {
        char parent_a[ENDPOINT_INTERFACE_SIZE], parent_b[ENDPOINT_INTERFACE_SIZE];

        if (a == b || (a->driver != &network_driver_macvlan && a->driver != &network_driver_ipvlan))
                return false;
        parent_name(a, parent_a);
        parent_name(b, parent_b);
        return streq(parent_a, parent_b);
}

static bool is_passthru(const Network *n) {
        return str_equal(network_option(n, OPTION_MACVLAN_MODE), "passthru");
}

static int check_parent(const Network *n, Error *reterr) {
        const char *parent = network_option(n, OPTION_PARENT);

        if (parent_is_dummy(n))
                return 0;
        if (!netlink_name_is_valid(parent))
                return error_set(
                        reterr, ERROR_INVALID, "invalid parent interface name: %s", parent);
        if (streq(parent, "lo"))
                return error_set(reterr, ERROR_INVALID,
                        "loopback interface is not a valid %s parent link", n->driver->name);

        /* Several of one kind may have the same parent; the kernel lets neither both kinds have it nor anybody beside a passthru. */
        for (Network *o = networks_next(n->set, NULL); o; o = networks_next(n->set, o)) {
                if (!shares_parent(o, n))
                        continue;
                if (o->driver != n->driver || is_passthru(o) || is_passthru(n))
                        return error_set(reterr, ERROR_FORBIDDEN,
                                "network %s is already using parent interface %s", o->name, parent);
        }
        return 0;
}

static int macvlan_check(Network *n, Error *reterr) {
        int r;

        r = check_word(n, OPTION_MACVLAN_MODE, macvlan_modes, reterr);
        return r < 0 ? r : check_parent(n, reterr);
}

static int ipvlan_check(Network *n, Error *reterr) {
        int r;

        r = check_word(n, OPTION_IPVLAN_MODE, ipvlan_modes, reterr);
        if (r >= 0)
                r = check_word(n, OPTION_IPVLAN_FLAG, ipvlan_flags, reterr);
        return r < 0 ? r : check_parent(n, reterr);
}

static int make_parent(const Network *n, NetlinkBatch *b, const char *name, Error *reterr) {
        char alias[sizeof(LINK_ALIAS_PREFIX) + IDENT_LENGTH], below[ENDPOINT_INTERFACE_SIZE];
        NetlinkLink link = { .name = name, .alias = alias, .up = true };
        unsigned id = 0;
        int r;

        (void) snprintf(alias, sizeof(alias), LINK_ALIAS_PREFIX "%s", n->id);
        if (parent_is_dummy(n)) {
                link.kind = "dummy";
                (void) netlink_link_add(b, &link);
                return 0;
        }

        r = parse_vlan(name, below, &id);
        if (r == 0)
                return error_set(reterr, ERROR_INVALID,
                        "-o parent interface was not found on the host: %s", name);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid subinterface vlan name %s, example formatting is eth0.10", name);
        if (if_nametoindex(below) == 0)
                return error_set(reterr, ERROR_INVALID,
                        "-o parent interface was not found on the host: %s", below);
        link.kind = "vlan";
        link.vlan_id = (uint16_t) id;
        link.parent = below;
        (void) netlink_link_add(b, &link);
        return 0;
}

static int link_create(Network *n, network_done_t done, void *userdata, Error *reterr) {
        _cleanup_(netlink_batch_freep) NetlinkBatch *b = NULL;
        char name[ENDPOINT_INTERFACE_SIZE];
        int r;

        r = link_ground(n, reterr);
        if (r < 0)
                return r;
        parent_name(n, name);
        if (if_nametoindex(name) != 0)
                return 1; /* the host's, or ours of an earlier start */

        b = netlink_batch_new();
        if (!b)
                return -ENOMEM;
        r = make_parent(n, b, name, reterr);
        if (r < 0)
                return r;
        return netlink_run(n->ground->netlink, TAKE_PTR(b), done, userdata, &n->call);
}

/* Only what has an alias of ours is taken away, by the last who used it. */
static int link_remove(Network *n, network_done_t done, void *userdata, Error *reterr) {
        char name[ENDPOINT_INTERFACE_SIZE];
        NetlinkBatch *b;

        for (Network *o = networks_next(n->set, NULL); o; o = networks_next(n->set, o))
                if (shares_parent(o, n))
                        return 1;
        parent_name(n, name);
        if (!n->ground->netlink || if_nametoindex(name) == 0)
                return 1;
        b = netlink_batch_new();
        if (!b)
                return -ENOMEM;
        (void) netlink_link_remove_aliased(b, name, LINK_ALIAS_PREFIX);
        return netlink_run(n->ground->netlink, b, done, userdata, &n->call);
}

/* --- members ---------------------------------------------------------------------------------------------------------------------------- */

static bool has_no_gateway(const Network *n) {
        uint32_t mode = IPVLAN_MODE_L2;

        return is_ipvlan(n) && find_word(n, OPTION_IPVLAN_MODE, ipvlan_modes, &mode) >= 0 &&
               mode != IPVLAN_MODE_L2;
}

/* The routing modes of ipvlan know no neighbours: everything goes to the link as such. */
static void add_default_routes(NetlinkBatch *b, const Network *n, const Endpoint *e) {
        if (n->spec.internal || parent_is_dummy(n))
                return;
        if (!has_no_gateway(n)) {
                link_add_default_routes(b, n, e);
                return;
        }
        if (e->default4 && e->prefix4 > 0)
                (void) netlink_route_add(b, e->interface, AF_INET, NULL, 0, NULL);
        if (e->default6 && e->prefix6 > 0)
                (void) netlink_route_add(b, e->interface, AF_INET6, NULL, 0, NULL);
}

static int link_join(
        Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata, Error *reterr) {
        char parent[ENDPOINT_INTERFACE_SIZE];
        NetlinkLink link = {
                .name = e->interface,
                .kind = n->driver->name,
                .parent = parent,
                .mtu = n->mtu,
                .ns_fd = ns->fd,
                .up = true,
        };
        uint32_t flags = 0;
        NetlinkPlan p;
        int r;

        r = link_ground(n, reterr);
        if (r >= 0)
                r = link_prepare_ipv6(ns, e, reterr);
        if (r < 0)
                return r;

        parent_name(n, parent);
        if (is_ipvlan(n)) {
                (void) find_word(n, OPTION_IPVLAN_MODE, ipvlan_modes, &link.mode);
                (void) find_word(n, OPTION_IPVLAN_FLAG, ipvlan_flags, &flags);
                link.flags = (uint16_t) flags;
        } else {
                (void) find_word(n, OPTION_MACVLAN_MODE, macvlan_modes, &link.mode);
                link.mac = e->mac;
        }

        r = link_plan_new(n, ns, &p);
        if (r < 0)
                return r;
        if (parent_is_dummy(n) && if_nametoindex(parent) == 0)
                (void) make_parent(n, p.batch, parent, reterr); /* somebody removed it by hand */
        (void) netlink_link_add(p.batch, &link);
        link_add_addresses(p.then_batch, e);
        add_default_routes(p.then_batch, n, e);
        p.undo_netlink = ns->inside;
        (void) netlink_link_remove(p.undo, e->interface);
        return netlink_run_plan(&p, done, userdata, &e->call);
}

static int change_routes(
        Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata, Error *reterr) {
        NetlinkBatch *b = netlink_batch_new();

        if (!b)
                return -ENOMEM;
        add_default_routes(b, n, e);
        return netlink_run(ns->inside, b, done, userdata, &e->call);
}

/* A namespace that ends keeps the link a moment longer, but must not answer for its addresses any more. */
static int link_leave(
        Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata, Error *reterr) {
        NetlinkBatch *b;

        if (!ns)
                return 1;
        b = netlink_batch_new();
        if (!b)
                return -ENOMEM;
        if (ns->ends) {
                (void) netlink_address_only(b, e->interface, AF_INET, NULL, 0);
                if (e->prefix6 > 0)
                        (void) netlink_address_only(b, e->interface, AF_INET6, NULL, 0);
        } else
                (void) netlink_link_remove(b, e->interface);
        return netlink_run(ns->inside, b, done, userdata, done ? &e->call : NULL);
}

const NetworkDriver network_driver_macvlan = {
        .name = "macvlan",
        .uses_netns = true,
        .has_ipam = true,
        .has_names = true,
        .may_be_made = true,
        .check = macvlan_check,
        .create = link_create,
        .remove = link_remove,
        .join = link_join,
        .route = change_routes,
        .leave = link_leave,
};

const NetworkDriver network_driver_ipvlan = {
        .name = "ipvlan",
        .uses_netns = true,
        .has_ipam = true,
        .has_names = true,
        .may_be_made = true,
        .check = ipvlan_check,
        .create = link_create,
        .remove = link_remove,
        .join = link_join,
        .route = change_routes,
        .leave = link_leave,
};
