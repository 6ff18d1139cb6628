/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Device rules of config.json as a BPF program of type cgroup_device. The rules mean what they meant in the devices controller of
 * cgroup v1: each access bit (read, write, mknod) is decided by the last rule that names the device and that bit, and
 * what no rule names is denied. device_filter_build() is pure. */

#include <linux/bpf.h>
#include <stddef.h>

#include "lib/base/macro.h"

typedef struct DeviceFilter DeviceFilter;
typedef struct Error Error;
typedef struct RuntimeDeviceRule RuntimeDeviceRule;

#define DEVICE_RULES_MAX 1024U

struct DeviceFilter {
        struct bpf_insn *instructions;
        size_t n_instructions; /* 0: everything is allowed, no program is needed */
};

/* The rules, then those for the devices that every container has (null, zero, full, random, urandom, tty, ptmx, pts; mknod of
 * any node), as the specification wants. */
int device_filter_build(const RuntimeDeviceRule *rules, size_t n, DeviceFilter *ret, Error *reterr);
void device_filter_done(DeviceFilter *f);

/* Loads it and attaches it to the cgroup; other programs there, such as systemd's own, stay and are asked too. */
int device_filter_attach(const DeviceFilter *f, int cgroup_fd, Error *reterr);
