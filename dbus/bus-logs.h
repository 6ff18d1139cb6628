/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A container's log as a pipe: the reader's messages are written to it from the loop for as long as the other side reads. Lives by itself; ends with
 * the log, with the container, or when the other side closes. */

#include <systemd/sd-bus.h>

/* Container.GetLogs; userdata: Container */
int bus_container_get_logs(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
