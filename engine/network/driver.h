/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A NetworkDriver connects containers to one kind of network. */

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Network Network;
typedef struct NetworkDriver NetworkDriver;
typedef struct NetworkLeg NetworkLeg;

/* What the container's bundle shall say about its network namespace. */
struct NetworkLeg {
        bool host;   /* no namespace of its own: the host's */
        char *netns; /* path of a prepared one; NULL: a new, empty one */
};

struct NetworkDriver {
        const char *name;

        /* The container is about to start. Fills ret. */
        int (*join)(Network *n, const char *container_id, NetworkLeg *ret, Error *reterr);

        /* It has stopped. NULL: nothing to do. */
        void (*leave)(Network *n, const char *container_id);
};

extern const NetworkDriver network_driver_host;
extern const NetworkDriver network_driver_null;

void network_leg_done(NetworkLeg *l);
