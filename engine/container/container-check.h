/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Is what was asked for a container that can be made here? Fills Docker's defaults, drops what this kernel cannot do with a warning, and
 * refuses the rest with one sentence. Pure: nothing is looked up but what the context holds. */

#include "lib/base/error.h"

typedef struct ContainerSpec ContainerSpec;
typedef struct HostConfig HostConfig;
typedef struct Resources Resources;
typedef struct RestartPolicy RestartPolicy;
typedef struct Settings Settings;
typedef struct SysInfo SysInfo;

typedef struct CheckContext {
        const Settings *settings;
        const SysInfo *sysinfo;
        char ***warnings; /* strv, appended to */
} CheckContext;

/* spec has been merged with the image (container-merge.h). */
int container_check(ContainerSpec *spec, const CheckContext *x, Error *reterr);

/* What makes this wish as good as root on the host, in one word ("privileged", "host-pid", "host-ipc", "host-network", "bind", "device",
 * "capability", "seccomp", "apparmor", "system-paths", "annotation", "cgroup-parent", "host-namespace",
 * "container-namespace"); NULL:
 * nothing. The faces ask polkit with it. */
const char *container_check_privilege(const ContainerSpec *spec);

int check_restart_policy(const RestartPolicy *p, Error *reterr); /* by itself */

/* Parts of it, in files of their own. */
int check_resources(HostConfig *h, const CheckContext *x, Error *reterr);
int check_mounts(ContainerSpec *spec, const CheckContext *x, Error *reterr);
int check_security(ContainerSpec *spec, const CheckContext *x, Error *reterr);

int check_warn(const CheckContext *x, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
