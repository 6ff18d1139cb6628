/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read and printed reads as the same again, and every string in it is sound. */
static void check_strings(Json *v) {
        const char *key, *text = json_to_text(v);
        Json *value;

        assert(!text || !text[0] || str_is_utf8(text, strlen(text)));
        JSON_FOREACH (key, value, v) {
                assert(!key || !key[0] || str_is_utf8(key, strlen(key)));
                check_strings(value);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(json_unrefp) Json *v = NULL, *w = NULL;
        _cleanup_(freep) char *once = NULL, *twice = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = json_parse((const char *) data, size, 64 * 1024, &v, &e);
        if (r < 0) {
                assert(r == -ENOMEM || e.text);
                return 0;
        }

        check_strings(v);
        if (json_print(v, JSON_COMPACT, &once) < 0)
                return 0;
        r = json_parse(once, strlen(once), JSON_SIZE_MAX, &w, NULL);
        assert(r >= 0);
        if (json_print(w, JSON_COMPACT, &twice) < 0)
                return 0;
        assert(streq(once, twice));
        return 0;
}
