/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What networks and published ports are in nft(8)'s language. Pure: text only, engine/network/firewall.c runs it. The rules themselves are
 * fixed; networks and ports are entries of maps and sets. */

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

typedef struct Buffer Buffer;
typedef struct PortMapping PortMapping;
typedef struct RuleEndpoint RuleEndpoint;
typedef struct RuleNetwork RuleNetwork;

#define FIREWALL_TABLE      "stauer"
#define FIREWALL_USER_TABLE "stauer-user"

typedef enum GatewayMode {
        GATEWAY_NAT, /* masqueraded; only published ports can be reached from outside of the bridge */
        GATEWAY_NAT_UNPROTECTED, /* masqueraded; the container's address can be reached by whoever routes to it */
        GATEWAY_ROUTED, /* not masqueraded; published ports are reached by the container's address */
        GATEWAY_ISOLATED, /* as internal */
        _GATEWAY_MODE_MAX,
        _GATEWAY_MODE_INVALID = -EINVAL,
} GatewayMode;

const char *gateway_mode_to_string(GatewayMode m);
GatewayMode gateway_mode_from_string(const char *s);

typedef struct RuleSubnet {
        int family;
        unsigned prefix;
        union {
                struct in_addr address4;
                struct in6_addr address6;
        } net;
} RuleSubnet;

struct RuleNetwork {
        char *id;
        char *name;            /* for people: goes into comments */
        char bridge[IFNAMSIZ]; /* letters, digits and "_.-:@" only */
        bool internal;
        bool icc;
        bool masquerade;
        GatewayMode mode4, mode6;
        struct in_addr source4; /* masqueraded as this address; 0: as that of the way out */
        struct in6_addr source6;
        RuleSubnet *subnets;
        size_t n_subnets;
};

struct RuleEndpoint {
        char *ident;
        char *name; /* of the container, for people */
        struct in_addr address4;
        struct in6_addr address6;
        PortMapping *ports;
        size_t n_ports;
        bool direct; /* published ports are reached by the container's address as well */
};

typedef enum RuleVerb {
        RULE_ADD,
        RULE_DELETE,
} RuleVerb;

/* Is it a name of a link that may stand in rules? The kernel allows more, nft(8) would read "*" as a pattern. */
bool rule_interface_is_good(const char *name) _pure_;

/* The table, without entries, in place of one that is there; and the administrator's table when it is not there. */
int rules_write_table(Buffer *b);
/* After the table: nothing of ours is done to IPv6. */
int rules_write_without_ipv6(Buffer *b);
/* Is what is no network's forwarded? */
int rules_write_guard(Buffer *b, bool guard4, bool guard6);
/* Entries. 0, -ENOMEM. */
int rules_write_network(Buffer *b, RuleVerb verb, const RuleNetwork *n);
int rules_write_endpoint(Buffer *b, RuleVerb verb, const RuleEndpoint *e);
