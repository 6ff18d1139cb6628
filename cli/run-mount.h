/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* --mount, --volume and --tmpfs of run and create: docker's grammar into the create body. Pure, but for a source that begins with "." which is taken
 * from the current folder, as the shell would. */

#include "lib/base/error.h"

typedef struct ContainerSpec ContainerSpec;

/* Each adds to spec. ERROR_INVALID with docker's words. */
int run_mount_add(ContainerSpec *spec, const char *value, Error *reterr);
int run_volume_add(ContainerSpec *spec, const char *value, Error *reterr);
int run_tmpfs_add(ContainerSpec *spec, const char *value, Error *reterr);
