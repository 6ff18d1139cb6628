/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/acting-limits.h"

#include <limits.h>
#include <unistd.h>

#include "engine/container/scope.h"
#include "engine/host/cgroup-limits.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"

#define WEIGHT_DEFAULT 100 /* of cpu and io */
#define SHARES_DEFAULT 1024
#define CPUS_MAX       8192U

static int64_t bytes(uint64_t limit) {
        return limit > INT64_MAX ? 0 : (int64_t) limit;
}

/* The kernel has whole pages. */
static bool same_bytes(int64_t a, int64_t b) {
        int64_t page = sysconf(_SC_PAGESIZE);

        return a / page == b / page;
}

static int take_memory(const CgroupLimits *now, Resources *c) {
        int64_t memory = c->memory, swap = -1; /* beside the memory; -1: as much as there is */
        int changed = 0;

        if (now->memory_max != CGROUP_LIMIT_UNKNOWN && !same_bytes(bytes(now->memory_max), memory))
                memory = bytes(now->memory_max);
        if (c->memory > 0 && c->memory_swap >= c->memory)
                swap = c->memory_swap - c->memory;
        if (now->swap_max == CGROUP_LIMIT_NONE)
                swap = -1;
        else if (now->swap_max != CGROUP_LIMIT_UNKNOWN &&
                 (swap < 0 || !same_bytes(bytes(now->swap_max), swap)))
                swap = bytes(now->swap_max);

        /* Without a limit of memory Docker has no words for one of swap. */
        if (memory == 0)
                swap = c->memory_swap == -1 ? -1 : 0;
        else if (swap >= 0 && ADD_OVERFLOWS(memory, swap, &swap))
                swap = -1;
        else if (swap < 0 && c->memory > 0 && c->memory_swap == 0)
                swap = 0; /* "as much as there is" has two spellings */
        if (memory != c->memory || swap != c->memory_swap) {
                c->memory = memory;
                c->memory_swap = swap;
                changed = 1;
        }
        if (now->memory_low != CGROUP_LIMIT_UNKNOWN &&
                !same_bytes(bytes(now->memory_low), c->memory_reservation)) {
                c->memory_reservation = bytes(now->memory_low);
                changed = 1;
        }
        return changed;
}

/* µs of CPU in a second; CGROUP_LIMIT_NONE: any. */
static uint64_t quota_of(const CgroupLimits *now) {
        if (now->cpu_quota_usec == CGROUP_LIMIT_NONE || now->cpu_period_usec == 0)
                return CGROUP_LIMIT_NONE;
        return now->cpu_quota_usec * USEC_PER_SEC / now->cpu_period_usec;
}

static bool same_quota(uint64_t a, uint64_t b, uint64_t period) {
        uint64_t step = USEC_PER_SEC / MAX(period, UINT64_C(1)) + 1; /* what rounding may cost */

        if (a == CGROUP_LIMIT_NONE || b == CGROUP_LIMIT_NONE)
                return a == b;
        return (a > b ? a - b : b - a) <= step;
}

static int take_quota(const CgroupLimits *now, unsigned n_cpus, Resources *c) {
        uint64_t all = n_cpus * USEC_PER_SEC, quota, wish;

        if (now->cpu_quota_usec == CGROUP_LIMIT_UNKNOWN ||
                now->cpu_period_usec >= CGROUP_LIMIT_UNKNOWN)
                return 0;
        quota = quota_of(now);
        wish = scope_cpu_quota(c, NULL);
        if (wish == 0)
                wish = CGROUP_LIMIT_NONE;
        if (same_quota(quota, wish, now->cpu_period_usec))
                return 0;

        if (quota != CGROUP_LIMIT_NONE && (c->cpu_quota > 0 || c->cpu_period > 0)) {
                c->cpu_quota = (int64_t) now->cpu_quota_usec;
                c->cpu_period = (int64_t) now->cpu_period_usec;
                return 1;
        }
        if (quota != CGROUP_LIMIT_NONE && quota > all)
                quota = all; /* Docker takes no more than there are */
        if (quota != CGROUP_LIMIT_NONE && same_quota(quota, wish, now->cpu_period_usec))
                return 0;
        c->cpu_quota = 0;
        c->nano_cpus = quota == CGROUP_LIMIT_NONE ? 0 : (int64_t) (quota * 1000);
        return 1;
}

static int take_weights(const CgroupLimits *now, Resources *c) {
        int changed = 0;

        if (now->cpu_weight < CGROUP_LIMIT_UNKNOWN &&
                now->cpu_weight !=
                        (c->cpu_shares > 0 ? scope_cpu_weight(c->cpu_shares) : WEIGHT_DEFAULT)) {
                c->cpu_shares = scope_cpu_shares(now->cpu_weight);
                changed = 1;
        }
        if (now->io_weight < CGROUP_LIMIT_UNKNOWN) {
                uint16_t weight = scope_blkio_weight(now->io_weight);

                if (weight != (c->blkio_weight > 0 ? c->blkio_weight
                                                   : scope_blkio_weight(WEIGHT_DEFAULT))) {
                        c->blkio_weight = weight;
                        changed = 1;
                }
        }
        return changed;
}

static int take_tasks(const CgroupLimits *now, Resources *c) {
        int64_t wish = c->pids_limit != JSON_NO_INT64 && c->pids_limit > 0 ? c->pids_limit : 0;
        int64_t tasks = bytes(now->tasks_max);

        if (now->tasks_max == CGROUP_LIMIT_UNKNOWN)
                return 0;
        if (tasks == wish || (wish > 0 && tasks == wish + SCOPE_TASKS_OF_OURS))
                return 0; /* as somebody set it, or as we do */
        c->pids_limit = tasks > 0 ? tasks : JSON_NO_INT64;
        return 1;
}

/* "" is none. Negative: not a list. */
static int set_of(const char *list, uint8_t set[static CPUS_MAX / 8]) {
        memset(set, 0, CPUS_MAX / 8);
        return str_empty(list) ? 0 : parse_cpu_set(list, CPUS_MAX, set);
}

static int take_list(const char *now, char **list) {
        uint8_t a[CPUS_MAX / 8], b[CPUS_MAX / 8];
        int r;

        if (!now || set_of(now, a) < 0)
                return 0;
        if (set_of(*list, b) >= 0 && memcmp(a, b, sizeof(a)) == 0)
                return 0;
        r = str_copy(list, now);
        return r < 0 ? r : 1;
}

int acting_limits_take(const CgroupLimits *now, unsigned n_cpus, Resources *c) {
        int changed, r;

        assert(now);
        assert(c);

        changed = take_memory(now, c);
        changed |= take_quota(now, n_cpus, c);
        changed |= take_weights(now, c);
        changed |= take_tasks(now, c);
        r = take_list(now->cpus, &c->cpuset_cpus);
        if (r < 0)
                return r;
        changed |= r;
        r = take_list(now->memory_nodes, &c->cpuset_mems);
        return r < 0 ? r : changed | r;
}
