/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/build/words.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"

/* The input is text with variables. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *value(const char *name, void *userdata) {
        return name[0] == 'A' ? "a.b/c a" : name[0] == 'E' ? "" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = alloc_copy0(data, size);
        Words w = { .escape = '\\', .value = value };

        if (!text)
                return 0;
        for (int k = 0; k < 4; k++) {
                _cleanup_(strv_freep) char **list = NULL, **raw = NULL;
                _cleanup_(error_done) Error e = {};
                _cleanup_(freep) char *out = NULL;

                w.keep_quotes = k & 1;
                w.escape = k & 2 ? '`' : '\\';
                if (words_expand(&w, text, &out, &e) < 0)
                        assert(error_is_set(&e));
                (void) words_split(&w, text, &list, NULL);
                (void) words_split_raw(w.escape, text, &raw);
        }
        return 0;
}
