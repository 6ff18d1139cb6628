/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Methods of the Container interface that change its life; the table is in bus-container.c. userdata: Container. */

#include <systemd/sd-bus.h>

int bus_container_start(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_stop(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_stop_with_signal(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_restart(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_kill(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_pause(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_unpause(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_rename(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_update(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_top(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
/* userdata: Engine */
int bus_manager_prune_containers(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_wait(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_remove(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
