/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A map that remembers the order of insertion. Keys are strings or pointers. Values are pointers
 * that are not NULL and belong to whoever put them; keys are borrowed (mostly a member of the
 * value) unless the kind is HASHMAP_STRING_COPY. A NULL Hashmap is an empty one for all
 * functions that do not put. String hashes are seeded, so that names of users cannot collide on
 * purpose. */

#include "lib/base/macro.h"

typedef struct Hashmap Hashmap;

typedef enum HashmapKind {
        HASHMAP_STRING,      /* borrowed strings */
        HASHMAP_STRING_COPY, /* the map keeps copies of its own */
        HASHMAP_POINTER,     /* compared as addresses; UINT_TO_PTR() for numbers */
} HashmapKind;

Hashmap *hashmap_new(HashmapKind kind); /* NULL when out of memory */
Hashmap *hashmap_free(Hashmap *h);      /* values stay; returns NULL */
DEFINE_CLEANUP(Hashmap *, hashmap_free);
/* destroy(value) for every value, in order, then the map. destroy takes what the values are,
 * returns whatever it wants. */
#define hashmap_free_with(h, destroy)                                    \
        ({                                                               \
                Hashmap *_hashmap = (h);                                 \
                void *_hashmap_value;                                    \
                while ((_hashmap_value = hashmap_steal_first(_hashmap))) \
                        (void) destroy(_hashmap_value);                  \
                hashmap_free(_hashmap);                                  \
        })

int hashmap_put(
        Hashmap *h, const void *key, void *value); /* -EEXIST when the key is there, -ENOMEM */
/* Replaces the value (and borrowed key) under the key: 1 replaced, old one in *ret_old (or
 * NULL); 0 new. Order is kept. */
int hashmap_set(Hashmap *h, const void *key, void *value, void **ret_old);
/* hashmap_put() that makes the map when *h is NULL. */
int hashmap_ensure_put(Hashmap **h, HashmapKind kind, const void *key, void *value);

void *hashmap_get(const Hashmap *h, const void *key) _pure_; /* NULL: not there */
static inline bool hashmap_contains(const Hashmap *h, const void *key) {
        return hashmap_get(h, key) != NULL;
}
void *hashmap_remove(Hashmap *h, const void *key); /* the value, or NULL */
/* Removes only when the key belongs to this value: 1 or 0. */
int hashmap_remove_value(Hashmap *h, const void *key, const void *value);
void *hashmap_first(const Hashmap *h) _pure_; /* oldest value */
void *hashmap_steal_first(Hashmap *h);        /* removes and gives the oldest value */
void hashmap_clear(Hashmap *h);
size_t hashmap_size(const Hashmap *h) _pure_;
static inline bool hashmap_empty(const Hashmap *h) {
        return hashmap_size(h) == 0;
}

/* Walks in order. Any entry may be removed meanwhile, new ones may be added and are visited as
 * well.
 *         Container *c;
 *         HASHMAP_FOREACH(c, h) { … }
 *         HASHMAP_FOREACH_KEY(c, key, h) { … }          (const char *key or const void *key) */
bool hashmap_next(const Hashmap *h, size_t *position, void **ret_value, const void **ret_key);
#define HASHMAP_FOREACH(value, h)          \
        for (size_t _position_##value = 0; \
                hashmap_next(h, &_position_##value, (void **) &(value), NULL);)
#define HASHMAP_FOREACH_KEY(value, key, h) \
        for (size_t _position_##value = 0; \
                hashmap_next(h, &_position_##value, (void **) &(value), (const void **) &(key));)
