/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Values of the properties of CreateContainer. Each reads what a variant holds, at its content, into a field of a ContainerSpec: the member itself, or
 * the struct that holds the list. -ERANGE: the number is too large; -EINVAL: none of the words
 * that it may be. */

#include <systemd/sd-bus.h>

int spec_read_string(sd_bus_message *m, void *field);
int spec_read_strv(sd_bus_message *m, void *field);
int spec_read_pairs(sd_bus_message *m, void *field);
int spec_read_bool(sd_bus_message *m, void *field);
int spec_read_switch(sd_bus_message *m, void *field);
int spec_read_int(sd_bus_message *m, void *field);
int spec_read_devices(sd_bus_message *m, void *field);
int spec_read_limit(sd_bus_message *m, void *field);
int spec_read_cpu_quota(sd_bus_message *m, void *field);
int spec_read_seconds(sd_bus_message *m, void *field);
int spec_read_ulimits(sd_bus_message *m, void *field);
int spec_read_health_command(sd_bus_message *m, void *field);
int spec_read_health_shell(sd_bus_message *m, void *field);
int spec_read_health_retries(sd_bus_message *m, void *field);
int spec_read_count(sd_bus_message *m, void *field);
int spec_read_on_unhealthy(sd_bus_message *m, void *field);
int spec_read_size(sd_bus_message *m, void *field);
int spec_read_weight(sd_bus_message *m, void *field);
int spec_read_mounts(sd_bus_message *m, void *field);
int spec_read_ports(sd_bus_message *m, void *field);
int spec_read_health_interval(sd_bus_message *m, void *field);
int spec_read_health_timeout(sd_bus_message *m, void *field);
int spec_read_health_start_period(sd_bus_message *m, void *field);
int spec_read_health_start_interval(sd_bus_message *m, void *field);
int spec_read_read_bandwidth(sd_bus_message *m, void *field);
int spec_read_write_bandwidth(sd_bus_message *m, void *field);
int spec_read_read_iops(sd_bus_message *m, void *field);
int spec_read_write_iops(sd_bus_message *m, void *field);
