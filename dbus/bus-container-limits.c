/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-container-limits.h"

#include <errno.h>
#include <string.h>

#include "engine/container/container.h"
#include "lib/api/container-spec.h"
#include "lib/base/clock.h"
#include "lib/base/macro.h"
#include "lib/base/str.h"

#define CPU_PERIOD_USEC UINT64_C(100000) /* the kernel's own */

/* Docker: 0, -1 or not given. */
static uint64_t limit(int64_t n) {
        return n > 0 ? (uint64_t) n : UINT64_MAX;
}

static uint64_t get_memory_max(const Resources *c) {
        return limit(c->memory);
}

static uint64_t get_memory_low(const Resources *c) {
        return (uint64_t) MAX(c->memory_reservation, INT64_C(0));
}

/* systemd counts swap alone, Docker memory and swap together. */
static uint64_t get_swap_max(const Resources *c) {
        return c->memory > 0 && c->memory_swap >= c->memory
                     ? (uint64_t) (c->memory_swap - c->memory)
                     : UINT64_MAX;
}

static uint64_t get_cpu_quota(const Resources *c) {
        uint64_t period = c->cpu_period > 0 ? (uint64_t) c->cpu_period : CPU_PERIOD_USEC;

        if (c->nano_cpus > 0)
                return (uint64_t) (c->nano_cpus / NSEC_PER_USEC);
        return c->cpu_quota > 0 ? (uint64_t) c->cpu_quota * USEC_PER_SEC / period : UINT64_MAX;
}

static uint64_t get_cpu_shares(const Resources *c) {
        return (uint64_t) MAX(c->cpu_shares, INT64_C(0));
}

static uint64_t get_tasks_max(const Resources *c) {
        return limit(c->pids_limit);
}

static uint64_t get_io_weight(const Resources *c) {
        return c->blkio_weight;
}

static const struct {
        const char *name;
        uint64_t (*get)(const Resources *c);
} numbers[] = {
        { "MemoryMax", get_memory_max },
        { "MemoryLow", get_memory_low },
        { "MemorySwapMax", get_swap_max },
        { "CPUQuotaPerSecUSec", get_cpu_quota },
        { "CPUShares", get_cpu_shares },
        { "TasksMax", get_tasks_max },
        { "BlockIOWeight", get_io_weight },
};

int bus_container_get_limit(sd_bus *bus, const char *path, const char *interface,
        const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        const Container *c = userdata;
        const HostConfig *h = &c->spec.host;

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                if (streq(property, numbers[i].name))
                        return sd_bus_message_append(reply, "t", numbers[i].get(&h->resources));
        if (streq(property, "AllowedCPUs"))
                return sd_bus_message_append(reply, "s", str_or_empty(h->resources.cpuset_cpus));
        if (streq(property, "AllowedMemoryNodes"))
                return sd_bus_message_append(reply, "s", str_or_empty(h->resources.cpuset_mems));
        if (streq(property, "RestartPolicy"))
                return sd_bus_message_append(reply, "s", str_or_empty(h->restart_policy.name));
        if (streq(property, "RestartMaximumRetries"))
                return sd_bus_message_append(
                        reply, "u", (uint32_t) MAX(h->restart_policy.maximum_retry_count, 0));
        return -ENOENT;
}
