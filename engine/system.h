/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the engine says of itself and the host; documents of GET /info, GET /version and GET /system/df. api as in view/container-view.h. */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct Engine Engine;
typedef struct Json Json;
typedef struct Pending Pending;

int system_info(Engine *e, unsigned api, Json **ret);
int system_version(Engine *e, unsigned api, Json **ret);

typedef enum SystemUsage {
        SYSTEM_USAGE_CONTAINERS = 1 << 0,
        SYSTEM_USAGE_IMAGES = 1 << 1,
        SYSTEM_USAGE_VOLUMES = 1 << 2,
        SYSTEM_USAGE_BUILD_CACHE = 1 << 3,
        SYSTEM_USAGE_ALL = (1 << 4) - 1,
} SystemUsage;

/* Docker's words: container, image, volume, build-cache; none means all. ERROR_INVALID "unknown object type: x". */
int system_usage_parse(char *const *words, SystemUsage *ret, Error *reterr);
/* Has measured what takes time (the containers) when p is completed; its result is NULL. Callers share what is under way. */
int system_usage_measure(Engine *e, SystemUsage what, Pending *p, Error *reterr);
/* The document, with sizes as they were last measured. */
int system_usage(Engine *e, unsigned api, SystemUsage what, Json **ret);
