/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Firewall holds what networks and published ports need of nftables, and keeps the kernel at it: one table of ours, "inet stauer", with
 * maps and sets that have an entry per network and per published port, so a change costs what changes and not what is there. Nothing of
 * anybody else's is read or touched. docs/NETWORK.md has the rules, and how an administrator denies. Owned by Engine.
 *
 * Until firewall_start() everything is only remembered: a daemon that comes back adds its networks and running containers, then starts; the
 * table is replaced by one transaction, so that no packet sees half of it and connections go on. After that each call is one transaction
 * at once (about a millisecond), and what others do to our table is repaired within a second. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Endpoint Endpoint;
typedef struct Firewall Firewall;
typedef struct Network Network;
typedef struct PortMapping PortMapping;
typedef struct sd_bus sd_bus;
typedef struct sd_event sd_event;

/* Of the daemon: --ip6tables, --allow-direct-routing, --ip-forward-no-drop. */
typedef struct FirewallOptions {
        bool no_ipv6; /* nothing is done to IPv6: no rule, no published port */
        bool direct; /* published ports are reached by the container's address as well, from everywhere */
        bool no_guard; /* firewall_guard() does nothing */
} FirewallOptions;

int firewall_new(sd_event *e, const FirewallOptions *o, Firewall **ret);
Firewall *firewall_free(Firewall *f); /* the rules stay in the kernel */
DEFINE_CLEANUP(Firewall *, firewall_free);

/* Writes the table. -EPERM without CAP_NET_ADMIN, -EOPNOTSUPP or -ENOENT when the kernel cannot do it. After an error it may be called again. */
int firewall_start(Firewall *f, Error *reterr);

bool firewall_has_ipv6(const Firewall *f) _pure_;

/* Bridges are kept in a zone of firewalld, while that is on this bus. */
int firewall_use_bus(Firewall *f, sd_bus *bus);

/* A network of driver bridge, ready or not (rules name the bridge, which may come later). Again with the same id: replaces. What is taken
 * from the Network is copied: id, name, bridge, subnets, spec.internal, icc, masquerade and the options of gateway modes and host addresses. */
int firewall_add_network(Firewall *f, const Network *n, Error *reterr);
void firewall_remove_network(Firewall *f, const char *network_id); /* not known is fine */

/* Publishes ports of an endpoint whose addresses are chosen, all or none; before anything of e may be reached. Again with the same ident:
 * replaces. Without ports it is done at once. unpublish also forgets what the kernel knows of UDP flows through these ports. */
int firewall_publish(Firewall *f, const Endpoint *e, const PortMapping *m, size_t n, Error *reterr);
void firewall_unpublish(Firewall *f, const char *endpoint_ident); /* not known is fine */

/* The host did not forward packets before networks needed it: what is no network's is not forwarded now either (dockerd sets the policy of
 * FORWARD to DROP for that). Again: replaces; before firewall_start() it is remembered. */
int firewall_guard(Firewall *f, bool guard4, bool guard6, Error *reterr);

/* Are there others' rules that drop what we let through (a FORWARD policy of "drop")? NULL: not that we know. One sentence for a
 * person, valid until the next call; asks the kernel, so not for a busy path. */
const char *firewall_warning(Firewall *f);
