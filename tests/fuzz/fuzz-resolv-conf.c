/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "engine/network/upstream.h"
#include "lib/base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = NULL;
        Upstreams l;
        int r;

        text = alloc_copy0(data, size);
        if (!text)
                return 0;
        r = upstreams_from_file(text, &l);
        assert(r == -ENOMEM || (l.n >= 1 && l.n <= UPSTREAMS_MAX));
        return 0;
}
