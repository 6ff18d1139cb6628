/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the user said, completed by what the image says. Pure. */

#include "lib/base/error.h"

typedef struct ContainerConfig ContainerConfig;
typedef struct ImageRunConfig ImageRunConfig;

/* Env by key, Cmd dropped when an Entrypoint is given, unions of ports, volumes and labels, the rest where c has nothing.
 * -ENOMEM only. */
int container_merge(ContainerConfig *c, const ImageRunConfig *image);
