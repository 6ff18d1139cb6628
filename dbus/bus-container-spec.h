/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The typed properties of CreateContainer (a{sv}) → ContainerSpec, by one table. Limits have systemd's names and units. */

#include <systemd/sd-bus.h>

typedef struct ContainerSpec ContainerSpec;
typedef struct Error Error;

/* Reads an a{sv} at m's position. spec must be made by container_spec_init(). ERROR_INVALID for an unknown name or another type. */
int bus_read_container_spec(sd_bus_message *m, ContainerSpec *spec, Error *reterr);
