/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/hashmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/ident.h"

/* Entries stand in an array in the order of insertion, removed ones as holes; a table of 32-bit
 * numbers (linear probing, at most half full, entry number + 1, 0 is free) finds them by hash.
 * Each entry has a serial number that only grows, so that a walk keeps its place when the array
 * is packed meanwhile. */

typedef struct Entry Entry;

struct Entry {
        const void *key;
        void *value; /* NULL: a hole */
        uint64_t hash;
        size_t serial;
};

struct Hashmap {
        HashmapKind kind;
        Entry *entries;
        size_t n_entries; /* with holes */
        size_t n_allocated;
        size_t n_values;
        size_t first; /* no value stands before it */
        size_t next_serial;
        uint32_t *slots;
        size_t n_slots; /* a power of two, or 0 */
};

#define HASHMAP_FIRST_SLOTS 16U
#define HASHMAP_ENTRIES_MAX (UINT32_MAX / 4)

static inline uint64_t rotate(uint64_t x, unsigned n) {
        return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4]) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 with a key of this process. */
static uint64_t hash_bytes(const void *data, size_t size) {
        static uint64_t key[2];
        const uint8_t *p = data;
        uint64_t v[4], m = 0;
        size_t n = size;

        if (key[0] == 0)
                random_bytes(key, sizeof(key));
        if (key[0] == 0)
                key[0] = 1;

        v[0] = key[0] ^ UINT64_C(0x736f6d6570736575);
        v[1] = key[1] ^ UINT64_C(0x646f72616e646f6d);
        v[2] = key[0] ^ UINT64_C(0x6c7967656e657261);
        v[3] = key[1] ^ UINT64_C(0x7465646279746573);

        for (; n >= 8; n -= 8, p += 8) {
                memcpy(&m, p, 8);
                v[3] ^= m;
                sip_round(v);
                v[0] ^= m;
        }
        m = 0;
        memcpy(&m, p, n);
        m |= (uint64_t) size << 56;
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;

        v[2] ^= 0xff;
        for (unsigned i = 0; i < 3; i++)
                sip_round(v);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t hash_key(const Hashmap *h, const void *key) {
        if (h->kind == HASHMAP_POINTER)
                return hash_bytes(&key, sizeof(key));

        assert(key);
        return hash_bytes(key, strlen(key));
}

static bool same_key(const Hashmap *h, const Entry *e, uint64_t hash, const void *key) {
        if (e->hash != hash)
                return false;

        return h->kind == HASHMAP_POINTER ? e->key == key : strcmp(e->key, key) == 0;
}

Hashmap *hashmap_new(HashmapKind kind) {
        Hashmap *h;

        h = new0(Hashmap, 1);
        if (h)
                h->kind = kind;
        return h;
}

static void entry_free_key(Hashmap *h, Entry *e) {
        if (h->kind == HASHMAP_STRING_COPY)
                free((void *) e->key);
        e->key = NULL;
}

void hashmap_clear(Hashmap *h) {
        if (!h)
                return;

        for (size_t i = 0; i < h->n_entries; i++)
                if (h->entries[i].value)
                        entry_free_key(h, h->entries + i);
        if (h->slots)
                memset(h->slots, 0, h->n_slots * sizeof(uint32_t));
        h->n_entries = h->n_values = h->first = 0;
}

Hashmap *hashmap_free(Hashmap *h) {
        if (!h)
                return NULL;

        hashmap_clear(h);
        free(h->entries);
        free(h->slots);
        free(h);
        return NULL;
}

/* The slot that holds the key, or the free one where it would go. Needs a table with a free
 * slot. */
static size_t find_slot(const Hashmap *h, const void *key, uint64_t hash) {
        size_t mask = h->n_slots - 1, i = hash & mask;

        while (h->slots[i] != 0 && !same_key(h, h->entries + h->slots[i] - 1, hash, key))
                i = (i + 1) & mask;
        return i;
}

static Entry *find(const Hashmap *h, const void *key, size_t *ret_slot) {
        size_t slot;

        if (!h || h->n_values == 0)
                return NULL;

        slot = find_slot(h, key, hash_key(h, key));
        if (h->slots[slot] == 0)
                return NULL;

        if (ret_slot)
                *ret_slot = slot;
        return h->entries + h->slots[slot] - 1;
}

/* Packs the entries and fills a table of n_slots anew. */
static void rebuild(Hashmap *h, uint32_t *slots, size_t n_slots) {
        size_t n = 0;

        for (size_t i = h->first; i < h->n_entries; i++)
                if (h->entries[i].value)
                        h->entries[n++] = h->entries[i];
        h->n_entries = n;
        h->first = 0;

        if (slots != h->slots) {
                free(h->slots);
                h->slots = slots;
                h->n_slots = n_slots;
        }
        memset(slots, 0, n_slots * sizeof(uint32_t));
        for (size_t i = 0; i < n; i++) {
                size_t mask = n_slots - 1, k = h->entries[i].hash & mask;

                while (slots[k] != 0)
                        k = (k + 1) & mask;
                slots[k] = (uint32_t) (i + 1);
        }
}

/* Room for one more: the table stays at most half full, holes are packed when they are half of
 * the array. */
static int make_room(Hashmap *h) {
        if (h->n_values >= HASHMAP_ENTRIES_MAX)
                return -ENOMEM;

        if ((h->n_values + 1) * 2 > h->n_slots) {
                size_t n_slots = h->n_slots ? h->n_slots * 2 : HASHMAP_FIRST_SLOTS;
                uint32_t *slots;

                slots = new (uint32_t, n_slots);
                if (!slots)
                        return -ENOMEM;
                rebuild(h, slots, n_slots);
        } else if (h->n_entries == h->n_allocated && h->n_values < h->n_entries / 2)
                rebuild(h, h->slots, h->n_slots);

        return array_grow(&h->entries, &h->n_allocated, h->n_entries + 1);
}

static int add(Hashmap *h, const void *key, void *value) {
        uint64_t hash;
        int r;

        r = make_room(h);
        if (r < 0)
                return r;

        hash = hash_key(h, key);
        if (h->kind == HASHMAP_STRING_COPY) {
                key = strdup(key);
                if (!key)
                        return -ENOMEM;
        }

        h->entries[h->n_entries] = (Entry) {
                .key = key,
                .value = value,
                .hash = hash,
                .serial = h->next_serial++,
        };
        h->slots[find_slot(h, key, hash)] = (uint32_t) ++h->n_entries;
        h->n_values++;
        return 0;
}

int hashmap_put(Hashmap *h, const void *key, void *value) {
        assert(h);
        assert(value);

        return find(h, key, NULL) ? -EEXIST : add(h, key, value);
}

int hashmap_set(Hashmap *h, const void *key, void *value, void **ret_old) {
        Entry *e;

        assert(h);
        assert(value);

        e = find(h, key, NULL);
        if (!e) {
                if (ret_old)
                        *ret_old = NULL;
                return add(h, key, value);
        }

        if (ret_old)
                *ret_old = e->value;
        e->value = value;
        if (h->kind == HASHMAP_STRING) /* the old key may go with the old value */
                e->key = key;
        return 1;
}

int hashmap_ensure_put(Hashmap **h, HashmapKind kind, const void *key, void *value) {
        assert(h);

        if (!*h) {
                *h = hashmap_new(kind);
                if (!*h)
                        return -ENOMEM;
        }
        assert((*h)->kind == kind);

        return hashmap_put(*h, key, value);
}

void *hashmap_get(const Hashmap *h, const void *key) {
        Entry *e;

        e = find(h, key, NULL);
        return e ? e->value : NULL;
}

/* Frees the slot and moves back the entries that had to probe past it. */
static void free_slot(Hashmap *h, size_t slot) {
        size_t mask = h->n_slots - 1, hole = slot;

        h->slots[hole] = 0;
        for (size_t i = (slot + 1) & mask; h->slots[i] != 0; i = (i + 1) & mask) {
                size_t home = h->entries[h->slots[i] - 1].hash & mask;

                if (((i - home) & mask) >= ((i - hole) & mask)) {
                        h->slots[hole] = h->slots[i];
                        h->slots[i] = 0;
                        hole = i;
                }
        }
}

static void *remove_entry(Hashmap *h, Entry *e, size_t slot) {
        void *value = TAKE_PTR(e->value);

        free_slot(h, slot);
        entry_free_key(h, e);
        h->n_values--;

        if (h->n_values == 0)
                h->n_entries = h->first = 0;
        while (h->first < h->n_entries && !h->entries[h->first].value)
                h->first++;
        while (h->n_entries > h->first && !h->entries[h->n_entries - 1].value)
                h->n_entries--;
        return value;
}

void *hashmap_remove(Hashmap *h, const void *key) {
        size_t slot;
        Entry *e;

        e = find(h, key, &slot);
        return e ? remove_entry(h, e, slot) : NULL;
}

int hashmap_remove_value(Hashmap *h, const void *key, const void *value) {
        size_t slot;
        Entry *e;

        e = find(h, key, &slot);
        if (!e || e->value != value)
                return 0;

        (void) remove_entry(h, e, slot);
        return 1;
}

void *hashmap_first(const Hashmap *h) {
        return h && h->n_values > 0 ? h->entries[h->first].value : NULL;
}

void *hashmap_steal_first(Hashmap *h) {
        Entry *e;
        size_t slot, mask;

        if (!h || h->n_values == 0)
                return NULL;

        /* By number, not by key: the key may have gone with an earlier value that was destroyed. */
        e = h->entries + h->first;
        mask = h->n_slots - 1;
        for (slot = e->hash & mask; h->slots[slot] != h->first + 1;)
                slot = (slot + 1) & mask;

        return remove_entry(h, e, slot);
}

size_t hashmap_size(const Hashmap *h) {
        return h ? h->n_values : 0;
}

/* The first entry with a serial of at least this one. Serials only have gaps upwards, so the
 * entry stands at the difference to the first one or before it. */
static size_t find_serial(const Hashmap *h, size_t serial) {
        size_t low = h->first, high, base;

        if (low >= h->n_entries)
                return h->n_entries;
        base = h->entries[low].serial;
        if (serial <= base)
                return low;

        high = MIN(low + (serial - base), h->n_entries);
        if (h->entries[high - 1].serial < serial)
                return high;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (h->entries[middle].serial < serial)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

bool hashmap_next(const Hashmap *h, size_t *position, void **ret_value, const void **ret_key) {
        assert(position);

        if (!h)
                return false;

        for (size_t i = find_serial(h, *position); i < h->n_entries; i++) {
                Entry *e = h->entries + i;

                if (!e->value)
                        continue;
                *position = e->serial + 1;
                if (ret_value)
                        *ret_value = e->value;
                if (ret_key)
                        *ret_key = e->key;
                return true;
        }
        return false;
}
