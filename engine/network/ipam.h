/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Addresses: which subnets are given to networks, and which addresses of a subnet to containers. Pure; in memory only, made anew at each
 * start from what is on disk. Owned by Networks. An address is 4 or 16 bytes in network order in an IpamAddress. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Ipam Ipam;
typedef struct IpamSubnet IpamSubnet;

typedef struct IpamAddress {
        int family; /* AF_INET, AF_INET6; 0: none */
        union {
                struct in_addr four;
                struct in6_addr six;
        };
} IpamAddress;

typedef struct IpamPrefix {
        IpamAddress address; /* host bits as they were written */
        unsigned bits;
} IpamPrefix;

#define IPAM_TEXT_SIZE        INET6_ADDRSTRLEN
#define IPAM_PREFIX_TEXT_SIZE (INET6_ADDRSTRLEN + sizeof("/128"))

/* -EINVAL for anything else: strictly what inet_pton takes. */
int ipam_parse(const char *text, IpamAddress *ret);
int ipam_parse_prefix(const char *text, IpamPrefix *ret);                       /* ADDRESS/BITS */
const char *ipam_format(const IpamAddress *a, char ret[static IPAM_TEXT_SIZE]); /* none: "" */
const char *ipam_format_prefix(const IpamPrefix *p, char ret[static IPAM_PREFIX_TEXT_SIZE]);

bool ipam_equal(const IpamAddress *a, const IpamAddress *b);
IpamPrefix ipam_masked(const IpamPrefix *p); /* host bits cleared */
bool ipam_contains(const IpamPrefix *p, const IpamAddress *a);
bool ipam_overlap(const IpamPrefix *a, const IpamPrefix *b);

/* seed: any bytes; the IPv6 networks that nobody gives a subnet to come from a ULA /48 made of it. */
int ipam_new(const char *seed, Ipam **ret);
Ipam *ipam_free(Ipam *i); /* after all its subnets */
DEFINE_CLEANUP(Ipam *, ipam_free);

/* --default-address-pool base=CIDR,size=N; the first one of a family replaces Docker's own pools of that family.
 * ERROR_INVALID. */
int ipam_add_pool(Ipam *i, const char *text, Error *reterr);

/* Takes wish for a network, or with wish NULL the next of the pools that overlaps nothing that is taken and nothing in avoid (routes of the
 * host). range: dynamic addresses come from there only; NULL: from all of it. ERROR_FORBIDDEN "invalid pool request: Pool overlaps with
 * other one on this address space", ERROR_INTERNAL "all predefined address pools have been fully subnetted". */
int ipam_request(Ipam *i, int family, const IpamPrefix *wish, const IpamPrefix *range,
        const IpamPrefix *avoid, size_t n_avoid, IpamSubnet **ret, Error *reterr);
IpamSubnet *ipam_subnet_free(IpamSubnet *s); /* gives it back; NULL is fine */
DEFINE_CLEANUP(IpamSubnet *, ipam_subnet_free);

const IpamPrefix *ipam_subnet_prefix(const IpamSubnet *s);
bool ipam_subnet_has_range(const IpamSubnet *s);

/* One that is asked for. ERROR_FORBIDDEN "Address already in use", ERROR_INVALID when it is not of this subnet. */
int ipam_take(IpamSubnet *s, const IpamAddress *a, Error *reterr);
/* The next free one, ascending: what was given back lately is given out last. ERROR_INTERNAL "no available IPv4 addresses on this network's
 * address pools: NAME (ID)" — the words in brackets are label. */
int ipam_take_next(IpamSubnet *s, const char *label, IpamAddress *ret, Error *reterr);
void ipam_give_back(IpamSubnet *s, const IpamAddress *a);
bool ipam_is_taken(const IpamSubnet *s, const IpamAddress *a);

/* For inspect: how many are taken, and how many a container could still get (UINT64_MAX: that, or more). */
void ipam_count(const IpamSubnet *s, uint64_t *ret_taken, uint64_t *ret_free);

/* The host's routes in the text of /proc/net/route or /proc/net/ipv6_route (family), default routes left out; adds to a list that is the
 * caller's. Lines that are none are skipped. */
int ipam_parse_routes(
        int family, const char *text, IpamPrefix **list, size_t *n, size_t *n_allocated);
