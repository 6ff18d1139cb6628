/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What inspect and the list row of a container have in common. */

typedef struct Container Container;
typedef struct Json Json;

int container_view_set_mounts(Json *v, const Container *c);
