/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What ps prints, as a table of one container's processes. Pure. */

#include <stddef.h>
#include <sys/types.h>

#include "engine/container/containers.h"
#include "lib/base/error.h"

void top_table_done(TopTable *t);

/* Options that give the column of PIDs another name are refused: the lines could not be told apart. */
int top_check_args(const char *args, Error *reterr);

/* Lines of pids (sorted), and what ps puts below them with "-" for a PID (threads). ERROR_INTERNAL "Couldn't find PID field in ps
 * output". */
int top_parse(const char *text, const pid_t *pids, size_t n_pids, TopTable *ret, Error *reterr);
