/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Names of containers: what is allowed, and ones made up from words of the harbour. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

/* Without the leading slash, which is cut. "Invalid container name (X), only [a-zA-Z0-9]…". ret points into name. */
int names_check(const char *name, const char **ret, Error *reterr);

/* adjective_noun out of random bits; attempt > 0 appends a digit. */
int names_make(uint64_t random, unsigned attempt, char **ret);

#define NAMES_ATTEMPTS 6U /* after that the short id is the name */
