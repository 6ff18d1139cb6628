/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/bind.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *s = alloc_copy0(data, size);
        _cleanup_(bind_done) Bind b = {};
        _cleanup_(error_done) Error e = {};

        if (!s)
                return 0;
        if (bind_parse(s, &b, &e) < 0) {
                assert(!b.source && !b.target);
                return 0;
        }
        assert(path_is_normalised(b.target) && !streq(b.target, "/"));
        assert(b.is_volume || path_is_normalised(b.source));
        assert(bind_propagation_is_valid(b.propagation));
        return 0;
}
