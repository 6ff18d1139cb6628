/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/container only: what a container asks of networks, spec.endpoints. */

#include "engine/container/container.h"
#include "engine/network/ipam.h"
#include "engine/network/network.h"
#include "engine/network/sandbox.h"

SandboxWish container_network_wish(const Container *c);                      /* borrowed from c */
EndpointSpec *container_endpoint_spec(const Container *c, const Network *n); /* NULL: not asked */
/* By the name or id that it had: for a network that is not there. NULL: not asked. */
EndpointSpec *container_endpoint_named(const Container *c, const char *network);
/* wish NULL: nothing but the network. network_id NULL: it is not there yet. */
int container_add_endpoint_spec(
        Container *c, const EndpointSpec *wish, const char *network, const char *network_id);
void container_remove_endpoint_spec(Container *c, EndpointSpec *e);
int container_endpoint_addresses(const Endpoint *e, char ***ret); /* adds those that it has */
/* ERROR_INVALID, Docker's words. */
int container_check_endpoint(const EndpointSpec *e, const Network *n, Error *reterr);
