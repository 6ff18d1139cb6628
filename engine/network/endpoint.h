/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An Endpoint is one container's leg in one network, from the moment its addresses are reserved until it has left. Owned by the Sandbox of
 * its container; listed in Network.endpoints. Saved in RUNROOT/containers/ID/network.json: it lives as long as the boot. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/network/driver.h"
#include "lib/base/list.h"

typedef struct EndpointSpec EndpointSpec;
typedef struct Json Json;
typedef struct NetlinkCall NetlinkCall;
typedef struct PortMapping PortMapping;
typedef struct Sandbox Sandbox;

#define ENDPOINT_MAC_SIZE       6
#define ENDPOINT_INTERFACE_SIZE 16 /* IFNAMSIZ */

struct Endpoint {
        Sandbox *sandbox;
        Network *network; /* the set waits with its end until all have left */
        ListNode by_network;
        ListNode by_sandbox;

        /* saved */
        char *ident;                                  /* EndpointID, 64 hex digits */
        char interface[ENDPOINT_INTERFACE_SIZE];      /* inside: eth0 */
        char host_interface[ENDPOINT_INTERFACE_SIZE]; /* "": none on the host */
        uint8_t mac[ENDPOINT_MAC_SIZE];
        unsigned prefix4; /* 0: no IPv4 */
        struct in_addr address4;
        struct in_addr gateway4; /* 0: none */
        unsigned prefix6;        /* 0: no IPv6 */
        struct in6_addr address6;
        struct in6_addr gateway6; /* ::: none */
        bool fixed4, fixed6;      /* asked for by the user */
        bool default4, default6;  /* the default routes of the container lead here */
        int64_t gateway_priority;
        char **driver_options; /* pairs */
        char **link_local;     /* further addresses, as text */
        PortMapping *ports;    /* published; firewall.h, ports.h */
        size_t n_ports;

        /* of names: what the resolver of this network's other members knows it by */
        char **dns_names; /* name, aliases, short id, host name; each once */
        char **aliases;
        char **links; /* "container:alias", seen by this endpoint only */

        /* volatile */
        NetlinkCall *call; /* the driver's, while something is under way */
        bool joined;       /* join() was begun: leave() is due */
        bool joining;      /* and did not end yet */
        bool published;    /* firewall_publish() was done */
};

int endpoint_new(Network *n, Sandbox *b, Endpoint **ret);
Endpoint *endpoint_free(Endpoint *e); /* forgets what is under way, takes nothing away */
DEFINE_CLEANUP(Endpoint *, endpoint_free);

/* For documents: "" where there is nothing. */
const char *endpoint_address4(const Endpoint *e, char ret[static INET_ADDRSTRLEN]);
const char *endpoint_address6(const Endpoint *e, char ret[static INET6_ADDRSTRLEN]);
const char *endpoint_gateway4(const Endpoint *e, char ret[static INET_ADDRSTRLEN]);
const char *endpoint_gateway6(const Endpoint *e, char ret[static INET6_ADDRSTRLEN]);
#define ENDPOINT_MAC_TEXT_SIZE sizeof("02:42:ac:11:00:02")
const char *endpoint_mac(const Endpoint *e, char ret[static ENDPOINT_MAC_TEXT_SIZE]);

/* aa:bb:cc:dd:ee:ff, unicast. -EINVAL */
int endpoint_parse_mac(const char *text, uint8_t ret[static ENDPOINT_MAC_SIZE]);

/* The saved form; reading checks every value. */
int endpoint_write(const Endpoint *e, Json **ret);
int endpoint_read(Json *v, Network *n, Sandbox *b, Endpoint **ret, Error *reterr);
