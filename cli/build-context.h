/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The context of a build as a tar: a folder without what its .dockerignore excludes, with a Dockerfile that may be elsewhere; or what stdin has, a tar or
 * a Dockerfile alone. */

#include <sys/types.h>

#include "lib/base/error.h"

typedef struct BuildContext {
        int fd;           /* the tar comes from here */
        char *dockerfile; /* in it; NULL: the usual name */
        pid_t pid;        /* who writes it; 0: nobody, it is as it was given */
        int words_fd;     /* why he could not */
} BuildContext;

#define BUILD_CONTEXT_INIT ((BuildContext) { .fd = -EBADF, .words_fd = -EBADF })

/* path: a folder, or "-"; file: the Dockerfile, "-" for stdin, NULL: the usual one. */
int build_context_open(BuildContext *x, const char *path, const char *file, Error *reterr);
/* After it was read, or r was returned by whoever did: what kept it from being whole is an error. */
int build_context_end(BuildContext *x, int r, Error *reterr);
void build_context_done(BuildContext *x);
