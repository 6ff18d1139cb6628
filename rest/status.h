/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The one table from an Error's kind to the HTTP status, and the body of an error. */

#include "lib/base/error.h"

typedef struct Response Response;

unsigned status_from_error(int r, const Error *e);

/* {"message":"…"} with the status of e (or of r when e is not set); 304 has no body. */
int response_error(Response *a, int r, const Error *e);
