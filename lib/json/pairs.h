/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* String pairs: what JSON_MAP rows hold. A NULL-terminated vector key, value, key, value, …
 * NULL, so strv_free() and strv_copy() do for them. Keys are unique, values may be "" but are
 * never NULL; NULL is the absent map and counts as empty. Written to JSON sorted by key, as Go
 * does. */

#include <stdbool.h>
#include <stddef.h>

const char *pairs_get(char *const *pairs, const char *key); /* NULL: no such key */
size_t pairs_count(char *const *pairs);

/* Adds or replaces. 1: the key is new. */
int pairs_set(char ***pairs, const char *key, const char *value);
/* 1: it was there. */
int pairs_unset(char **pairs, const char *key);
/* Adds all of more; keys that are there already keep their value unless replace. */
int pairs_merge(char ***pairs, char *const *more, bool replace);
/* Pointers to the pairs ([0] key, [1] value) in the order of their keys; free() the array. */
int pairs_sorted(char *const *pairs, char *const ***ret, size_t *ret_n);

#define PAIRS_FOREACH(key, value, pairs)     PAIRS_FOREACH_(key, value, pairs, __COUNTER__)
#define PAIRS_FOREACH_(key, value, pairs, n) PAIRS_FOREACH__(key, value, pairs, n)
#define PAIRS_FOREACH__(key, value, pairs, n)                               \
        for (char *const *pairs_at_##n = (pairs);                           \
                pairs_at_##n && pairs_at_##n[0] &&                          \
                ((key) = pairs_at_##n[0], (value) = pairs_at_##n[1], true); \
                pairs_at_##n += 2)
