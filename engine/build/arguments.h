/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What ARG declares. Pure. */

#include <stdbool.h>

#include "engine/build/words.h"
#include "lib/base/error.h"

/* "A B=default …": each gets its value in *scope (KEY=value): what given (KEY=value of --build-arg) says, else the default, else what outer says, the
 * arguments before FROM; without any it is declared and not set: KEY alone is in the scope. asked gets the names. text (or NULL): as the history
 * shows it, "A B=value". */
int arguments_declare(const Words *words, const char *rest, char *const *given, char *const *outer,
        char ***scope, char ***asked, char **ret_text, Error *reterr);

/* HTTP_PROXY and its kin: they need no ARG, are in no history and count in no cache. */
bool argument_is_predefined(const char *name);
