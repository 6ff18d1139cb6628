/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "engine/container/seccomp-profile.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const caps[] = { "CAP_SYS_ADMIN", "CAP_CHOWN", NULL };
        static const unsigned kernel[] = { 6, 1 };
        _cleanup_(seccomp_profile_freep) SeccompProfile *p = NULL;
        _cleanup_(error_done) Error e = {};
        RuntimeSeccomp *s;

        if (seccomp_profile_parse((const char *) data, size, &p, &e) < 0)
                return 0;
        if (seccomp_profile_evaluate(p, "amd64", (char *const *) caps, kernel, &s) >= 0) {
                fields_done(runtime_seccomp_fields, s);
                free(s);
        }
        return 0;
}
