/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where the last lines of a log begin, when the log is a row of files. Reads backwards in blocks, so the cost is that of the lines asked for. */

#include <stddef.h>
#include <stdint.h>

/* fds: oldest first, regular files. A last line without a line feed counts. Finds file and offset where the last *n_lines begin (0 lines: the
 * end of the newest; more than there are: the beginning of the oldest). 1: *ret_file is packed (gzip.h), *n_lines of it are still wanted:
 * count its lines, and if these are not enough, come again with the fds before it. */
int tail_find(
        const int *fds, size_t n_fds, uint64_t *n_lines, size_t *ret_file, uint64_t *ret_offset);
