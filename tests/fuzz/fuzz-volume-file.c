/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/volume/volumes-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* volume.json of a disk that lies. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(volume_freep) Volume *v = NULL;

        if (volume_parse(NULL, "data", (const char *) data, size, &v) >= 0)
                (void) volume_is_anonymous(v);
        return 0;
}
