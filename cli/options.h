/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One table per command says which options it has; parsing, --help and completion of the text come from the same table. Options go before the
 * command's arguments, as with docker: after the first argument all is the command's own. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef enum OptionKind {
        OPTION_FLAG,   /* --x, --x=false */
        OPTION_STRING, /* the last one wins */
        OPTION_LIST,   /* repeatable */
        OPTION_KEYED,  /* --label K=V, repeatable; same as LIST, other word in the help */
} OptionKind;

typedef struct Option {
        const char *name;
        char letter; /* 0: none */
        OptionKind kind;
        const char *argument; /* word for the help: "string", "bytes", … */
        const char *help;     /* NULL: accepted but not shown */
} Option;

typedef struct Options Options;

/* Parses argv (without the command's name). interspersed: options may also stand between arguments. ERROR_INVALID with docker's words. */
int options_parse(
        const Option *table, char **argv, bool interspersed, Options **ret, Error *reterr);
Options *options_free(Options *o);
DEFINE_CLEANUP(Options *, options_free);

bool options_flag(const Options *o, const char *name);
bool options_given(const Options *o, const char *name);
const char *options_string(const Options *o, const char *name); /* NULL: not given */
char *const *options_list(const Options *o, const char *name);  /* NULL: not given */
bool options_help(const Options *o);                            /* --help or -h was there */

char *const *options_arguments(const Options *o);
size_t options_count(const Options *o);

/* The table as text for --help, under a title. */
void options_print(const char *title, const Option *table);
