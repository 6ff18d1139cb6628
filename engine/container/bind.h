/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The words of docker's -v: SOURCE:TARGET[:OPTIONS]. Pure; fuzzed. */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct Bind {
        char *source;      /* absolute, normalised; or the name of a volume */
        char *target;      /* absolute, normalised */
        char *mode;        /* the option words as they were given */
        char *propagation; /* rprivate unless asked */
        bool read_only;
        bool is_volume;
        bool no_copy; /* "nocopy" */
} Bind;

/* 'invalid volume specification: …' and its kin. */
int bind_parse(const char *text, Bind *ret, Error *reterr);
void bind_done(Bind *b);

bool bind_propagation_is_valid(const char *word);

/* A path inside of a container: absolute, without control characters, not "/". */
int bind_check_target(const char *path, Error *reterr);
