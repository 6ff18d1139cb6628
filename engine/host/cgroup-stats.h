/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a container uses now, in the detail that Docker's stats have: figures of its own cgroup, limits and what they caused of the scope
 * that encloses it (systemd sets them there; of processes the lower limit of both). As with Docker a figure that the kernel does not give (no such controller) is 0. */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct CgroupDevice {
        uint64_t major;
        uint64_t minor;
        uint64_t read_bytes;
        uint64_t write_bytes;
        uint64_t reads;
        uint64_t writes;
} CgroupDevice;

/* Lines of memory.stat, in the order of cgroup_memory_keys. */
#define CGROUP_MEMORY_KEYS 31

typedef struct CgroupStats {
        uint64_t cpu_usage_nsec;
        uint64_t cpu_user_nsec;
        uint64_t cpu_system_nsec;
        uint64_t cpu_periods;
        uint64_t cpu_throttled_periods;
        uint64_t cpu_throttled_nsec;
        uint64_t memory_current;
        uint64_t memory_limit; /* UINT64_MAX: none */
        uint64_t memory_failures;
        uint64_t memory[CGROUP_MEMORY_KEYS];
        uint64_t pids_current;
        uint64_t pids_limit; /* UINT64_MAX: none */
        CgroupDevice *devices;
        size_t n_devices;
} CgroupStats;

extern const char *const cgroup_memory_keys[CGROUP_MEMORY_KEYS];
uint64_t cgroup_stats_memory(const CgroupStats *s, const char *key); /* 0: unknown key */

/* scope, own: absolute, of the folders. 0, -ENOENT when own is not there (any more), -ENOMEM. Some dozen short reads. */
int cgroup_stats_read(const char *scope, const char *own, CgroupStats *ret);
void cgroup_stats_done(CgroupStats *s);

/* CPU time of the whole host, user to steal time, and how many CPUs there are. */
typedef struct HostCpu {
        uint64_t busy_nsec;
        unsigned n_cpus;
} HostCpu;

void host_cpu_read(HostCpu *ret); /* 0 where nobody can tell */

/* Pure halves. */
void host_cpu_parse(const char *text, uint64_t ticks_per_second, HostCpu *ret); /* of /proc/stat */
void cgroup_stats_parse_memory(const char *text, CgroupStats *s);
int cgroup_stats_parse_io(const char *text, CgroupStats *s);
