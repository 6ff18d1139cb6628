/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reads the figures of one cgroup v2 folder. A file that is not there (no such controller) gives UINT64_MAX. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct CgroupFigures {
        uint64_t cpu_usage_nsec;
        uint64_t cpu_user_nsec;
        uint64_t cpu_system_nsec;
        uint64_t memory_current;
        uint64_t memory_peak;
        uint64_t io_read_bytes;
        uint64_t io_write_bytes;
        uint64_t io_read_operations;
        uint64_t io_write_operations;
        uint64_t pids_current;
        uint64_t pids_peak;
        uint64_t oom_kills;
} CgroupFigures;

/* path: absolute, of the folder. Missing folder: all unknown. */
void cgroup_read(const char *path, CgroupFigures *ret);

/* All processes in it and in those below, sorted. -ENOENT: no such cgroup. */
int cgroup_read_pids(const char *path, pid_t **ret, size_t *ret_n);

/* Pure halves. */
uint64_t cgroup_parse_keyed(
        const char *text, const char *key); /* "usage_usec 12": UINT64_MAX when it is not there */
void cgroup_parse_io(const char *text, CgroupFigures *ret); /* io.stat: sums over all devices */
