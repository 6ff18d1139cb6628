/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *s = alloc_copy0(data, size);
        char text[CLOCK_TEXT_SIZE];
        int64_t ns, again;

        if (!s)
                return 0;

        if (clock_parse(s, &ns) >= 0) {
                /* What was read and printed means the same time. */
                int r = clock_parse(clock_format(ns, text), &again);

                assert(r >= 0);
                assert(again == ns);
        }
        (void) clock_parse_point(s, 1700000000 * NSEC_PER_SEC, &ns);
        return 0;
}
