/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/oci/cdi-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file of somebody else is a whole description or a sentence, as YAML and as JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        for (int yaml = 0; yaml < 2; yaml++) {
                _cleanup_(error_done) Error e = {};
                CdiSpec s;
                int r;

                r = cdi_spec_parse((const char *) data, size, yaml, &s, &e);
                if (r < 0) {
                        assert(!str_empty(error_text(&e, r)));
                        continue;
                }
                assert(s.n_devices > 0 && s.n_devices <= CDI_DEVICES_MAX);
                cdi_spec_done(&s);
        }
        return 0;
}
