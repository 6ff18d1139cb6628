/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/driver.h"

#include <stddef.h>
#include <stdlib.h>

/* The two networks that need nothing done: the host's own namespace, and an empty one. */

const NetworkDriver network_driver_host = {
        .name = "host",
};

const NetworkDriver network_driver_null = {
        .name = "null",
};

void network_leg_done(NetworkLeg *l) {
        free(l->netns);
        *l = (NetworkLeg) {};
}
