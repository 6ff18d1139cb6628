/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Regular expressions (POSIX, extended) of somebody whom we do not trust. */

#include <stddef.h>

#define PATTERN_MAX      256U   /* characters */
#define PATTERN_COST_MAX 65536U /* characters to compile, after what is repeated was written out */

/* What it costs to compile it. SIZE_MAX: too long, or it costs more than PATTERN_COST_MAX, or searching it could take for ever; then
 * regcomp() must not see it. */
size_t pattern_cost(const char *pattern);
