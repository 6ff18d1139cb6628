/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Event → document of GET /events, and the filters of that. */

#include <stdbool.h>

typedef struct Event Event;
typedef struct Filter Filter;
typedef struct Json Json;

int event_view(const Event *e, unsigned api, Json **ret);

extern const char *const event_filter_keys[];
bool event_matches(const Event *e, const Filter *f);
