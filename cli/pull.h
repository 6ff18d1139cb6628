/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* POST /images/create with what is known of the registry's credentials, and the engine's rows as docker shows them: on a terminal a line for each layer,
 * which changes in place; else a line for each change of state. */

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/error.h"

typedef struct ClientConfig ClientConfig;
typedef struct PullWish PullWish;
typedef struct RestClient RestClient;

struct PullWish {
        const char *image; /* as the user wrote it */
        const char *platform;
        bool all_tags; /* image has neither tag nor digest */
        bool quiet;
        FILE *out;
};

/* An error in the stream is an Error. */
int pull_image(RestClient *c, const ClientConfig *config, const PullWish *wish, Error *reterr);
