/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static char *labels[] = { (char *) "a", (char *) "1", (char *) "com.example", (char *) "",
                NULL };
        _cleanup_(freep) char *s = alloc_copy0(data, size);
        _cleanup_(filter_freep) Filter *f = NULL;
        _cleanup_(error_done) Error e = {};
        bool b;
        int r;

        if (!s)
                return 0;

        r = filter_parse(s, NULL, &f, &e);
        if (r < 0) {
                assert(r == -ENOMEM || str_starts(e.text, "invalid filter"));
                return 0;
        }

        (void) filter_match_exact(f, "name", "web-1");
        (void) filter_match_prefix(f, "id", "0123456789abcdef");
        (void) filter_match_name(f, "name", "/web-1");
        (void) filter_match_pattern(f, "volume", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        (void) filter_match_labels(f, labels);
        r = filter_get_bool(f, "dangling", &b, &e);
        assert(r != -EINVAL || str_starts(e.text, "invalid filter 'dangling"));
        return 0;
}
