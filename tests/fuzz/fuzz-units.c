/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *s = alloc_copy0(data, size), *escaped = NULL, *path = NULL,
                              *again = NULL;
        unsigned max, major, minor;
        uint64_t bytes;
        double real;
        int64_t ns;
        int sig;

        if (!s)
                return 0;

        if (parse_size(s, &bytes) >= 0)
                assert(bytes <= INT64_MAX);
        if (parse_signal(s, &sig) >= 0)
                assert(sig >= 1 && sig <= 64);
        if (parse_cpu_list(s, 1024, &max) >= 0)
                assert(max < 1024);
        (void) parse_duration(s, &ns);
        (void) parse_double(s, &real);
        (void) parse_devnum(s, &major, &minor);

        escaped = str_escape_terminal_n((const char *) data, size);
        assert(!escaped || !str_needs_escape(escaped));

        if (path_normalise(s, &path) >= 0) {
                int r = path_normalise(path, &again);

                assert(r < 0 || streq(path, again));
                assert(path[0] != '/' || path_is_normalised(path));
        }
        (void) str_matches(s, s);
        return 0;
}
