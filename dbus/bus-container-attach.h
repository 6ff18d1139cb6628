/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Methods of the Container interface about its streams; the table is in bus-container.c. userdata: Container. */

#include <systemd/sd-bus.h>

int bus_container_attach(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_resize(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
