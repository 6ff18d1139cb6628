/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/ignorefile.h"

/* The input is a .dockerignore. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const paths[] = { "a", "a/b/c.o", "x.log", "docs/a.md", "[", "*" };
        _cleanup_(ignorefile_freep) IgnoreFile *f = NULL;
        _cleanup_(error_done) Error e = {};

        if (ignorefile_parse((const char *) data, size, &f, &e) < 0) {
                assert(error_is_set(&e));
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                (void) ignorefile_excludes(f, paths[i]);
        return 0;
}
