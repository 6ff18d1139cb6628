/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The documents of networks, and what a container's documents say of them. */

#include <stdbool.h>

typedef struct Container Container;
typedef struct Json Json;
typedef struct Network Network;

/* An item of GET /networks; with containers that of GET /networks/ID. */
int network_view(const Network *n, bool containers, unsigned api, Json **ret);

/* NetworkSettings.Networks. */
int container_view_set_networks(Json *settings, const Container *c, unsigned api);
/* NetworkSettings of inspect. */
int container_view_set_network_settings(Json *v, const Container *c, unsigned api);
/* Ports of a row of the list. */
int container_view_set_ports(Json *v, const Container *c);
