/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a container may use, and whether it is started again, as properties named as CreateContainer and systemd name them. They change with the event
 * "update", whether that was asked for here, by REST or by "systemctl set-property" at the scope. */

#include <systemd/sd-bus.h>

/* Of the vtable; userdata: Container. */
int bus_container_get_limit(sd_bus *bus, const char *path, const char *interface,
        const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr);

#define BUS_CONTAINER_LIMIT(name, signature) \
        SD_BUS_PROPERTY(                     \
                name, signature, bus_container_get_limit, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

/* clang-format off */
#define BUS_CONTAINER_LIMITS \
        BUS_CONTAINER_LIMIT("MemoryMax", "t"), \
        BUS_CONTAINER_LIMIT("MemoryLow", "t"), \
        BUS_CONTAINER_LIMIT("MemorySwapMax", "t"), \
        BUS_CONTAINER_LIMIT("CPUQuotaPerSecUSec", "t"), \
        BUS_CONTAINER_LIMIT("CPUShares", "t"), \
        BUS_CONTAINER_LIMIT("AllowedCPUs", "s"), \
        BUS_CONTAINER_LIMIT("AllowedMemoryNodes", "s"), \
        BUS_CONTAINER_LIMIT("TasksMax", "t"), \
        BUS_CONTAINER_LIMIT("BlockIOWeight", "t"), \
        BUS_CONTAINER_LIMIT("RestartPolicy", "s"), \
        BUS_CONTAINER_LIMIT("RestartMaximumRetries", "u")

#define BUS_CONTAINER_LIMIT_NAMES \
        "MemoryMax", "MemoryLow", "MemorySwapMax", "CPUQuotaPerSecUSec", "CPUShares", "AllowedCPUs", "AllowedMemoryNodes", "TasksMax", \
        "BlockIOWeight", "RestartPolicy", "RestartMaximumRetries"
/* clang-format on */
