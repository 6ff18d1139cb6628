/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The options of the local driver, as in Docker: "type", "o" and "device" are what mount(8) would take, "size" is a quota. Pure. */

#include "lib/base/error.h"

/* pairs: as the client gave them. ERROR_INVALID 'invalid option: "x"', 'missing required option: "device"'. */
int volume_options_check(char *const *pairs, Error *reterr);
