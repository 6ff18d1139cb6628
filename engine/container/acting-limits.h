/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the kernel enforces, in Docker's words: limits that somebody changed at the scope (systemctl set-property) are those of the
 * container from then on. Pure. */

#include "lib/base/error.h"

typedef struct CgroupLimits CgroupLimits;
typedef struct Resources Resources;

/* 1: c did not say so, and does now; 0: it says so already, as closely as its words can (the kernel has whole pages, Docker's
 * shares and weights are other scales). What is unknown, and what no field of Docker can say, stays. n_cpus: more than all of them is
 * all of them. */
int acting_limits_take(const CgroupLimits *now, unsigned n_cpus, Resources *c);
