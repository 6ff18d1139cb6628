/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json/pairs.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

static char **find(char *const *pairs, const char *key) {
        for (char *const *p = pairs; p && *p; p += 2)
                if (streq(p[0], key))
                        return (char **) (uintptr_t) p;

        return NULL;
}

const char *pairs_get(char *const *pairs, const char *key) {
        char **p;

        assert(key);

        p = find(pairs, key);
        return p ? p[1] : NULL;
}

size_t pairs_count(char *const *pairs) {
        size_t n = 0;

        for (char *const *p = pairs; p && *p; p += 2)
                n++;

        return n;
}

int pairs_set(char ***pairs, const char *key, const char *value) {
        _cleanup_(freep) char *k = NULL, *v = NULL;
        char **p;
        size_t n;
        int r;

        assert(pairs);
        assert(key);
        assert(value);

        p = find(*pairs, key);
        if (p)
                return str_copy(&p[1], value);

        r = str_copy(&k, key);
        if (r < 0)
                return r;
        r = str_copy(&v, value);
        if (r < 0)
                return r;

        n = pairs_count(*pairs);
        p = reallocarray(*pairs, 2 * n + 3, sizeof(char *));
        if (!p)
                return -ENOMEM;

        p[2 * n] = TAKE_PTR(k);
        p[2 * n + 1] = TAKE_PTR(v);
        p[2 * n + 2] = NULL;
        *pairs = p;
        return 1;
}

int pairs_unset(char **pairs, const char *key) {
        char **p;

        assert(key);

        p = find(pairs, key);
        if (!p)
                return 0;

        free(p[0]);
        free(p[1]);
        for (; p[2]; p += 2) {
                p[0] = p[2];
                p[1] = p[3];
        }
        p[0] = NULL;
        return 1;
}

int pairs_merge(char ***pairs, char *const *more, bool replace) {
        const char *key, *value;
        int r;

        assert(pairs);

        PAIRS_FOREACH(key, value, more) {
                if (!replace && pairs_get(*pairs, key))
                        continue;
                r = pairs_set(pairs, key, value);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(**(char *const *const *) a, **(char *const *const *) b);
}

int pairs_sorted(char *const *pairs, char *const ***ret, size_t *ret_n) {
        size_t n = pairs_count(pairs);
        char *const **sorted;

        assert(ret);
        assert(ret_n);

        sorted = new (char *const *, n + 1);
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                sorted[i] = pairs + 2 * i;
        qsort(sorted, n, sizeof(sorted[0]), compare);

        *ret = sorted;
        *ret_n = n;
        return 0;
}
