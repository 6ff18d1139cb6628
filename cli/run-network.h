/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* --network in both of its forms and the options that belong to the first network. Pure. */

#include <stddef.h>

#include "lib/base/error.h"

typedef struct ContainerSpec ContainerSpec;
typedef struct EndpointSpec EndpointSpec;
typedef struct Options Options;

typedef struct RunNetworks {
        EndpointSpec *list;
        size_t n;
} RunNetworks;

void run_networks_done(RunNetworks *n);
/* One --network: "NAME", or "name=NAME,alias=…,ip=…,ip6=…,link-local-ip=…,mac-address=…,driver-opt=K=V,gw-priority=N". */
int run_network_add(RunNetworks *n, const char *value, Error *reterr);
/* Adds what --ip and its like say to the first, checks all, and moves them to spec. */
int run_networks_finish(RunNetworks *n, const Options *o, ContainerSpec *spec, Error *reterr);
