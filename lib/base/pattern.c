/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/pattern.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/macro.h"

/* The largest number in "{n,m}" at p. */
static size_t repeat_count(const char *p) {
        size_t most = 1, n = 0;

        for (p++; *p && *p != '}'; p++) {
                n = *p >= '0' && *p <= '9'
                          ? MIN(n * 10 + (size_t) (*p - '0'), (size_t) PATTERN_COST_MAX)
                          : 0;
                most = MAX(most, n);
        }

        return most;
}

/* The C library copies what is repeated, so that a short pattern can ask for endless memory:
 * each "+" of a group and of another repetition doubles, {n} multiplies. And \1 makes it search
 * in exponential time. */
size_t pattern_cost(const char *pattern) {
        size_t cost = strlen(pattern);
        char previous = 0;

        assert(pattern);

        if (cost > PATTERN_MAX)
                return SIZE_MAX;

        for (const char *p = pattern; *p; p++) {
                if (p[0] == '\\' && p[1]) {
                        if (p[1] >= '1' && p[1] <= '9')
                                return SIZE_MAX;
                        previous = 0;
                        p++;
                        continue;
                }

                if (*p == '{')
                        cost *= repeat_count(p);
                else if (strchr("*+?", *p) && previous && strchr(")*+?}", previous))
                        cost *= 2;
                if (cost > PATTERN_COST_MAX)
                        return SIZE_MAX;
                previous = *p;
        }

        return cost;
}
