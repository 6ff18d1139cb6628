/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Time. Wall-clock points are int64_t nanoseconds since 1970 (what Docker's API shows);
 * deadlines are uint64_t microseconds of CLOCK_MONOTONIC (what sd-event takes). */

#include <inttypes.h>
#include <time.h>

#include "lib/base/macro.h"

#define USEC_PER_MSEC   UINT64_C(1000)
#define USEC_PER_SEC    UINT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY    (24 * USEC_PER_HOUR)
#define USEC_INFINITE   UINT64_MAX
#define NSEC_PER_USEC   INT64_C(1000)
#define NSEC_PER_MSEC   INT64_C(1000000)
#define NSEC_PER_SEC    INT64_C(1000000000)

/* "Never": what Go prints as 0001-01-01T00:00:00Z. Parsed and printed as that. */
#define CLOCK_NEVER INT64_MIN

int64_t clock_realtime_ns(void);
uint64_t clock_monotonic_us(void);
uint64_t clock_boottime_us(void);
uint64_t clock_usec(clockid_t id);

#define CLOCK_TEXT_SIZE sizeof("2006-01-02T15:04:05.999999999+00:00")

/* RFC 3339 in UTC as Go's RFC3339Nano: zeros at the end of the fraction left out, so is an empty
 * fraction. Returns ret. */
char *clock_format(int64_t ns, char ret[static CLOCK_TEXT_SIZE]);
/* The same with always nine digits, as in log files. */
char *clock_format_fixed(int64_t ns, char ret[static CLOCK_TEXT_SIZE]);

/* RFC 3339: "2026-03-01T12:00:00[.fraction](Z|±hh:mm)", years 1678 … 2261 and the Never. More
 * than nine digits are cut. */
int clock_parse(const char *s, int64_t *ret_ns);
/* What docker's since= and until= take: RFC 3339 (seconds, minutes or all of the time may be
 * missing, zone too: then UTC), seconds since 1970 with a fraction ("1136073845.000000001"), or
 * a Go duration before now ("10m"). */
int clock_parse_point(const char *s, int64_t now_ns, int64_t *ret_ns);

/* a + b that stays at USEC_INFINITE instead of wrapping. */
static inline uint64_t usec_add(uint64_t a, uint64_t b) {
        return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}
