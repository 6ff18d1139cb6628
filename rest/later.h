/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Answers that come later: a Pending's callback finishes the request; a client that left detaches it, and the verb goes on without a
 * listener. */

#include <stdint.h>

#include "engine/core/pending.h"

typedef struct Request Request;

/* Kept in q->data until request_later_finish(). callback's userdata is q. */
int request_later(Request *q, pending_callback_t callback, Pending **ret);

/* By the callback: r < 0 with q->error filled, else with q->response. */
void request_later_finish(Request *q, int r);

/* What the verb has returned is what the handler returns: when it refused at once the Pending is untouched, and the router answers. */
int request_later_return(Request *q, int r);

/* By the callback of a prune: what is gone, as a list with that key (names NULL: null, as Docker has an empty one), and the bytes, or the error. */
void request_later_pruned(
        Request *q, int r, const Error *e, const char *key, char *const *names, uint64_t bytes);

/* Callbacks: an empty answer of that status, or the error. */
void request_later_200(int r, void *result, const Error *e, void *userdata);
void request_later_204(int r, void *result, const Error *e, void *userdata);
