/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/update-merge.h"

#include "engine/container/restart-policy.h"
#include "lib/api/container-spec.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"

#define SWAP(a, b)                \
        ({                        \
                typeof(a) _t = a; \
                a = b;            \
                b = _t;           \
        })

static int check_conflicts(const HostConfig *wish, const HostConfig *h, Error *reterr) {
        const Resources *w = &wish->resources, *c = &h->resources;
        const struct {
                bool is;
                const char *text;
        } table[] = {
                { w->nano_cpus > 0 && c->cpu_period > 0,
                        "Conflicting options: Nano CPUs cannot be updated as CPU Period has "
                        "already been set" },
                { w->nano_cpus > 0 && c->cpu_quota > 0,
                        "Conflicting options: Nano CPUs cannot be updated as CPU Quota has "
                        "already been set" },
                { w->cpu_period > 0 && c->nano_cpus > 0,
                        "Conflicting options: CPU Period cannot be updated as NanoCPUs has "
                        "already been set" },
                { w->cpu_quota > 0 && c->nano_cpus > 0,
                        "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already "
                        "been set" },
                { w->memory != 0 && w->memory_swap == 0 && c->memory_swap >= 0 &&
                                w->memory > c->memory_swap,
                        "Memory limit should be smaller than already set memoryswap limit, update "
                        "the memoryswap at the same time" },
                { h->auto_remove && !restart_policy_is_none(&wish->restart_policy),
                        "Restart policy cannot be updated because AutoRemove is enabled for the "
                        "container" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].is)
                        return error_set(reterr, ERROR_CONFLICT, "%s", table[i].text);
        return 0;
}

static void take_number(const int64_t *from, int64_t *to) {
        if (*from != 0)
                *to = *from;
}

static void take_string(char **from, char **to) {
        if (!str_empty(*from))
                SWAP(*from, *to);
}

static void take_throttle(
        ThrottleDevice **from, size_t *n_from, ThrottleDevice **to, size_t *n_to) {
        if (*n_from == 0)
                return;
        SWAP(*from, *to);
        SWAP(*n_from, *n_to);
}

static void take_io(Resources *w, Resources *c) {
        if (w->blkio_weight != 0)
                c->blkio_weight = w->blkio_weight;
        if (w->n_blkio_weight_device > 0) {
                SWAP(w->blkio_weight_device, c->blkio_weight_device);
                SWAP(w->n_blkio_weight_device, c->n_blkio_weight_device);
        }
        take_throttle(&w->blkio_device_read_bps, &w->n_blkio_device_read_bps,
                &c->blkio_device_read_bps, &c->n_blkio_device_read_bps);
        take_throttle(&w->blkio_device_write_bps, &w->n_blkio_device_write_bps,
                &c->blkio_device_write_bps, &c->n_blkio_device_write_bps);
        take_throttle(&w->blkio_device_read_iops, &w->n_blkio_device_read_iops,
                &c->blkio_device_read_iops, &c->n_blkio_device_read_iops);
        take_throttle(&w->blkio_device_write_iops, &w->n_blkio_device_write_iops,
                &c->blkio_device_write_iops, &c->n_blkio_device_write_iops);
}

int update_merge(HostConfig *wish, HostConfig *h, Error *reterr) {
        Resources *w = &wish->resources, *c = &h->resources;
        int r;

        r = check_conflicts(wish, h, reterr);
        if (r < 0)
                return r;

        take_number(&w->cpu_shares, &c->cpu_shares);
        take_number(&w->nano_cpus, &c->nano_cpus);
        take_number(&w->cpu_period, &c->cpu_period);
        take_number(&w->cpu_quota, &c->cpu_quota);
        take_number(&w->cpu_realtime_period, &c->cpu_realtime_period);
        take_number(&w->cpu_realtime_runtime, &c->cpu_realtime_runtime);
        take_number(&w->memory, &c->memory);
        take_number(&w->memory_swap, &c->memory_swap);
        take_number(&w->memory_reservation, &c->memory_reservation);
        take_string(&w->cpuset_cpus, &c->cpuset_cpus);
        take_string(&w->cpuset_mems, &c->cpuset_mems);
        if (w->pids_limit != JSON_NO_INT64)
                c->pids_limit = w->pids_limit;
        take_io(w, c);

        if (!str_empty(wish->restart_policy.name))
                SWAP(wish->restart_policy, h->restart_policy);
        return 0;
}
