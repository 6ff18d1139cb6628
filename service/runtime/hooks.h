/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Hooks: programs of the administrator that run at fixed points of a container's life, with the container's state as JSON on
 * standard input. They have no descriptors of ours and a time limit. */

#include <stddef.h>

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct RuntimeHook RuntimeHook;

#define HOOKS_MAX         256U
#define HOOK_TIME_MAX_SEC 3600U /* for a hook that names no limit */
#define HOOK_OUTPUT_MAX   4096U

/* kind: "prestart" …, for the error text. Stops at the first that fails. */
int hooks_run(
        const char *kind, const RuntimeHook *hooks, size_t n, const char *state, Error *reterr);
/* All of them, whatever happens; the first error is kept. For poststart and poststop, which undo nothing. */
int hooks_run_all(
        const char *kind, const RuntimeHook *hooks, size_t n, const char *state, Error *reterr);
/* What can be known to be wrong before anything runs. */
int hooks_check(const char *kind, const RuntimeHook *hooks, size_t n, Error *reterr);
