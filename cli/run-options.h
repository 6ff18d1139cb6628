/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The options of `run` and `create` and the create body they make: exactly what docker's own client sends, so that the engine sees no difference. */

#include "cli/options.h"
#include "lib/base/error.h"

typedef struct ContainerSpec ContainerSpec;
typedef struct Json Json;

extern const Option run_options[];
extern const Option create_options[];

/* Fills spec (made by container_spec_init()) from the options and arguments (IMAGE [COMMAND…]). Errors in docker's words: a wrong word begins with
 * "invalid argument", what does not fit together with "program: ". */
int run_options_spec(const Options *o, const char *program, ContainerSpec *spec, Error *reterr);
/* With null, [] and {} where docker's client has them. */
int run_options_body(const ContainerSpec *spec, Json **ret, Error *reterr);
