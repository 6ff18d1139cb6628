/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the engine says of itself and the host; documents of GET /info and GET /version. api as in view/container-view.h. */

typedef struct Engine Engine;
typedef struct Json Json;

int system_info(Engine *e, unsigned api, Json **ret);
int system_version(Engine *e, unsigned api, Json **ret);
