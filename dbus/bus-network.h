/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of networks share: paths, polkit, and the typed properties. */

#include <systemd/sd-bus.h>

#include "dbus/bus-auth.h"
#include "lib/api/network-spec.h"
#include "lib/base/error.h"

typedef struct Network Network;

int bus_network_path(const Network *n, char **ret);
int bus_network_auth(sd_bus_message *m, AuthAction action, const Network *n, sd_bus_error *reterr);

/* a{sv} of CreateNetwork, of ConnectNetwork. ERROR_INVALID: an unknown property, or one of another type. ret is sound after errors. */
int bus_read_network(sd_bus_message *m, NetworkSpec *ret, Error *reterr);
int bus_read_endpoint(sd_bus_message *m, EndpointSpec *ret, Error *reterr);
