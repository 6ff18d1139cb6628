/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The pull before a create: what the engine tells of it goes to stderr. */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct RestClient RestClient;

/* image: as the user wrote it; platform may be NULL. An error in the stream is an Error. */
int pull_image(RestClient *c, const char *image, const char *platform, bool quiet, Error *reterr);
