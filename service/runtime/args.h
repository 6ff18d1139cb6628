/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Command lines as callers of runc and crun write them: options may stand before and after the container id, as --name value,
 * --name=value and -n value; "--" ends them. One table per command. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/macro.h"

typedef struct Arg Arg;
typedef struct Error Error;

typedef enum ArgType {
        ARG_FLAG,         /* bool; --name, --name=false */
        ARG_STRING,       /* const char * */
        ARG_UNSIGNED,     /* unsigned */
        ARG_STRV,         /* char **, one string for each time it is given */
        ARG_IGNORED,      /* known to others, without meaning here; takes a value */
        ARG_IGNORED_FLAG, /* the same, without a value of its own word */
} ArgType;

struct Arg {
        const char *name;
        char letter; /* 0: none */
        ArgType type;
        void *value;
};

/* words gets the other words, at least min and at most max of them, NULL-terminated (room for max + 1). */
int args_parse(
        char **argv, const Arg *table, const char **words, size_t min, size_t max, Error *reterr);
/* Only what stands before the first other word: gives its place in argv (or that of the final NULL). */
int args_parse_leading(char **argv, const Arg *table, char ***ret_rest, Error *reterr);
