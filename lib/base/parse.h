/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Text to numbers and back, strictly: the whole string must be the value; no white space, no
 * sign unless allowed, no wrap. All return 0 with *ret set, -EINVAL for text that is no such
 * value, -ERANGE when it does not fit. */

#include <sys/types.h>

#include "lib/base/macro.h"

int parse_u64(const char *s, uint64_t *ret); /* decimal digits only */
int parse_u32(const char *s, uint32_t *ret);
int parse_unsigned(const char *s, unsigned *ret);
int parse_i64(const char *s, int64_t *ret); /* one leading - or + */
int parse_int(const char *s, int *ret);
int parse_double(const char *s, double *ret); /* decimal, finite, independent of the locale */
int parse_mode(const char *s, mode_t *ret);   /* octal, at most 07777 */
int parse_uid(const char *s, uid_t *ret);     /* decimal, at most 2^32 - 2; used for gids as well */
int parse_pid(const char *s, pid_t *ret);     /* 1 … 2^31 - 1 */
int parse_bool(const char *s, bool *ret); /* Go's: 1 t T true TRUE True 0 f F false FALSE False */

/* Docker's sizes: "512", "64m", "1.5GiB", "10 kB"; units b k m g t p, each 1024 of the one
 * before. Bytes. */
int parse_size(const char *s, uint64_t *ret);
/* The same, also "-1" (unlimited), which gives -1. */
int parse_size_signed(const char *s, int64_t *ret);

/* Go's durations: "1h30m", "1.5s", "-300ms", "2us"; a bare "0". Nanoseconds. */
int parse_duration(const char *s, int64_t *ret_ns);

/* "9", "KILL", "SIGKILL", "rtmin+3", any case; 1 … 64. signal_to_string() is in process.h. */
int parse_signal(const char *s, int *ret);

/* "KEY=value": copies of both; the key must not be empty. */
int parse_key_value(const char *s, char **ret_key, char **ret_value);

/* Kernel lists like "0-3,5": checks the syntax, every number below limit, ranges upward. ret_max
 * (or NULL) gets the greatest number. An empty list is -EINVAL. Takes constant memory, whatever
 * the numbers are. */
int parse_cpu_list(const char *s, unsigned limit, unsigned *ret_max);
/* The same as limit bits, number 0 the lowest of the first byte. After a failure set is anything. */
int parse_cpu_set(const char *s, unsigned limit, uint8_t *set);

/* "major:minor" of a device. */
int parse_devnum(const char *s, unsigned *ret_major, unsigned *ret_minor);
