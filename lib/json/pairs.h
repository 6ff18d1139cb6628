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

/* Adds or replaces. 1: it was new. */
int pairs_set(char ***pairs, const char *key, const char *value);
int pairs_unset(char **pairs, const char *key); /* 1: it was there */
int pairs_sort(char *const *pairs, const char ***ret_keys,
        size_t *ret_n); /* borrowed keys, sorted; free() it */
int pairs_merge(char ***pairs, char *const *more, bool replace);

#define PAIRS_FOREACH(key, value, pairs)     PAIRS_FOREACH_(key, value, pairs, __COUNTER__)
#define PAIRS_FOREACH_(key, value, pairs, n) PAIRS_FOREACH__(key, value, pairs, n)
#define PAIRS_FOREACH__(key, value, pairs, n)                               \
        for (char *const *pairs_at_##n = (pairs);                           \
                pairs_at_##n && pairs_at_##n[0] &&                          \
                ((key) = pairs_at_##n[0], (value) = pairs_at_##n[1], true); \
                pairs_at_##n += 2)
