/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A BusClient is a peer on the bus that asked to be sent something: we are told when it leaves, so that nothing is made for nobody. */

#include <systemd/sd-bus.h>

#include "lib/base/macro.h"

typedef struct BusClient BusClient;

/* name: the unique name of the peer. on_gone: once, never out of this call; may free the client. */
int bus_client_new(sd_bus *bus, const char *name, void (*on_gone)(void *userdata), void *userdata,
        BusClient **ret);
BusClient *bus_client_free(BusClient *c);
DEFINE_CLEANUP(BusClient *, bus_client_free);

const char *bus_client_name(const BusClient *c);
