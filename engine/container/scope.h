/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What was asked for becomes properties of the container's scope (DESIGN.md 6). Pure. */

#include <stdint.h>

#include "lib/base/error.h"

typedef struct ContainerSpec ContainerSpec;
typedef struct Resources Resources;
typedef struct UnitProperties UnitProperties;

typedef struct ScopeInput {
        const char *id;
        const char *name; /* without slash */
        const char *image;
        const ContainerSpec *spec;
        const char *slice; /* of the daemon's options; the container's own wins */
        uint32_t monitor_pid;
        char *const *device_rules; /* what the monitor found its devices to be: "c 1:11 rwm" */
} ScopeInput;

int scope_make(const ScopeInput *in, UnitProperties *ret);
int scope_describe(const ScopeInput *in, UnitProperties *p); /* Description, added to p */

/* The limits alone, for SetUnitProperties: also what is unlimited again. */
int scope_make_limits(const Resources *c, UnitProperties *p);

/* The slice of a container: its CgroupParent or the daemon's. */
const char *scope_slice(const ContainerSpec *spec, const char *slice);

/* "machine.slice/docker-ID.scope"; "a-b.slice" lies in "a.slice". */
int scope_cgroup_path(const char *slice, const char *id, char **ret);

/* Docker's shares (2 … 262144) to cgroup v2's weight (1 … 10000), as runc does since 1.3: shares 1024 is weight 100. */
uint64_t scope_cpu_weight(int64_t shares);
/* The most shares that weigh so much; 1024 for what nobody set. */
int64_t scope_cpu_shares(uint64_t weight);
/* µs of CPU in a second (0: no limit) and the period in µs (ret_period may be NULL). */
uint64_t scope_cpu_quota(const Resources *c, uint64_t *ret_period);
/* The monitor and, for moments, the runtime with its threads are in the scope too: it gets so many tasks more than what runs inside. */
#define SCOPE_TASKS_OF_OURS 64
/* Weight of blkio (10 … 1000) to IOWeight (1 … 10000), as runc does. */
uint64_t scope_io_weight(uint16_t weight);
/* The nearest there is, the other way round. */
uint16_t scope_blkio_weight(uint64_t io_weight);
