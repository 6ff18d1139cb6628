/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "lib/base/alloc.h"

#define WHITE_SPACE " \t\n\r\v\f"

const char *str_starts(const char *s, const char *prefix) {
        size_t n;

        assert(s);
        assert(prefix);

        n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

const char *str_starts_nocase(const char *s, const char *prefix) {
        size_t n;

        assert(s);
        assert(prefix);

        n = strlen(prefix);
        return strncasecmp(s, prefix, n) == 0 ? s + n : NULL;
}

const char *str_ends(const char *s, const char *suffix) {
        size_t n, m;

        assert(s);
        assert(suffix);

        n = strlen(s);
        m = strlen(suffix);
        return m <= n && memcmp(s + n - m, suffix, m) == 0 ? s + n - m : NULL;
}

bool str_in(const char *s, const char *const *set) {
        assert(set);

        for (; s && *set; set++)
                if (streq(s, *set))
                        return true;
        return false;
}

int str_copy(char **ret, const char *s) {
        char *copy = NULL;

        assert(ret);

        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }
        free(*ret);
        *ret = copy;
        return 0;
}

int str_copy_n(char **ret, const char *s, size_t n) {
        char *copy;

        assert(ret);
        assert(s);

        copy = strndup(s, n);
        if (!copy)
                return -ENOMEM;

        free(*ret);
        *ret = copy;
        return 0;
}

int str_printf(char **ret, const char *format, ...) {
        va_list ap;
        char *s;
        int n;

        assert(ret);
        assert(format);

        va_start(ap, format);
        n = vasprintf(&s, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;

        *ret = s;
        return 0;
}

int str_appendf(char **s, const char *format, ...) {
        _cleanup_(freep) char *more = NULL;
        size_t old, n;
        va_list ap;
        char *p;
        int k;

        assert(s);
        assert(format);

        va_start(ap, format);
        k = vasprintf(&more, format, ap);
        va_end(ap);
        if (k < 0) {
                more = NULL;
                return -ENOMEM;
        }

        if (!*s) {
                *s = TAKE_PTR(more);
                return 0;
        }

        old = strlen(*s);
        n = (size_t) k;
        p = realloc(*s, old + n + 1);
        if (!p)
                return -ENOMEM;

        memcpy(p + old, more, n + 1);
        *s = p;
        return 0;
}

char *str_concat_internal(const char *first, ...) {
        size_t size = 1;
        va_list ap;
        char *s, *p;

        va_start(ap, first);
        for (const char *part = first; part; part = va_arg(ap, const char *))
                size += strlen(part);
        va_end(ap);

        p = s = malloc(size);
        if (!s)
                return NULL;

        va_start(ap, first);
        for (const char *part = first; part; part = va_arg(ap, const char *))
                p = stpcpy(p, part);
        va_end(ap);
        *p = 0;
        return s;
}

char *str_strip(char *s) {
        char *end;

        assert(s);

        s += strspn(s, WHITE_SPACE);
        for (end = s + strlen(s); end > s && strchr(WHITE_SPACE, end[-1]); end--)
                ;
        *end = 0;
        return s;
}

char *str_chomp(char *s) {
        size_t n;

        assert(s);

        for (n = strlen(s); n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r'); n--)
                ;
        s[n] = 0;
        return s;
}

void str_lower(char *s) {
        assert(s);

        for (; *s; s++)
                if (*s >= 'A' && *s <= 'Z')
                        *s += 'a' - 'A';
}

int str_next_word(const char **p, const char *separators, char **ret) {
        const char *s;
        size_t n;
        char *word;

        assert(p && *p);
        assert(separators);
        assert(ret);

        s = *p + strspn(*p, separators);
        n = strcspn(s, separators);
        if (n == 0) {
                *p = s;
                return 0;
        }

        word = alloc_copy0(s, n);
        if (!word)
                return -ENOMEM;

        *p = s + n;
        *ret = word;
        return 1;
}

int str_split_pair(const char *s, char separator, char **ret_left, char **ret_right) {
        _cleanup_(freep) char *left = NULL;
        const char *at;
        char *right;

        assert(s);
        assert(ret_left);
        assert(ret_right);

        at = strchr(s, separator);
        if (!at || separator == 0)
                return -EINVAL;

        left = alloc_copy0(s, (size_t) (at - s));
        right = strdup(at + 1);
        if (!left || !right) {
                free(right);
                return -ENOMEM;
        }

        *ret_left = TAKE_PTR(left);
        *ret_right = right;
        return 0;
}

bool str_is_ascii_printable(const char *s) {
        assert(s);

        for (; *s; s++)
                if (*s < 0x20 || *s > 0x7e)
                        return false;
        return true;
}

bool str_has_control(const char *s) {
        assert(s);

        for (; *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        return true;
        return false;
}

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -1;
}

bool str_is_hex(const char *s, size_t n) {
        assert(s);

        for (size_t i = 0; i < n; i++)
                if (hex_value(s[i]) < 0)
                        return false;
        return s[n] == 0;
}

void str_hex(const void *data, size_t size, char *ret) {
        static const char digits[] = "0123456789abcdef";
        const uint8_t *p = data;

        assert(data || size == 0);
        assert(ret);

        for (size_t i = 0; i < size; i++) {
                ret[2 * i] = digits[p[i] >> 4];
                ret[2 * i + 1] = digits[p[i] & 15];
        }
        ret[2 * size] = 0;
}

int str_unhex(const char *s, size_t n, void *ret) {
        uint8_t *p = ret;

        assert(s || n == 0);
        assert(ret || n == 0);

        if (n % 2)
                return -EINVAL;

        for (size_t i = 0; i < n; i += 2) {
                int high = hex_value(s[i]), low = high < 0 ? -1 : hex_value(s[i + 1]);

                if (low < 0)
                        return -EINVAL;
                p[i / 2] = (uint8_t) (high << 4 | low);
        }
        return 0;
}

/* One [set] at *p ("[" consumed); whether c is in it. An unclosed set matches a literal '['. */
static bool pattern_set(const char **p, char c) {
        const char *s = *p;
        bool negated, found = false;

        negated = *s == '!' || *s == '^';
        s += negated;

        for (bool first = true; *s && (first || *s != ']'); first = false) {
                unsigned char low = (unsigned char) *s++, high = low;

                if (s[0] == '-' && s[1] && s[1] != ']') {
                        high = (unsigned char) s[1];
                        s += 2;
                }
                if ((unsigned char) c >= low && (unsigned char) c <= high)
                        found = true;
        }
        if (*s != ']')
                return c == '[';

        *p = s + 1;
        return found != negated;
}

bool str_matches(const char *pattern, const char *s) {
        const char *star = NULL, *resume = NULL;

        assert(pattern);
        assert(s);

        /* On a mismatch only the last star takes one more byte, so the work is at most pattern ×
         * text. */
        while (*s) {
                const char *next = pattern + 1;
                bool fits;

                if (*pattern == '*') {
                        star = ++pattern;
                        resume = s;
                        continue;
                }

                if (*pattern == '[')
                        fits = pattern_set(&next, *s);
                else if (*pattern == '\\' && pattern[1])
                        fits = *next++ == *s;
                else
                        fits = *pattern == '?' || (*pattern && *pattern == *s);

                if (fits) {
                        pattern = next;
                        s++;
                } else if (star) {
                        pattern = star;
                        s = ++resume;
                } else
                        return false;
        }

        while (*pattern == '*')
                pattern++;
        return !*pattern;
}

int str_table_find(const char *const *table, size_t n, const char *s) {
        assert(table);

        for (size_t i = 0; s && i < n; i++)
                if (table[i] && streq(table[i], s))
                        return (int) i;
        return -EINVAL;
}
