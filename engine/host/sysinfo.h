/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What this host's kernel can do, probed once at start. Owned by Engine, never changes afterwards. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct SysInfo SysInfo;

struct SysInfo {
        bool cgroup_v2; /* the unified hierarchy is what is at /sys/fs/cgroup */
        bool has_cpu;   /* controllers that a scope can have */
        bool has_cpuset;
        bool has_memory;
        bool has_swap; /* memory.swap.max */
        bool has_io;
        bool has_io_weight;
        bool has_pids;
        bool has_seccomp;
        bool has_apparmor;
        bool has_selinux;
        bool ipv4_forwarding;
        unsigned n_cpus; /* online */
        uint64_t memory_total;
        char *cpus;               /* list of online CPUs, "0-3" */
        char *mems;               /* the same of memory nodes */
        unsigned kernel[2];       /* 6.1 */
        unsigned last_capability; /* the highest number this kernel knows */
        char **thermal_throttle;  /* folders in /sys that a container must not see */
        char *kernel_version;     /* uname -r */
        char *architecture;       /* uname -m */
        char *hostname;
        char *os_name; /* PRETTY_NAME */
        char *os_version;
        char *boot_id;
};

/* root: "" for the host; tests have a tree of their own below it. Missing files mean "cannot". */
int sysinfo_new(const char *root, SysInfo **ret);
SysInfo *sysinfo_free(SysInfo *s);
DEFINE_CLEANUP(SysInfo *, sysinfo_free);

/* Go's name of the architecture: amd64, arm64; NULL without one. */
const char *sysinfo_go_architecture(const SysInfo *s);
