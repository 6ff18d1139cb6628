/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define SECONDS_PER_DAY  INT64_C(86400)
#define NEVER_TEXT       "0001-01-01T00:00:00Z"
#define NEVER_TEXT_FIXED "0001-01-01T00:00:00.000000000Z"

uint64_t clock_usec(clockid_t id) {
        struct timespec ts;
        int r;

        r = clock_gettime(id, &ts);
        assert(r >= 0);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) (ts.tv_nsec / NSEC_PER_USEC);
}

uint64_t clock_monotonic_us(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_us(void) {
        return clock_usec(CLOCK_BOOTTIME);
}

int64_t clock_realtime_ns(void) {
        struct timespec ts;
        int r;

        r = clock_gettime(CLOCK_REALTIME, &ts);
        assert(r >= 0);
        return (int64_t) ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Days since 1970 and back, in the Gregorian calendar; a year begins in March, so that the leap
 * day is its last. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day) {
        int64_t era, day_of_era;
        unsigned year_of_era, day_of_year;

        year -= month <= 2;
        era = (year >= 0 ? year : year - 399) / 400;
        year_of_era = (unsigned) (year - era * 400);
        day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        day_of_era =
                (int64_t) year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day) {
        int64_t era;
        unsigned day_of_era, year_of_era, day_of_year, month;

        days += 719468;
        era = (days >= 0 ? days : days - 146096) / 146097;
        day_of_era = (unsigned) (days - era * 146097);
        year_of_era =
                (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        month = (5 * day_of_year + 2) / 153;

        *ret_day = day_of_year - (153 * month + 2) / 5 + 1;
        *ret_month = month < 10 ? month + 3 : month - 9;
        *ret_year = (int) (year_of_era + era * 400) + (*ret_month <= 2);
}

static char *format_time(int64_t ns, bool fixed, char ret[static CLOCK_TEXT_SIZE]) {
        int64_t seconds = ns / NSEC_PER_SEC, fraction = ns % NSEC_PER_SEC, days, rest;
        unsigned month, day;
        int year, n;

        if (ns == CLOCK_NEVER) {
                (void) snprintf(ret, CLOCK_TEXT_SIZE, "%s", fixed ? NEVER_TEXT_FIXED : NEVER_TEXT);
                return ret;
        }

        if (fraction < 0) {
                fraction += NSEC_PER_SEC;
                seconds--;
        }
        days = seconds / SECONDS_PER_DAY;
        rest = seconds % SECONDS_PER_DAY;
        if (rest < 0) {
                rest += SECONDS_PER_DAY;
                days--;
        }
        date_from_days(days, &year, &month, &day);

        n = snprintf(ret, CLOCK_TEXT_SIZE, "%04i-%02u-%02uT%02u:%02u:%02u", year, month, day,
                (unsigned) (rest / 3600), (unsigned) (rest / 60 % 60), (unsigned) (rest % 60));
        if (fixed || fraction > 0) {
                n += snprintf(ret + n, CLOCK_TEXT_SIZE - (size_t) n, ".%09u", (unsigned) fraction);
                while (!fixed && ret[n - 1] == '0')
                        n--;
        }
        ret[n] = 'Z';
        ret[n + 1] = 0;
        return ret;
}

char *clock_format(int64_t ns, char ret[static CLOCK_TEXT_SIZE]) {
        return format_time(ns, /* fixed= */ false, ret);
}

char *clock_format_fixed(int64_t ns, char ret[static CLOCK_TEXT_SIZE]) {
        return format_time(ns, /* fixed= */ true, ret);
}

/* Exactly n digits at *p with a value in [low, high]. */
static int take_digits(const char **p, unsigned n, unsigned low, unsigned high, unsigned *ret) {
        unsigned value = 0;

        for (unsigned i = 0; i < n; i++) {
                char c = (*p)[i];

                if (c < '0' || c > '9')
                        return -EINVAL;
                value = value * 10 + (unsigned) (c - '0');
        }
        if (value < low || value > high)
                return -EINVAL;

        *p += n;
        *ret = value;
        return 0;
}

static bool take_char(const char **p, char c) {
        if (**p != c)
                return false;

        (*p)++;
        return true;
}

static int take_fraction(const char **p, int64_t *ret_ns) {
        int64_t value = 0, unit = NSEC_PER_SEC;

        if (**p < '0' || **p > '9')
                return -EINVAL;

        for (; **p >= '0' && **p <= '9'; (*p)++) {
                unit /= 10;
                value += (**p - '0') * unit;
        }
        *ret_ns = value;
        return 0;
}

static int take_zone(const char **p, int64_t *ret_seconds) {
        unsigned hours, minutes;
        int sign;

        if (take_char(p, 'Z')) {
                *ret_seconds = 0;
                return 0;
        }

        sign = take_char(p, '+') ? 1 : take_char(p, '-') ? -1 : 0;
        if (sign == 0 || take_digits(p, 2, 0, 24, &hours) < 0 || !take_char(p, ':') ||
                take_digits(p, 2, 0, 59, &minutes) < 0)
                return -EINVAL;

        *ret_seconds = sign * (int64_t) (hours * 3600 + minutes * 60);
        return 0;
}

/* short_forms: what docker's since= may leave out at the end of date, time and zone. */
static int parse_time(const char *s, bool short_forms, int64_t *ret_ns) {
        static const unsigned month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        unsigned year, month, day, hour = 0, minute = 0, second = 0, last;
        int64_t fraction = 0, zone = 0, seconds;
        const char *p = s;

        if (!s)
                return -EINVAL;

        if (take_digits(&p, 4, 0, 9999, &year) < 0 || !take_char(&p, '-') ||
                take_digits(&p, 2, 1, 12, &month) < 0 || !take_char(&p, '-'))
                return -EINVAL;

        last = month_days[month - 1] +
               (month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));
        if (take_digits(&p, 2, 1, last, &day) < 0)
                return -EINVAL;

        if (take_char(&p, 'T')) {
                bool more = true;

                if (take_digits(&p, 2, 0, 23, &hour) < 0)
                        return -EINVAL;
                for (unsigned i = 0; i < 2 && more; i++) {
                        more = take_char(&p, ':');
                        if (more && take_digits(&p, 2, 0, 59, i == 0 ? &minute : &second) < 0)
                                return -EINVAL;
                }
                if (!more && !short_forms)
                        return -EINVAL;
                if (more && take_char(&p, '.') && take_fraction(&p, &fraction) < 0)
                        return -EINVAL;
        } else if (!short_forms)
                return -EINVAL;

        if ((*p || !short_forms) && take_zone(&p, &zone) < 0)
                return -EINVAL;
        if (*p)
                return -EINVAL;

        seconds = days_from_date(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 +
                  second - zone;
        if (year == 1 && seconds == days_from_date(1, 1, 1) * SECONDS_PER_DAY) {
                *ret_ns = CLOCK_NEVER;
                return 0;
        }
        if (year < 1678 || year > 2261)
                return -ERANGE;

        *ret_ns = seconds * NSEC_PER_SEC + fraction;
        return 0;
}

int clock_parse(const char *s, int64_t *ret_ns) {
        assert(ret_ns);

        return parse_time(s, /* short_forms= */ false, ret_ns);
}

/* "1136073845.000000001" */
static int parse_seconds(const char *s, int64_t *ret_ns) {
        _cleanup_(freep) char *whole = NULL, *rest = NULL;
        int64_t seconds, fraction = 0;
        const char *p;
        int r;

        r = str_split_pair(s, '.', &whole, &rest);
        if (r == -ENOMEM)
                return r;
        r = parse_i64(whole ? whole : s, &seconds);
        if (r < 0)
                return r;
        if (rest) {
                p = rest;
                if (take_fraction(&p, &fraction) < 0 || *p)
                        return -EINVAL;
        }

        if (MUL_OVERFLOWS(seconds, NSEC_PER_SEC, &seconds) ||
                ADD_OVERFLOWS(seconds, seconds < 0 ? -fraction : fraction, &seconds))
                return -ERANGE;

        *ret_ns = seconds;
        return 0;
}

int clock_parse_point(const char *s, int64_t now_ns, int64_t *ret_ns) {
        int64_t value;
        int r;

        assert(ret_ns);

        r = parse_time(s, /* short_forms= */ true, &value);
        if (r == -EINVAL && s)
                r = parse_seconds(s, &value);
        if (r == -EINVAL && s) {
                r = parse_duration(s, &value);
                if (r >= 0 && __builtin_sub_overflow(now_ns, value, &value))
                        r = -ERANGE;
        }
        if (r < 0)
                return r;

        *ret_ns = value;
        return 0;
}
