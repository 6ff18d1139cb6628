/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A context as one file, in docker's form: a tar with meta.json and tls/ENDPOINT/FILE. It may come from anybody. */

#include "lib/base/error.h"

typedef struct ClientConfig ClientConfig;
typedef struct Json Json;

/* meta: what meta.json shall say ("default" has no file); NULL: the context's file. */
int context_export(
        const ClientConfig *c, const char *name, const Json *meta, int to_fd, Error *reterr);
/* Under a new name, which must be free. After an error nothing of it is left. */
int context_import(const ClientConfig *c, const char *name, int from_fd, Error *reterr);
