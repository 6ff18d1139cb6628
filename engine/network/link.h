/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What drivers that make links inside of a container have in common. */

#include "engine/network/driver.h"

typedef struct NetlinkBatch NetlinkBatch;
typedef struct NetlinkPlan NetlinkPlan;
typedef struct NetworkSubnet NetworkSubnet;

/* Links of ours carry this and the network's id as alias: what may be removed, should the network be gone. */
#define LINK_ALIAS_PREFIX "stauer:"

bool network_subnet_has_gateway(const NetworkSubnet *s);

/* ERROR_UNAVAILABLE when we have no right to make links. */
int link_ground(const Network *n, Error *reterr);

/* The link that is about to be made has IPv6 exactly if e has an address of it. */
int link_prepare_ipv6(Netns *ns, const Endpoint *e, Error *reterr);

/* Three empty batches: on the host, then inside; undone on the host. */
int link_plan_new(const Network *n, Netns *ns, NetlinkPlan *ret);

/* Steps for the socket inside. The link is up afterwards. */
void link_add_addresses(NetlinkBatch *b, const Endpoint *e);
void link_add_default_routes(NetlinkBatch *b, const Network *n, const Endpoint *e);

/* NetworkDriver.route */
int link_route(
        Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata, Error *reterr);
