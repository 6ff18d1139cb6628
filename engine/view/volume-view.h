/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Volume → the document that both faces show. */

#include <stdbool.h>

typedef struct Json Json;
typedef struct Volume Volume;

/* usage: with UsageData, as it was last measured. */
int volume_view(const Volume *v, bool usage, Json **ret);
