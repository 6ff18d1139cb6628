/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One table per command says which options it has; parsing, --help and completion of the text come from the same table. Options may stand between
 * arguments, except where what follows the first argument is another program's (run IMAGE COMMAND -x). Names are never abbreviated. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef enum OptionKind {
        OPTION_FLAG,    /* --x, --x=false */
        OPTION_STRING,  /* the last one wins */
        OPTION_INT,     /* the same, a decimal int64_t */
        OPTION_BYTES,   /* the same, a size with a unit; -1 for what may be unlimited */
        OPTION_DECIMAL, /* the same, "1.5" */
        OPTION_LIST,    /* repeatable */
        OPTION_KEYED,   /* --label K=V, repeatable; same as LIST, other word in the help */
        OPTION_STRINGS, /* repeatable, and each cut at commas */
        OPTION_FILTER,  /* repeatable, key=value */
} OptionKind;

typedef struct Option {
        const char *name;
        char letter; /* 0: none */
        OptionKind kind;
        const char *argument; /* word for the help: "string", "bytes", … */
        const char *help;     /* NULL: accepted but not shown */
        const char *
                otherwise; /* what the help says about the default: "\"missing\"", "-1"; NULL: nothing */
} Option;

typedef struct Options Options;

/* Parses argv (without the command's name). interspersed: options may also stand between arguments. ERROR_INVALID with docker's words. */
int options_parse(
        const Option *table, char **argv, bool interspersed, Options **ret, Error *reterr);
Options *options_free(Options *o);
DEFINE_CLEANUP(Options *, options_free);

bool options_flag(const Options *o, const char *name);
/* The same with what counts when it was not given. */
bool options_flag_or(const Options *o, const char *name, bool otherwise);
bool options_given(const Options *o, const char *name);
const char *options_string(const Options *o, const char *name);             /* NULL: not given */
int64_t options_int(const Options *o, const char *name, int64_t otherwise); /* of OPTION_INT */
char *const *options_list(const Options *o, const char *name);              /* NULL: not given */
bool options_help(const Options *o); /* --help or -h was there */

char *const *options_arguments(const Options *o);
size_t options_count(const Options *o);

const Option *options_find(const Option *table, const char *name);

/* The table as text for --help, under a title, wrapped at width columns. */
void options_print(const char *title, const Option *table, unsigned width);
