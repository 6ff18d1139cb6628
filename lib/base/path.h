/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Paths as text. Nothing here touches the file system: what a name means there is asked beneath
 * a root fd (beneath.h). */

#include "lib/base/macro.h"

static inline bool path_is_absolute(const char *p) {
        return p[0] == '/';
}

/* Joins with exactly one slash between the parts, skipping NULL and "" ones; a later absolute
 * part is appended, it does not replace. NULL when out of memory. */
char *path_join_internal(const char *first, ...);
#define path_join(...) path_join_internal(__VA_ARGS__, (const char *) -1)

/* Lexically, as Go's path.Clean(): no "//", no ".", ".." taken away with the part before; "/.."
 * is "/", "" is ".". */
int path_normalise(const char *p, char **ret);
/* Absolute, and path_normalise() would not change it. */
bool path_is_normalised(const char *p) _pure_;

/* A single component that is safe to use under a folder of ours: 1 … 255 bytes, no slash, not
 * "." or "..", no control character. */
bool path_is_safe_name(const char *name) _pure_;

/* p is base itself or below it, comparing whole components of normalised paths. */
bool path_is_below(const char *p, const char *base) _pure_;
/* The part of p below base without leading slash ("" for base itself), NULL when it is not
 * below. */
const char *path_below(const char *p, const char *base) _pure_;

const char *path_last(const char *p) _pure_; /* behind the last slash; "" when p ends with one */
/* "/a/b" gives "/a", "/a" gives "/"; -EINVAL without a slash. */
int path_parent(const char *p, char **ret);

/* Walks the components: *p moves on, ret and n describe the next one inside the text. "." and
 * empty ones are skipped, ".." is returned. 1 a component, 0 the end, -ENAMETOOLONG above 255
 * bytes. */
int path_next(const char **p, const char **ret, size_t *ret_n);
