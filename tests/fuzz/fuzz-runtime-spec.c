/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "lib/oci/runtime-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(runtime_spec_done) RuntimeSpec s = {}, again = {};
        _cleanup_(freep) char *written = NULL, *twice = NULL;
        _cleanup_(json_unrefp) Json *v = NULL, *w = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        if (json_parse((const char *) data, size, JSON_SIZE_MAX, &v, &e) < 0)
                return 0;
        if (runtime_spec_read(v, &s, &e) < 0)
                return 0;

        assert(s.root && s.root->path && s.linux_);
        if (json_write_text(&s, runtime_spec_fields, &written) < 0)
                return 0;
        r = json_parse(written, strlen(written), JSON_SIZE_MAX, &w, NULL);
        assert(r >= 0);
        r = runtime_spec_read(w, &again, &e);
        assert(r >= 0);
        if (json_write_text(&again, runtime_spec_fields, &twice) < 0)
                return 0;
        assert(streq(written, twice));
        return 0;
}
