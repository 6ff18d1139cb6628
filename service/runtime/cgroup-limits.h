/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* "resources" of config.json as files of cgroup v2 and their texts. The mapping is pure; cgroup_limits_write() is the only call
 * that touches a cgroup. A limit whose controller is not there is an error, never a silent loss. */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct CgroupLimit CgroupLimit;
typedef struct CgroupLimits CgroupLimits;
typedef struct Error Error;
typedef struct RuntimeResources RuntimeResources;

#define CGROUP_LIMITS_MAX 256U

struct CgroupLimit {
        char *file;  /* "memory.max" */
        char *value; /* "1048576" */
};

struct CgroupLimits {
        CgroupLimit *items; /* in the order in which they must be written */
        size_t n_items;
        size_t n_allocated;
};

int cgroup_limits_plan(const RuntimeResources *r, CgroupLimits *ret, Error *reterr);
void cgroup_limits_done(CgroupLimits *l);

/* Writes all into the cgroup at the fd. */
int cgroup_limits_write(const CgroupLimits *l, int cgroup_fd, Error *reterr);

/* cpu.weight (1 … 10000) for CPU shares (2 … 262144, 0: unset): a curve through the smallest, the default and the greatest
 * value of both scales, as runc has it since 1.3. */
uint64_t cgroup_weight_from_shares(uint64_t shares);
/* io.weight (1 … 10000) for a blkio weight (10 … 1000, 0: unset). */
uint64_t cgroup_io_weight(uint16_t weight);
