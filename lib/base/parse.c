/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/parse.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/process.h"
#include "lib/base/str.h"

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Decimal digits at *p, at least one; moves behind them. */
static int take_u64(const char **p, uint64_t *ret) {
        uint64_t value = 0;
        const char *s = *p;

        if (!is_digit(*s))
                return -EINVAL;

        for (; is_digit(*s); s++)
                if (MUL_OVERFLOWS(value, (uint64_t) 10, &value) ||
                        ADD_OVERFLOWS(value, (uint64_t) (*s - '0'), &value))
                        return -ERANGE;

        *p = s;
        *ret = value;
        return 0;
}

int parse_u64(const char *s, uint64_t *ret) {
        uint64_t value;
        int r;

        assert(ret);

        if (!s || s[strspn(s, "0123456789")])
                return -EINVAL;

        r = take_u64(&s, &value);
        if (r < 0)
                return r;

        *ret = value;
        return 0;
}

static int parse_limited(const char *s, uint64_t max, uint64_t *ret) {
        uint64_t value;
        int r;

        r = parse_u64(s, &value);
        if (r < 0)
                return r;
        if (value > max)
                return -ERANGE;

        *ret = value;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret) {
        uint64_t value;
        int r;

        assert(ret);

        r = parse_limited(s, UINT32_MAX, &value);
        if (r < 0)
                return r;

        *ret = (uint32_t) value;
        return 0;
}

int parse_unsigned(const char *s, unsigned *ret) {
        return parse_u32(s, ret);
}

int parse_uid(const char *s, uid_t *ret) {
        uint64_t value;
        int r;

        assert(ret);

        r = parse_limited(s, UINT32_MAX - 1, &value);
        if (r < 0)
                return r;

        *ret = (uid_t) value;
        return 0;
}

int parse_pid(const char *s, pid_t *ret) {
        uint64_t value;
        int r;

        assert(ret);

        r = parse_limited(s, INT32_MAX, &value);
        if (r < 0)
                return r;
        if (value == 0)
                return -ERANGE;

        *ret = (pid_t) value;
        return 0;
}

int parse_i64(const char *s, int64_t *ret) {
        bool negative;
        uint64_t value;
        int r;

        assert(ret);

        if (!s)
                return -EINVAL;

        negative = *s == '-';
        if (*s == '-' || *s == '+')
                s++;

        r = parse_u64(s, &value);
        if (r < 0)
                return r;
        if (value > (uint64_t) INT64_MAX + negative)
                return -ERANGE;

        *ret = negative ? (int64_t) -value : (int64_t) value;
        return 0;
}

int parse_int(const char *s, int *ret) {
        int64_t value;
        int r;

        assert(ret);

        r = parse_i64(s, &value);
        if (r < 0)
                return r;
        if (value < INT_MIN || value > INT_MAX)
                return -ERANGE;

        *ret = (int) value;
        return 0;
}

/* Digits, an optional fraction, an optional exponent: what strtod() would also take (hex, inf,
 * nan, the locale's comma, white space) is refused, and no program of ours calls
 * setlocale(LC_NUMERIC). */
int parse_double(const char *s, double *ret) {
        const char *p = s;
        double value;
        size_t digits;

        assert(ret);

        if (!p)
                return -EINVAL;

        p += *p == '-' || *p == '+';
        digits = strspn(p, "0123456789");
        p += digits;
        if (*p == '.') {
                size_t fraction = strspn(p + 1, "0123456789");

                digits += fraction;
                p += 1 + fraction;
        }
        if (digits == 0)
                return -EINVAL;
        if (*p == 'e' || *p == 'E') {
                p++;
                p += *p == '-' || *p == '+';
                if (!is_digit(*p))
                        return -EINVAL;
                p += strspn(p, "0123456789");
        }
        if (*p)
                return -EINVAL;

        value = strtod(s, NULL);
        if (!isfinite(value))
                return -ERANGE;

        *ret = value;
        return 0;
}

int parse_mode(const char *s, mode_t *ret) {
        unsigned value = 0;

        assert(ret);

        if (str_empty(s))
                return -EINVAL;

        for (const char *p = s; *p; p++) {
                if (*p < '0' || *p > '7')
                        return -EINVAL;
                value = value * 8 + (unsigned) (*p - '0');
                if (value > 07777)
                        return -ERANGE;
        }

        *ret = (mode_t) value;
        return 0;
}

int parse_bool(const char *s, bool *ret) {
        assert(ret);

        if (STR_IN_SET(s, "1", "t", "T", "true", "TRUE", "True"))
                *ret = true;
        else if (STR_IN_SET(s, "0", "f", "F", "false", "FALSE", "False"))
                *ret = false;
        else
                return -EINVAL;
        return 0;
}

int parse_key_value(const char *s, char **ret_key, char **ret_value) {
        if (str_empty(s) || s[0] == '=')
                return -EINVAL;

        return str_split_pair(s, '=', ret_key, ret_value);
}

int parse_signal(const char *s, int *ret) {
        const char *name, *rest;
        int number, r;

        assert(ret);

        if (str_empty(s))
                return -EINVAL;

        if (is_digit(*s)) {
                r = parse_int(s, &number);
                if (r < 0)
                        return r;
                if (number < 1 || number > 64)
                        return -ERANGE;
                *ret = number;
                return 0;
        }

        name = str_starts_nocase(s, "SIG");
        name = name ? name : s;

        /* Docker's table counts from the kernel's numbers as libc leaves them: 34 and 64. */
        rest = str_starts_nocase(name, "RTMIN");
        if (rest) {
                number = 34;
                if (*rest) {
                        unsigned offset;

                        r = *rest == '+' ? parse_unsigned(rest + 1, &offset) : -EINVAL;
                        if (r < 0)
                                return r;
                        if (offset > 30)
                                return -ERANGE;
                        number += (int) offset;
                }
                *ret = number;
                return 0;
        }
        rest = str_starts_nocase(name, "RTMAX");
        if (rest) {
                number = 64;
                if (*rest) {
                        unsigned offset;

                        r = *rest == '-' ? parse_unsigned(rest + 1, &offset) : -EINVAL;
                        if (r < 0)
                                return r;
                        if (offset > 30)
                                return -ERANGE;
                        number -= (int) offset;
                }
                *ret = number;
                return 0;
        }

        if (strcasecmp(name, "CLD") == 0)
                name = "CHLD";
        else if (strcasecmp(name, "IOT") == 0)
                name = "ABRT";
        else if (strcasecmp(name, "POLL") == 0)
                name = "IO";

        for (number = 1; number < 32; number++)
                if (strcasecmp(signal_to_string(number) + STRLEN("SIG"), name) == 0) {
                        *ret = number;
                        return 0;
                }
        return -EINVAL;
}

/* A range with the comma behind it, then 1; without one, at the end, 0. */
static int take_range(const char **s, unsigned limit, unsigned *ret_first, unsigned *ret_last) {
        uint64_t first, last;
        int r;

        r = take_u64(s, &first);
        if (r < 0)
                return r;
        last = first;
        if (**s == '-') {
                (*s)++;
                r = take_u64(s, &last);
                if (r < 0)
                        return r;
        }
        if (last < first)
                return -EINVAL;
        if (last >= limit)
                return -ERANGE;

        *ret_first = (unsigned) first;
        *ret_last = (unsigned) last;
        if (!**s)
                return 0;
        return *(*s)++ == ',' ? 1 : -EINVAL;
}

int parse_cpu_list(const char *s, unsigned limit, unsigned *ret_max) {
        unsigned max = 0, first, last;
        int r;

        if (!s)
                return -EINVAL;

        do {
                r = take_range(&s, limit, &first, &last);
                if (r < 0)
                        return r;
                max = MAX(max, last);
        } while (r > 0);

        if (ret_max)
                *ret_max = max;
        return 0;
}

int parse_cpu_set(const char *s, unsigned limit, uint8_t *set) {
        unsigned first, last;
        int r;

        assert(set);

        if (!s)
                return -EINVAL;

        memset(set, 0, (limit + 7) / 8);
        do {
                r = take_range(&s, limit, &first, &last);
                if (r < 0)
                        return r;
                for (unsigned i = first; i <= last; i++)
                        set[i / 8] |= (uint8_t) (1U << (i % 8));
        } while (r > 0);
        return 0;
}

int parse_devnum(const char *s, unsigned *ret_major, unsigned *ret_minor) {
        uint64_t major, minor;
        int r;

        assert(ret_major);
        assert(ret_minor);

        if (!s)
                return -EINVAL;

        r = take_u64(&s, &major);
        if (r < 0)
                return r;
        if (*s++ != ':')
                return -EINVAL;
        r = take_u64(&s, &minor);
        if (r < 0)
                return r;
        if (*s)
                return -EINVAL;
        if (major > 0xfff || minor > 0xfffff)
                return -ERANGE;

        *ret_major = (unsigned) major;
        *ret_minor = (unsigned) minor;
        return 0;
}
