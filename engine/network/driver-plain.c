/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/driver.h"

/* The two networks that need nothing done: the host's own namespace, and an empty one. */

static int host_join(Network *n, const char *container_id, NetworkLeg *ret, Error *reterr) {
        *ret = (NetworkLeg) { .host = true };
        return 0;
}

static int null_join(Network *n, const char *container_id, NetworkLeg *ret, Error *reterr) {
        *ret = (NetworkLeg) {};
        return 0;
}

const NetworkDriver network_driver_host = {
        .name = "host",
        .join = host_join,
};

const NetworkDriver network_driver_null = {
        .name = "null",
        .join = null_join,
};
