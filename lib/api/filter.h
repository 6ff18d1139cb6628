/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Docker's filter expressions: {"name":{"x":true}} and the older {"name":["x"]}. Values of one
 * key are OR-ed, keys are AND-ed, except "label" and "label!", whose values must all hold.
 *
 * A Filter belongs to its request. NULL and an empty filter let everything pass. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct Filter Filter;

#define FILTER_SIZE_MAX   ((size_t) 64 * 1024)
#define FILTER_VALUES_MAX 1000U

/* keys: NULL-terminated list of what the endpoint knows (NULL: any); another one gives
 * "invalid filter 'k'". text NULL or "" gives an empty filter. */
int filter_parse(const char *text, const char *const *keys, Filter **ret, Error *reterr);
int filter_new(Filter **ret);
int filter_add(Filter *f, const char *key,
        const char *value); /* for the bus, which sends a(ss) or a{sas} */
int filter_check_keys(const Filter *f, const char *const *keys, Error *reterr);
Filter *filter_free(Filter *f);
DEFINE_CLEANUP(Filter *, filter_free);

bool filter_has(const Filter *f, const char *key);
char *const *filter_values(const Filter *f, const char *key); /* NULL: key not given */

/* Each says whether the object passes this key; true when the key is not given. */
bool filter_match_exact(const Filter *f, const char *key, const char *value);
bool filter_match_prefix(const Filter *f, const char *key,
        const char *value); /* a filter value is a prefix of value */
bool filter_match_any(
        const Filter *f, const char *key, char *const *values); /* one of values is named */
/* Equal, or the value is found by a filter value taken as regular expression (POSIX extended
 * with \w, \s, \b; Go's \d and (?i) are not known). As in Docker one that does not compile finds
 * nothing; nor does one that would cost too much. */
bool filter_match_pattern(const Filter *f, const char *key, const char *value);
/* The same for names that are written with and without a "/" before them. */
bool filter_match_name(const Filter *f, const char *key, const char *name);
/* "label" (k or k=v) all there, and not all of "label!" there. */
bool filter_match_labels(const Filter *f, char *const *pairs);

/* One switch, "1", "0", "true" or "false": -ENOENT not given (ret unchanged), -EINVAL with text. */
int filter_get_bool(const Filter *f, const char *key, bool *ret, Error *reterr);
