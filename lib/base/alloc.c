/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"

#include <string.h>

void *alloc_array(size_t n, size_t size) {
        size_t total;

        if (MUL_OVERFLOWS(n, size, &total))
                return NULL;

        return malloc(total ? total : 1);
}

void *alloc_array0(size_t n, size_t size) {
        size_t total;

        if (MUL_OVERFLOWS(n, size, &total))
                return NULL;

        return calloc(1, total ? total : 1);
}

void *alloc_copy(const void *data, size_t size) {
        void *p;

        assert(data || size == 0);

        p = malloc(size ? size : 1);
        if (p && size)
                memcpy(p, data, size);
        return p;
}

void *alloc_copy0(const void *data, size_t size) {
        char *p;
        size_t total;

        assert(data || size == 0);

        if (ADD_OVERFLOWS(size, 1, &total))
                return NULL;

        p = malloc(total);
        if (!p)
                return NULL;

        if (size)
                memcpy(p, data, size);
        p[size] = 0;
        return p;
}

int alloc_grow(void **array, size_t *allocated, size_t n, size_t size) {
        size_t wanted, bytes;
        char *p;

        assert(array);
        assert(allocated);
        assert(size > 0);

        if (n <= *allocated && *array)
                return 0;

        wanted = MAX(n, (size_t) 8);
        if (*allocated <= SIZE_MAX / 2)
                wanted = MAX(wanted, *allocated * 2);
        if (MUL_OVERFLOWS(wanted, size, &bytes))
                return -ENOMEM;

        p = realloc(*array, bytes);
        if (!p)
                return -ENOMEM;

        memset(p + *allocated * size, 0, (wanted - *allocated) * size);
        *array = p;
        *allocated = wanted;
        return 0;
}

void *alloc_erase_free(void *p, size_t size) {
        if (p) {
                explicit_bzero(p, size);
                free(p);
        }
        return NULL;
}
