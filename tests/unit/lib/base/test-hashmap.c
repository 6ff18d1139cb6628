/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/hashmap.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void test_basic(void **state) {
        _cleanup_(hashmap_freep) Hashmap *h = NULL;
        void *old;

        assert_null(hashmap_get(h, "a"));
        assert_int_equal(hashmap_size(h), 0);
        assert_ok(hashmap_ensure_put(&h, HASHMAP_STRING, "a", (void *) "1"));
        assert_int_equal(hashmap_put(h, "a", (void *) "2"), -EEXIST);
        assert_int_equal(hashmap_set(h, "a", (void *) "3", &old), 1);
        assert_string_equal(old, "1");
        assert_int_equal(hashmap_set(h, "b", (void *) "4", &old), 0);
        assert_null(old);
        assert_string_equal(hashmap_get(h, "a"), "3");
        assert_int_equal(hashmap_remove_value(h, "a", "no"), 0);
        assert_string_equal(hashmap_remove(h, "a"), "3");
        assert_null(hashmap_remove(h, "a"));
        assert_string_equal(hashmap_first(h), "4");
        hashmap_clear(h);
        assert_true(hashmap_empty(h));
        assert_ok(hashmap_put(h, "a", (void *) "1"));
}

static void test_order(void **state) {
        _cleanup_(hashmap_freep) Hashmap *h = hashmap_new(HASHMAP_STRING_COPY);
        const char *value, *key;
        char name[16];
        int i = 0;

        for (i = 0; i < 1000; i++) {
                (void) snprintf(name, sizeof(name), "k%i", i);
                assert_ok(hashmap_put(h, name, UINT_TO_PTR(i + 1)));
        }
        for (i = 0; i < 1000; i += 2) {
                (void) snprintf(name, sizeof(name), "k%i", i);
                assert_int_equal(PTR_TO_UINT(hashmap_remove(h, name)), i + 1);
        }
        i = 1;
        HASHMAP_FOREACH_KEY(value, key, h) {
                (void) snprintf(name, sizeof(name), "k%i", i);
                assert_string_equal(key, name);
                assert_int_equal(PTR_TO_UINT(value), i + 1);
                i += 2;
        }
        assert_int_equal(i, 1001);
        assert_int_equal(hashmap_size(h), 500);
}

/* Entries go and come while somebody walks, so often that the array is packed in between. */
static void test_walk(void **state) {
        _cleanup_(hashmap_freep) Hashmap *h = hashmap_new(HASHMAP_POINTER);
        unsigned next = 0, expected = 0;
        void *value;

        for (; next < 100; next++)
                assert_ok(hashmap_put(h, UINT_TO_PTR(next), UINT_TO_PTR(next + 1)));

        HASHMAP_FOREACH (value, h) {
                assert_int_equal(PTR_TO_UINT(value), expected + 1);
                assert_ptr_equal(hashmap_remove(h, UINT_TO_PTR(expected)), value);
                expected++;
                if (next < 5000) {
                        assert_ok(hashmap_put(h, UINT_TO_PTR(next), UINT_TO_PTR(next + 1)));
                        next++;
                }
        }
        assert_int_equal(expected, 5000);
        assert_true(hashmap_empty(h));
}

/* Against a plain array, at random. */
static void test_model(void **state) {
        _cleanup_(hashmap_freep) Hashmap *h = hashmap_new(HASHMAP_POINTER);
        static unsigned model[512];
        size_t n = 0;
        uint32_t x = 12345;

        for (unsigned i = 0; i < 200000; i++) {
                unsigned k, v;

                x = x * 1664525 + 1013904223;
                k = (x >> 8) % ARRAY_SIZE(model);
                v = i + 1;
                if (x >> 31) {
                        if (hashmap_put(h, UINT_TO_PTR(k), UINT_TO_PTR(v)) >= 0) {
                                assert_int_equal(model[k], 0);
                                model[k] = v;
                                n++;
                        } else
                                assert_int_not_equal(model[k], 0);
                } else {
                        assert_int_equal(PTR_TO_UINT(hashmap_remove(h, UINT_TO_PTR(k))), model[k]);
                        n -= model[k] != 0;
                        model[k] = 0;
                }
                assert_int_equal(hashmap_size(h), n);
        }
        for (unsigned k = 0; k < ARRAY_SIZE(model); k++)
                assert_int_equal(PTR_TO_UINT(hashmap_get(h, UINT_TO_PTR(k))), model[k]);
}

typedef struct Owner Owner;

struct Owner {
        char name[8];
        int *counter;
};

static Owner *owner_free(Owner *o) {
        (*o->counter)++;
        free(o);
        return NULL;
}

/* The key lives in the value: the map may not look at it once the value is gone. */
static void test_free_with(void **state) {
        Hashmap *h = hashmap_new(HASHMAP_STRING);
        int n = 0;

        for (int i = 0; i < 50; i++) {
                Owner *o = new0(Owner, 1);

                o->counter = &n;
                (void) snprintf(o->name, sizeof(o->name), "%i", i);
                assert_ok(hashmap_put(h, o->name, o));
        }
        h = hashmap_free_with(h, owner_free);
        assert_null(h);
        assert_int_equal(n, 50);
        h = hashmap_free_with(h, owner_free);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_basic),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_walk),
                cmocka_unit_test(test_model),
                cmocka_unit_test(test_free_with),
        };

        return cmocka_run_group_tests_name("hashmap", tests, NULL, NULL);
}
