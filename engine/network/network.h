/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Network that containers join. Owned by Networks. */

#include <stdint.h>

#include "engine/network/driver.h"

struct Network {
        char *id; /* 64 hex digits */
        char *name;
        const NetworkDriver *driver;
        unsigned n_legs; /* containers that are in it now */
};

int network_new(const char *id, const char *name, const NetworkDriver *driver, Network **ret);
Network *network_free(Network *n);
DEFINE_CLEANUP(Network *, network_free);

int network_join(Network *n, const char *container_id, NetworkLeg *ret, Error *reterr);
void network_leave(Network *n, const char *container_id);
