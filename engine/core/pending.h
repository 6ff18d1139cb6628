/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Pending is one answer that somebody waits for. The face makes it, the engine completes it exactly once; when the one who asked goes
 * away first, he detaches, and completing it then does nothing. Reference counted: the engine and the face hold one each. */

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Pending Pending;

/* r >= 0: done, result is what the verb's header says (borrowed, may be NULL). r < 0: e says why. Called from the event loop,
 * possibly before the engine call that took the Pending has returned. */
typedef void (*pending_callback_t)(int r, void *result, const Error *e, void *userdata);

int pending_new(pending_callback_t callback, void *userdata, Pending **ret);
Pending *pending_ref(Pending *p);
Pending *pending_unref(Pending *p);
DEFINE_CLEANUP(Pending *, pending_unref);

/* The asker no longer wants to know. */
void pending_detach(Pending *p);

/* Calls the callback (once; further calls are a bug and asserted). */
void pending_complete(Pending *p, int r, void *result, const Error *e);

/* The same without a result, and lets go of the reference that userdata is: the callback of a call that is all there was to do. */
void pending_answer(int r, const Error *e, void *userdata);
