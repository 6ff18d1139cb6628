/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Memory. Nothing here aborts: NULL (or -ENOMEM) goes up to the caller like any other error. */

#include <stdlib.h>

#include "lib/base/macro.h"

/* new(Type, n): uninitialised; new0(Type, n): zeroed. Products are checked for overflow. */
/* clang-format off */
#define new(type, n)  ((type *) alloc_array(n, sizeof(type)))
/* clang-format on */
#define new0(type, n) ((type *) alloc_array0(n, sizeof(type)))

void *alloc_array(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void *alloc_array0(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2)));

/* Copies of memory; alloc_copy0() adds a NUL byte behind it. size 0 gives a pointer that may be
 * freed. */
void *alloc_copy(const void *data, size_t size);
void *alloc_copy0(const void *data, size_t size);

/* Makes room for at least n elements in *array (array_grow(&things, &n_allocated, n_things +
 * 1)). The room doubles, so that n appends cost n. The new part is zeroed. 0 or -ENOMEM, then
 * nothing changed. */
#define array_grow(array, allocated, n) \
        alloc_grow((void **) (array), allocated, n, sizeof(**(array)))
int alloc_grow(void **array, size_t *allocated, size_t n, size_t size);

/* free() that returns NULL: p = mfree(p); */
static inline void *mfree(void *p) {
        free(p);
        return NULL;
}

/* _cleanup_(freep) char *s = NULL; */
static inline void freep(void *p) {
        free(*(void **) p);
}

/* Memory that held a secret: overwritten in a way that the compiler keeps, then freed. */
void *alloc_erase_free(void *p, size_t size);
