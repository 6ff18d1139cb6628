/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/storage/apply-result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"

void apply_result_done(ApplyResult *r) {
        assert(r);

        for (size_t i = 0; i < r->n_implied; i++)
                free(r->implied[i]);
        free(r->implied);
        *r = (ApplyResult) {};
}

int apply_result_add_implied(ApplyResult *r, const char *path, Error *reterr) {
        int k;

        /* Room for the NULL at the end, so that it is a strv. */
        k = array_grow(&r->implied, &r->n_implied_allocated, r->n_implied + 2);
        if (k < 0)
                return k;
        r->implied[r->n_implied] = strdup(path);
        if (!r->implied[r->n_implied])
                return -ENOMEM;
        r->implied[++r->n_implied] = NULL;

        r->implied_memory += strlen(path) + 1 + sizeof(char *);
        if (r->implied_memory > tar_limits_default.directories)
                return error_set(reterr, ERROR_TOO_LARGE,
                        "archive has too many directories without an entry");
        return 0;
}
