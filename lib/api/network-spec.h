/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* EndpointSpec: what a container asks of one network (NetworkingConfig.EndpointsConfig at
 * create, the body of connect). The members below the line are what inspect shows there; what a
 * client sends in them is ignored. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json/fields.h"

typedef struct EndpointIpam {
        char *ipv4_address;
        char *ipv6_address;
        char **link_local_ips;
} EndpointIpam;

typedef struct EndpointSpec {
        char *network;      /* the key of the map: name or id */
        EndpointIpam *ipam; /* NULL: choose */
        char **links;
        char **aliases;
        char *mac_address;
        char **driver_opts; /* pairs */
        int64_t gateway_priority;
        char *network_id;
        /* -- */
        char *endpoint_id;
        char *gateway;
        char *ip_address;
        int ip_prefix_len;
        char *ipv6_gateway;
        char *global_ipv6_address;
        int global_ipv6_prefix_len;
        char **dns_names;
} EndpointSpec;

/* IPAM.Config of a network. */
typedef struct IpamConfig {
        char *subnet; /* CIDR */
        char *ip_range;
        char *gateway;
        char **auxiliary; /* pairs: name, address */
} IpamConfig;

typedef struct IpamSpec {
        char *driver;
        char **options; /* pairs; NULL: null */
        IpamConfig *configs;
        size_t n_configs;
} IpamSpec;

/* What is asked of a new network (body of POST /networks/create); saved completed. */
typedef struct NetworkSpec {
        char *name;
        char *driver;
        char *scope;
        int enable_ipv4; /* -1: not given */
        int enable_ipv6;
        IpamSpec ipam;
        bool internal;
        bool attachable;
        bool ingress;
        bool config_only;
        char *config_from; /* name of a network; of {"Network":""} */
        char **options;    /* pairs */
        char **labels;     /* pairs */
} NetworkSpec;

extern const JsonField network_spec_fields[]; /* made by network_spec_init() */
extern const JsonField ipam_spec_fields[];
void network_spec_init(NetworkSpec *s);
void network_spec_done(NetworkSpec *s);
void ipam_spec_done(IpamSpec *s);
int ipam_spec_copy(const IpamSpec *from, IpamSpec *ret); /* ret: zeroed */
int network_spec_copy(const NetworkSpec *from, NetworkSpec *ret);

extern const JsonField
        endpoint_spec_fields[]; /* all, as inspect prints them; `network` is the caller's key */
extern const JsonField endpoint_ipam_fields[];

void endpoint_spec_done(EndpointSpec *e);
