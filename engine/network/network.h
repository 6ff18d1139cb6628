/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Network that containers join. Owned by Networks. The fields are for reading; only engine/network changes them. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/network/driver.h"
#include "engine/network/endpoint.h"
#include "lib/api/network-spec.h"
#include "lib/base/list.h"

typedef struct IpamSubnet IpamSubnet;
typedef struct Networks Networks;
typedef struct Pending Pending;

/* com.docker.network.… */
#define NETWORK_OPTION_BRIDGE_NAME   "com.docker.network.bridge.name"
#define NETWORK_OPTION_DEFAULT       "com.docker.network.bridge.default_bridge"
#define NETWORK_OPTION_ICC           "com.docker.network.bridge.enable_icc"
#define NETWORK_OPTION_MASQUERADE    "com.docker.network.bridge.enable_ip_masquerade"
#define NETWORK_OPTION_HOST_BINDING  "com.docker.network.bridge.host_binding_ipv4"
#define NETWORK_OPTION_GATEWAY_MODE4 "com.docker.network.bridge.gateway_mode_ipv4"
#define NETWORK_OPTION_GATEWAY_MODE6 "com.docker.network.bridge.gateway_mode_ipv6"
#define NETWORK_OPTION_INHIBIT4      "com.docker.network.bridge.inhibit_ipv4"
#define NETWORK_OPTION_TRUSTED       "com.docker.network.bridge.trusted_host_interfaces"
#define NETWORK_OPTION_MTU           "com.docker.network.driver.mtu"
#define NETWORK_OPTION_PREFIX        "com.docker.network.container_iface_prefix"
#define NETWORK_OPTION_HOST_IPV4     "com.docker.network.host_ipv4"
#define NETWORK_OPTION_HOST_IPV6     "com.docker.network.host_ipv6"
#define ENDPOINT_OPTION_SYSCTLS      "com.docker.network.endpoint.sysctls"
#define ENDPOINT_OPTION_IFNAME       "com.docker.network.endpoint.ifname"

/* One entry of IPAM.Config, parsed. */
typedef struct NetworkSubnet {
        int family;
        unsigned prefix;
        union {
                struct in_addr address4;
                struct in6_addr address6;
        } net, gateway; /* gateway all 0: none */
        IpamSubnet *ipam;
        bool is_chosen; /* nobody asked for this one */
} NetworkSubnet;

struct Network {
        Networks *set;
        const NetworkGround *ground;
        ListNode by_age;

        /* saved */
        char *id; /* 64 hex digits */
        char *name;
        int64_t created_ns;
        NetworkSpec spec; /* as asked, completed: subnets and gateways chosen */

        /* derived from it */
        const NetworkDriver *driver; /* NULL: config-only */
        bool predefined;             /* bridge, host, none */
        bool is_default;             /* "bridge": no names, links by hosts file */
        bool ipv4, ipv6;
        NetworkSubnet *subnets; /* in the order of spec */
        size_t n_subnets;
        char bridge
                [ENDPOINT_INTERFACE_SIZE]; /* of driver bridge: the device on the host; "": none */
        bool bridge_is_foreign; /* --bridge: the administrator's; its link and addresses are left alone */
        unsigned mtu;           /* 0: whatever the kernel takes */
        bool icc;               /* members may talk to each other */
        bool masquerade;
        bool inhibit_ipv4;                 /* no IPv4 address on the bridge */
        struct in_addr container_gateway4; /* not 0: of its containers, instead of the bridge */
        struct in6_addr container_gateway6;
        bool chosen4, chosen6; /* its subnets come from the pools; saved */

        /* volatile */
        List endpoints;    /* Endpoint, by_network: reserved, joining, joined, leaving */
        bool ready;        /* what stands on the host is there */
        bool busy;         /* it is being made or removed */
        bool is_new;       /* it is being made for the first time: not shown before it is there */
        Pending *pending;  /* who waits for that */
        char *why;         /* it is not ready */
        NetlinkCall *call; /* the driver's */
};

Network *network_free(Network *n);
DEFINE_CLEANUP(Network *, network_free);

#define NETWORK_NAME_MAX ((size_t) 255)

/* A name that users may give: UTF-8 without control characters, at most NETWORK_NAME_MAX bytes, no blank at its ends. */
bool network_name_is_valid(const char *name) _pure_;

/* spec.options; NULL: not there. _bool: otherwise also for a word that is no boolean (refused at create). */
const char *network_option(const Network *n, const char *key);
bool network_option_bool(const Network *n, const char *key, bool otherwise);

/* The first one of the family; NULL: none. */
const NetworkSubnet *network_subnet(const Network *n, int family);
