/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One record of comma-separated fields, as Go's encoding/csv reads it: docker's --mount, --gpus and --network are written so. A field may be
 * quoted ("a,b", a quote inside is doubled). Pure. */

#include "lib/base/error.h"

/* The first line of s. ERROR_INVALID with Go's words ("EOF" when there is nothing). */
int csv_parse(const char *s, char ***ret, Error *reterr);
