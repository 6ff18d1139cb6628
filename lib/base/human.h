/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Figures for people, in the words and units that docker uses. */

#include <stdint.h>

#include "lib/base/macro.h"

#define HUMAN_SIZE 32

/* "4.26MB": decimal units, at most digits significant digits (docker: 3 in images, 4 in load).
 * Returns ret. */
char *human_bytes(uint64_t bytes, int digits, char ret[static HUMAN_SIZE]);
/* "1.944GiB": binary units, four digits. */
char *human_bytes_binary(uint64_t bytes, char ret[static HUMAN_SIZE]);
/* "Less than a second", "5 seconds", "About a minute", "3 weeks", … Negative counts as 0. */
char *human_duration(int64_t seconds, char ret[static HUMAN_SIZE]);
