/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The methods of a container that are about its files. Internal to dbus/. */

#include <systemd/sd-bus.h>

int bus_container_stat_path(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_copy_from(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_copy_to(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_export(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_changes(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_commit(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
