/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The rows of a build as the classic builder's JSON stream. Until the first one what goes wrong is an answer with its own status, as in dockerd. The
 * build ends with its client, and waits for one that does not read. */

#include <stdbool.h>

typedef struct Job Job;
typedef struct Request Request;

/* Takes over the caller's reference of j, also on failure. quiet: only the id of the image; what was held back is shown when it fails. Returns as a
 * handler does. */
int build_stream_new(Request *q, Job *j, bool quiet);
