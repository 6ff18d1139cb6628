/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a failed OCI runtime said, and what Docker's clients make of it. Pure. */

#include <stddef.h>

#include "lib/base/error.h"

/* The last error of a runtime's log (JSON lines {"level":"error","msg":"…"}, as runc, crun and ours write; other lines are taken as they are).
 * NULL when there is none. */
int runtime_error_parse(const char *log, size_t size, char **ret);

/* Docker's exit code for it: 127 the command is not there, 126 it may not be executed, 128 else. The kind is INVALID where the user's
 * words are to blame. */
int runtime_error_exit_code(const char *text, ErrorKind *ret_kind);

/* The sentence that goes to the user: the client reads 126 and 127 from these words again. */
int runtime_error_sentence(const char *text, char **ret);
