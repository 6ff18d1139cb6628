/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Strings: predicates, copies, formatting, escapes. NULL is accepted where the comment says so. */

#include <string.h>

#include "lib/base/macro.h"

/* NULL equals NULL only. */
static inline bool str_equal(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}
#define streq(a, b) (strcmp(a, b) == 0)

static inline bool str_empty(const char *s) {
        return !s || !s[0];
}
static inline const char *str_or(const char *s, const char *otherwise) {
        return s ? s : otherwise;
}
static inline const char *str_or_empty(const char *s) {
        return s ? s : "";
}

/* Where the rest begins when s starts with prefix, else NULL. */
const char *str_starts(const char *s, const char *prefix) _pure_;
const char *str_starts_nocase(const char *s, const char *prefix) _pure_;
/* Where the suffix begins when s ends with it, else NULL. */
const char *str_ends(const char *s, const char *suffix) _pure_;
bool str_in(const char *s, const char *const *set) _pure_; /* NULL-terminated set */
#define STR_IN_SET(s, ...) str_in(s, (const char *const[]) { __VA_ARGS__, NULL })

/* Replaces *ret by a copy of s (NULL: by NULL), freeing the old value. 0 or -ENOMEM, then *ret
 * is unchanged. */
int str_copy(char **ret, const char *s);
int str_copy_n(char **ret, const char *s, size_t n); /* at most n bytes */

/* asprintf() with our kind of answer: 0, or -ENOMEM with *ret unchanged. The old *ret is not
 * freed. */
int str_printf(char **ret, const char *format, ...) _printf_(2, 3);
/* Appends to *s (NULL counts as empty), replacing it. */
int str_appendf(char **s, const char *format, ...) _printf_(2, 3);
/* All arguments until NULL, joined without a separator; NULL when out of memory. */
char *str_concat_internal(const char *first, ...) _sentinel_;
#define str_concat(...) str_concat_internal(__VA_ARGS__, NULL)

char *str_strip(char *s); /* in place: white space at both ends; returns the new start */
char *str_chomp(char *s); /* in place: newlines at the end */
void str_lower(char *s);  /* in place, ASCII only */

/* Cuts the next word from *p: skips separators, returns 1 with a copy, 0 at the end, -ENOMEM. */
int str_next_word(const char **p, const char *separators, char **ret);
/* Splits "a=b" at the first separator: both copies; -EINVAL when it is not there. */
int str_split_pair(const char *s, char separator, char **ret_left, char **ret_right);

bool str_is_ascii_printable(const char *s) _pure_; /* 0x20 … 0x7e only */
bool str_is_hex(const char *s, size_t n) _pure_; /* exactly n lower-case hex digits, then the end */
bool str_is_utf8(
        const char *s, size_t n) _pure_;    /* strict: no surrogates, no overlong forms, no NUL */
bool str_has_control(const char *s) _pure_; /* any byte below 0x20 or 0x7f */

/* Rule R12: makes text harmless for a terminal, a log or a bus error. Control characters (C0,
 * C1, also as UTF-8), line and paragraph separators, bidi and zero-width marks and broken UTF-8
 * become \xHH (per byte); all other text, also non-ASCII letters, stays, and so does a single
 * backslash. NULL gives an empty string. */
char *str_escape_terminal(const char *s);
char *str_escape_terminal_n(const char *s, size_t n);
/* The same but with tabs and newlines kept, for text of several lines. */
char *str_escape_terminal_lines(const char *s);
/* The same for printed JSON: what harms becomes \uXXXX, so that it is still the same document. */
char *str_escape_json(const char *s);
bool str_needs_escape(const char *s) _pure_;

/* "it's" as one word of a POSIX shell: 'it'\''s'; plain words stay as they are. NULL when out of
 * memory. */
char *str_quote_shell(const char *s);

/* 2 * size lower-case digits and a NUL into ret. */
void str_hex(const void *data, size_t size, char *ret);
int str_unhex(const char *s, size_t n, void *ret); /* n digits, n even; -EINVAL */

/* Shell-style pattern: * and ? and [set]; linear in practice, no backtracking blow-up. */
bool str_matches(const char *pattern, const char *s) _pure_;

/* DEFINE_STRING_TABLE(policy, Policy) in a .c file beside "static const char *const
 * policy_table[_POLICY_MAX]" makes const char *policy_to_string(Policy) (NULL when out of range)
 * and Policy policy_from_string(const char *) (-EINVAL). */
int str_table_find(const char *const *table, size_t n, const char *s) _pure_;
#define DEFINE_STRING_TABLE(name, type)                                                  \
        const char *name##_to_string(type value) {                                       \
                if ((int) value < 0 || (size_t) value >= ARRAY_SIZE(name##_table))       \
                        return NULL;                                                     \
                return name##_table[value];                                              \
        }                                                                                \
        type name##_from_string(const char *s) {                                         \
                return (type) str_table_find(name##_table, ARRAY_SIZE(name##_table), s); \
        }                                                                                \
        struct name##_table_needs_a_semicolon
