/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* "sysctl" of config.json. Only what belongs to a namespace that the container has for itself; anything else would change the host. */

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct Mounts Mounts;
typedef struct Namespaces Namespaces;

/* Pure: "net.ipv4.ip_forward" or "net/ipv4/ip_forward" to a path below /proc/sys; names with anything else in them, and values with
 * line feeds, are -EINVAL. */
int sysctl_check(
        const Namespaces *n, const char *name, const char *value, char **ret_path, Error *reterr);

int sysctl_apply(char *const *pairs, const Namespaces *n, Mounts *m, Error *reterr);
