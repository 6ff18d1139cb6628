/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/container only: what a container asks of networks, spec.endpoints. */

#include "engine/container/container.h"
#include "engine/network/ipam.h"
#include "engine/network/network.h"
#include "engine/network/sandbox.h"

SandboxWish container_network_wish(const Container *c);                      /* borrowed from c */
EndpointSpec *container_endpoint_spec(const Container *c, const Network *n); /* NULL: not asked */
int container_add_endpoint_spec(Container *c, const EndpointSpec *wish, const Network *n);
void container_remove_endpoint_spec(Container *c, EndpointSpec *e);
int container_endpoint_addresses(const Endpoint *e, char ***ret); /* adds those that it has */
/* ERROR_INVALID, Docker's words. */
int container_check_endpoint(const EndpointSpec *e, const Network *n, Error *reterr);
