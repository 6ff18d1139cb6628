/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The limits that one cgroup v2 folder has now, whoever wrote them. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/macro.h"

#define CGROUP_LIMIT_NONE    UINT64_MAX       /* "max" */
#define CGROUP_LIMIT_UNKNOWN (UINT64_MAX - 1) /* no such file: nobody enforces it */

typedef struct CgroupLimits {
        uint64_t memory_max; /* bytes, in whole pages; so are the two below */
        uint64_t memory_low;
        uint64_t swap_max;
        uint64_t cpu_weight;
        uint64_t cpu_quota_usec;
        uint64_t cpu_period_usec;
        uint64_t io_weight; /* the default one */
        uint64_t tasks_max;
        char *cpus; /* "0-3,5"; "": as its parent; NULL: unknown */
        char *memory_nodes;
} CgroupLimits;

/* path: absolute, of the folder. What is not there is unknown. Ended by cgroup_limits_done(). */
void cgroup_read_limits(const char *path, CgroupLimits *ret);
void cgroup_limits_done(CgroupLimits *l);

/* Whether this file of a cgroup's folder is one of those read here. */
bool cgroup_is_limit_file(const char *name);
