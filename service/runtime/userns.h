/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* User namespaces: the maps, written by the parent as root; the child becomes the namespace's root. */

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct RuntimeIdMapping RuntimeIdMapping;
typedef struct RuntimeLinux RuntimeLinux;

#define ID_MAPPINGS_MAX 340U /* the kernel's limit */

/* Pure: the text of uid_map; empty, overflowing and overlapping mappings are -EINVAL. */
int id_map_format(
        const char *what, const RuntimeIdMapping *maps, size_t n, char **ret, Error *reterr);

int userns_write_maps(const RuntimeLinux *l, pid_t pid, Error *reterr);
/* Child: after the maps are there. */
int userns_become_root(Error *reterr);
