/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A NetworkDriver makes one kind of network and connects containers to it. All that touches the kernel is asynchronous, and has one
 * contract: < 0 it could not be begun (reterr is filled, done is never called); 0 it is under way, done is called once, from the loop,
 * never before the call has returned; 1 it is done already, done is never called. Whoever no longer wants to hear of it frees the
 * NetlinkCall that the driver left in Network.call or Endpoint.call (network_free() and endpoint_free() do so): done is not called then. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Endpoint Endpoint;
typedef struct Firewall Firewall;
typedef struct Netlink Netlink;
typedef struct Netns Netns;
typedef struct NetnsPool NetnsPool;
typedef struct Network Network;
typedef struct NetworkDriver NetworkDriver;
typedef struct Ports Ports;
typedef struct Resolver Resolver;
typedef struct sd_event sd_event;

typedef void (*network_done_t)(int r, const Error *e, void *userdata);

/* What networks stand on: the engine's, borrowed, outlives every network. A NULL is not there: we have no right to it (tests without
 * root), or were told not to (--iptables=false). */
typedef struct NetworkGround {
        sd_event *event;
        Netlink *netlink; /* of the host's namespace */
        NetnsPool *pool;
        Firewall *firewall;
        Ports *ports;
        Resolver *resolver;
        const char *run_root; /* RUNROOT */
        bool ip_forward;      /* drivers may turn forwarding of the host on */
} NetworkGround;

/* What the container's bundle shall say about its network namespace. */
typedef struct NetworkLeg {
        bool host;   /* no namespace of its own: the host's */
        char *netns; /* path of a prepared one; NULL: a new, empty one */
} NetworkLeg;

void network_leg_done(NetworkLeg *l);

struct NetworkDriver {
        const char *name;
        bool uses_netns; /* its containers get a namespace of the pool */
        bool has_ipam;   /* addresses are given out */
        bool has_ports;
        bool has_names;   /* the resolver serves it (but for the default network "bridge") */
        bool may_be_made; /* by a user */

        /* Are the options of create good? Pure: may fill Network.bridge and the like. NULL: all are. */
        int (*check)(Network *n, Error *reterr);

        /* Makes what stands on the host, or finds it there: also called at each start of the daemon, so what is right already stays as it is
         * (no link is taken down, no address removed and set again). NULL: nothing to do. */
        int (*create)(Network *n, network_done_t done, void *userdata, Error *reterr);

        /* Takes it away; what is gone already is fine. NULL: nothing to do. */
        int (*remove)(Network *n, network_done_t done, void *userdata, Error *reterr);

        /* Puts the link Endpoint.interface with its addresses into the namespace, up; with default4 / default6 the default routes too.
         * Fills Endpoint.host_interface at once, before it returns. After an error nothing is left. NULL: nothing to do. */
        int (*join)(Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata,
                Error *reterr);

        /* The default routes inside lead through e now (default4, default6: those that are set; replaces what was there). NULL: nothing to do. */
        int (*route)(Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata,
                Error *reterr);

        /* Takes the link away. A join that is under way is forgotten first. ns NULL: the namespace is gone, or goes now. What is gone already is fine.
         * done NULL: it goes on by itself, and e may be freed at once; else e has to stay until then. NULL: nothing to do. */
        int (*leave)(Network *n, Endpoint *e, Netns *ns, network_done_t done, void *userdata,
                Error *reterr);
};

extern const NetworkDriver network_driver_bridge;
extern const NetworkDriver network_driver_macvlan;
extern const NetworkDriver network_driver_ipvlan;
extern const NetworkDriver network_driver_host;
extern const NetworkDriver network_driver_null;
