/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Patterns of a .dockerignore, and of COPY --exclude: Go's path patterns (* ? [a-z] \x, none of them across a slash), "**" for any number of folders,
 * "!" takes back what an earlier line has excluded, the last that matches wins. A pattern that matches a folder matches what is in it. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

typedef struct IgnoreFile IgnoreFile;

#define IGNOREFILE_SIZE_MAX     ((size_t) 1024 * 1024)
#define IGNOREFILE_PATTERNS_MAX 10000U

/* "#" at the beginning of a line is a comment. ERROR_INVALID for a pattern that is none, with its line. */
int ignorefile_parse(const char *text, size_t size, IgnoreFile **ret, Error *reterr);
int ignorefile_new(char *const *patterns, IgnoreFile **ret, Error *reterr);
IgnoreFile *ignorefile_free(IgnoreFile *i);
DEFINE_CLEANUP(IgnoreFile *, ignorefile_free);

/* path: normalised, without slash at its beginning. */
bool ignorefile_excludes(const IgnoreFile *i, const char *path);
/* There are no patterns with "!": what is in a folder that is excluded need not be looked at. */
bool ignorefile_is_simple(const IgnoreFile *i);

/* One path pattern: 1 it matches the whole of path, 0 not; -EINVAL it is no pattern. "**" as above. */
int path_pattern_matches(const char *pattern, const char *path);
