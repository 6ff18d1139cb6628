/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A strv is a NULL-terminated array of strings, array and strings owned by the holder. NULL is
 * an empty strv. */

#include <sys/types.h>

#include "lib/base/macro.h"

char **strv_free(char **l);         /* returns NULL */
DEFINE_CLEANUP(char **, strv_free); /* _cleanup_(strv_freep) char **l = NULL; */

size_t strv_length(char *const *l) _pure_;
static inline bool strv_empty(char *const *l) {
        return !l || !l[0];
}

char **strv_new_internal(const char *first, ...) _sentinel_; /* copies; NULL when out of memory */
#define strv_new(...) strv_new_internal(__VA_ARGS__, NULL)
char **strv_copy(char *const *l); /* NULL when out of memory; a NULL strv gives an empty one */

/* These replace *l. 0 or -ENOMEM, then *l is unchanged. */
int strv_add(char ***l, const char *s); /* appends a copy */
int strv_addf(char ***l, const char *format, ...) _printf_(2, 3);
int strv_take(char ***l, char *s); /* appends s itself; s is freed on failure; NULL gives -ENOMEM */
int strv_prepend(char ***l, const char *s);
int strv_add_all(char ***l, char *const *more); /* appends copies of all */
/* A copy of from in place of *l; safe when from == *l. */
int strv_set(char ***l, char *const *from);

/* Removes every string equal to s; how many it were. */
size_t strv_remove(char **l, const char *s);

bool strv_contains(char *const *l, const char *s) _pure_;
bool strv_equal(char *const *a, char *const *b) _pure_;   /* same strings in the same order */
ssize_t strv_index(char *const *l, const char *s) _pure_; /* -1: not there */
void strv_sort(char **l);
void strv_uniq(char **l); /* sorted input: drops repeated strings */

char *strv_join(char *const *l, const char *separator); /* NULL when out of memory */
/* Cuts s at any of the separators; empty parts are dropped unless keep_empty. 0 or -ENOMEM. */
int strv_split(const char *s, const char *separators, bool keep_empty, char ***ret);

/* Environment blocks, "KEY=value" each; the last one of a key wins. */
const char *strv_env_get(char *const *env, const char *key) _pure_; /* value, NULL when not there */
int strv_env_set(char ***env, const char *key, const char *value);  /* value NULL removes the key */
int strv_env_merge(char ***env, char *const *more); /* later wins; "KEY" alone is kept as it is */

/* for (char **s) over all strings */
#define STRV_FOREACH(s, l) for (typeof(*(l)) *s = (typeof(*(l)) *) (l); s && *s; s++)
