/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/parse.h"

#include <errno.h>
#include <string.h>

#include "lib/base/str.h"

/* A decimal number with a fraction: digits as one integer, and how many of them stand behind the
 * point. Digits of the fraction beyond what an int64_t holds do not change a result and are
 * skipped. */
static int take_decimal(const char **p, uint64_t *ret_digits, unsigned *ret_scale) {
        uint64_t digits = 0;
        unsigned scale = 0;
        const char *s = *p;
        bool any = false, point = false, full = false;

        for (;; s++) {
                if (*s == '.' && !point) {
                        point = true;
                        continue;
                }
                if (*s < '0' || *s > '9')
                        break;
                any = true;
                if (point && (full || scale >= 15 || digits > INT64_MAX / 10 - 1)) {
                        full = true;
                        continue;
                }
                if (MUL_OVERFLOWS(digits, (uint64_t) 10, &digits) ||
                        ADD_OVERFLOWS(digits, (uint64_t) (*s - '0'), &digits))
                        return -ERANGE;
                scale += point;
        }
        if (!any)
                return -EINVAL;

        *p = s;
        *ret_digits = digits;
        *ret_scale = scale;
        return 0;
}

/* digits * unit / 10^scale, cut; -ERANGE above max. */
static int scaled(uint64_t digits, unsigned scale, uint64_t unit, uint64_t max, uint64_t *ret) {
        unsigned __int128 value = (unsigned __int128) digits * unit;

        for (; scale > 0; scale--)
                value /= 10;
        if (value > max)
                return -ERANGE;

        *ret = (uint64_t) value;
        return 0;
}

int parse_size(const char *s, uint64_t *ret) {
        static const char units[] = "kmgtp";
        uint64_t digits, unit = 1, value;
        unsigned scale;
        int r;

        assert(ret);

        if (str_empty(s))
                return -EINVAL;

        r = take_decimal(&s, &digits, &scale);
        if (r < 0)
                return r;

        if (*s == ' ')
                s++;
        if (*s) {
                char c = *s >= 'A' && *s <= 'Z' ? (char) (*s - 'A' + 'a') : *s;
                const char *found = strchr(units, c);

                if (found) {
                        unit = UINT64_C(1) << (10 * (found - units + 1));
                        s++;
                        if ((*s == 'i' || *s == 'I') && (s[1] == 'b' || s[1] == 'B'))
                                s++;
                }
                if (*s == 'b' || *s == 'B')
                        s++;
                if (*s)
                        return -EINVAL;
        }

        r = scaled(digits, scale, unit, INT64_MAX, &value);
        if (r < 0)
                return r;

        *ret = value;
        return 0;
}

int parse_size_signed(const char *s, int64_t *ret) {
        uint64_t value;
        int r;

        assert(ret);

        if (s && streq(s, "-1")) {
                *ret = -1;
                return 0;
        }

        r = parse_size(s, &value);
        if (r < 0)
                return r;

        *ret = (int64_t) value;
        return 0;
}

/* clang-format off */
static const struct {
        const char *name;               /* a longer name before its beginning */
        uint64_t ns;
} duration_units[] = {
        { "ns",     1                          },
        { "us",     1000                       },
        { "\u00b5s", 1000                       },     /* micro sign */
        { "\u03bcs", 1000                       },     /* Greek mu */
        { "ms",     1000000                    },
        { "s",      1000000000                 },
        { "m",      60 * UINT64_C(1000000000)  },
        { "h",      3600 * UINT64_C(1000000000) },
};
/* clang-format on */

int parse_duration(const char *s, int64_t *ret_ns) {
        uint64_t total = 0;
        bool negative;
        int r;

        assert(ret_ns);

        if (str_empty(s))
                return -EINVAL;

        negative = *s == '-';
        if (*s == '-' || *s == '+')
                s++;

        if (streq(s, "0")) {
                *ret_ns = 0;
                return 0;
        }

        do {
                uint64_t digits, part, unit = 0;
                unsigned scale;

                r = take_decimal(&s, &digits, &scale);
                if (r < 0)
                        return r;

                for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
                        const char *rest = str_starts(s, duration_units[i].name);

                        if (rest) {
                                unit = duration_units[i].ns;
                                s = rest;
                                break;
                        }
                }
                if (unit == 0)
                        return -EINVAL;

                r = scaled(digits, scale, unit, INT64_MAX, &part);
                if (r < 0)
                        return r;
                if (ADD_OVERFLOWS(total, part, &total) || total > INT64_MAX)
                        return -ERANGE;
        } while (*s);

        *ret_ns = negative ? -(int64_t) total : (int64_t) total;
        return 0;
}
