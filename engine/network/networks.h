/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The set of networks: the predefined "bridge", "host" and "none", and those that users make, which are saved as DATAROOT/networks/ID.json.
 * Owned by Engine. Verbs that take time take a Pending (engine/core/pending.h); a change is on disk before anybody is told, and is
 * published ("create", "connect", "disconnect", "destroy", "prune" of type network). */

#include "engine/network/network.h"

typedef struct Filter Filter;
typedef struct Hub Hub;
typedef struct Networks Networks;
typedef struct Pending Pending;

/* What the daemon was told of networks: its options (stauerd(8)). Strings: NULL and "" are "not given". */
typedef struct NetworkDefaults {
        const char *bridge; /* an existing one; "none": there is no network "bridge" */
        const char *bip;
        const char *bip6;
        const char *fixed_cidr;
        const char *fixed_cidr6;
        const char *gateway4;
        const char *gateway6;
        const char *ip; /* of published ports that name none */
        bool ipv6;
        bool icc;
        bool masquerade;
        unsigned mtu;         /* 0: not given */
        char *const *pools;   /* base=CIDR,size=N */
        char *const *options; /* driver=key=value */
} NetworkDefaults;

typedef struct NetworksWiring {
        const char *data_root;
        const char *seed; /* of this data root: the IPv6 subnets depend on it */
        Hub *hub;
        const NetworkGround *ground;
        NetworkDefaults defaults;
} NetworksWiring;

/* Reads what is on disk; a file that is damaged is put aside as ID.json.damaged and named in the journal. ERROR_INVALID: an option
 * of the daemon is wrong. All of w outlives the set. */
int networks_new(const NetworksWiring *w, Networks **ret, Error *reterr);
Networks *networks_free(Networks *s); /* after all sandboxes */
DEFINE_CLEANUP(Networks *, networks_free);

/* Makes sure of what stands on the host, from the loop. Once. What fails is logged, and tried again when a container joins. */
void networks_start(Networks *s);

/* The pool of network namespaces begins to work: when all containers are restored, if there is a network that needs it, or at_once. Once more is fine. */
int networks_start_pool(Networks *s, bool at_once);

/* Nothing is answered or begun any more. */
void networks_end(Networks *s);

/* id, name, or unique prefix of an id. ERROR_NOT_FOUND "network X not found". */
int networks_find(Networks *s, const char *name, Network **ret, Error *reterr);
Network *networks_next(Networks *s, const Network *after); /* oldest first; NULL: the first */
unsigned networks_count(const Networks *s);

/* HostConfig.NetworkMode to the network: "" and "default" are "bridge". "host" and "none" have no other word. */
int networks_find_mode(Networks *s, const char *mode, Network **ret, Error *reterr);

extern const char *const network_filter_keys[]; /* dangling driver id label name scope type */
int networks_list(Networks *s, const Filter *f, Network ***ret, size_t *ret_n, Error *reterr);

/* Takes over the contents of spec on success. Pending's result: Network *. ERROR_FORBIDDEN: a predefined name, a subnet that is taken;
 * ERROR_EXISTS "network with name X already exists"; ERROR_NOT_FOUND: no such driver. */
int networks_create(Networks *s, NetworkSpec *spec, Pending *p, Error *reterr);

/* ERROR_FORBIDDEN while a container is in it, and for predefined ones. The Network is gone when p is told. */
int network_remove(Network *n, Pending *p, Error *reterr);

/* Removes all that no running container is in, and pass. Pending's result: char *const * names. One at a time: ERROR_CONFLICT. */
extern const char *const network_prune_filter_keys[]; /* label label! until */
int networks_prune(Networks *s, const Filter *f, Pending *p, Error *reterr);

/* Event of a network; container_id NULL: of nobody. */
void network_publish(Network *n, const char *action, const char *container_id);

/* What network "bridge" gives as host-gateway; none: family 0 in both. */
void networks_host_gateway(Networks *s, struct in_addr *ret4, struct in6_addr *ret6);
