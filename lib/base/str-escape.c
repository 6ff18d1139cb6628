/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/str.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

/* Length of the UTF-8 sequence at s (n bytes left) and its code point; 0 when it is not valid. */
static size_t utf8_decode(const unsigned char *s, size_t n, uint32_t *ret) {
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t length;
        uint32_t c;

        if (s[0] < 0x80) {
                *ret = s[0];
                return 1;
        }
        if (s[0] >= 0xc2 && s[0] <= 0xdf) {
                length = 2;
                c = s[0] & 0x1f;
        } else if ((s[0] & 0xf0) == 0xe0) {
                length = 3;
                c = s[0] & 0x0f;
        } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
                length = 4;
                c = s[0] & 0x07;
        } else
                return 0;

        if (n < length)
                return 0;
        for (size_t i = 1; i < length; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }
        if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;

        *ret = c;
        return length;
}

bool str_is_utf8(const char *s, size_t n) {
        const unsigned char *p = (const unsigned char *) s;

        assert(s || n == 0);

        while (n > 0) {
                uint32_t c;
                size_t k = utf8_decode(p, n, &c);

                if (k == 0 || c == 0)
                        return false;
                p += k;
                n -= k;
        }
        return true;
}

typedef struct Range Range;

struct Range {
        uint32_t first, last;
};

/* What changes the look of other text or is not seen: controls, soft hyphen, zero width, bidi
 * marks and overrides, line and paragraph separators, invisible operators, annotations,
 * variation selectors, tags, private use. Sorted. */
static const Range harmful[] = {
        { 0x00, 0x1f },
        { 0x7f, 0x9f },
        { 0xad, 0xad },
        { 0x034f, 0x034f },
        { 0x061c, 0x061c },
        { 0x115f, 0x1160 },
        { 0x17b4, 0x17b5 },
        { 0x180b, 0x180f },
        { 0x200b, 0x200f },
        { 0x2028, 0x202e },
        { 0x2060, 0x206f },
        { 0x3164, 0x3164 },
        { 0xe000, 0xf8ff },
        { 0xfe00, 0xfe0f },
        { 0xfeff, 0xfeff },
        { 0xffa0, 0xffa0 },
        { 0xfff0, 0xfffb },
        { 0xfffe, 0xffff },
        { 0x1d173, 0x1d17a },
        { 0xe0000, 0x10ffff },
};

static bool is_harmful(uint32_t c) {
        if (c >= 0x20 && c < 0x7f)
                return false;

        for (size_t i = 0; i < ARRAY_SIZE(harmful); i++)
                if (c <= harmful[i].last)
                        return c >= harmful[i].first;
        return false;
}

/* How many bytes at s are one harmless character; 0 when the first byte must be escaped. */
static size_t harmless(const char *s, size_t n, bool lines) {
        uint32_t c;
        size_t k;

        k = utf8_decode((const unsigned char *) s, n, &c);
        if (k == 0)
                return 0;
        if (lines && (c == '\n' || c == '\t'))
                return k;
        return is_harmful(c) ? 0 : k;
}

/* A harmful character is escaped byte by byte: its continuation bytes alone are no UTF-8. */
static char *escape(const char *s, size_t n, bool lines) {
        size_t size = 1;
        char *escaped, *p;

        for (size_t i = 0; i < n;) {
                size_t k = harmless(s + i, n - i, lines);

                size += k ? k : 4;
                i += k ? k : 1;
        }

        p = escaped = malloc(size);
        if (!escaped)
                return NULL;

        for (size_t i = 0; i < n;) {
                size_t k = harmless(s + i, n - i, lines);

                if (k > 0) {
                        p = mempcpy(p, s + i, k);
                        i += k;
                } else {
                        *p++ = '\\';
                        *p++ = 'x';
                        str_hex(s + i++, 1, p);
                        p += 2;
                }
        }
        *p = 0;
        return escaped;
}

char *str_escape_terminal_n(const char *s, size_t n) {
        assert(s || n == 0);

        return escape(s, n, /* lines= */ false);
}

char *str_escape_terminal(const char *s) {
        return escape(str_or_empty(s), strlen(str_or_empty(s)), /* lines= */ false);
}

char *str_escape_terminal_lines(const char *s) {
        return escape(str_or_empty(s), strlen(str_or_empty(s)), /* lines= */ true);
}

/* Four digits of one UTF-16 unit. */
static char *append_unit(char *p, uint32_t unit) {
        const unsigned char bytes[] = { (unsigned char) (unit >> 8), (unsigned char) unit };

        p = mempcpy(p, "\\u", 2);
        str_hex(bytes, sizeof(bytes), p);
        return p + 4;
}

char *str_escape_json(const char *s) {
        size_t n = strlen(str_or_empty(s));
        char *escaped, *p;

        /* A code point of one byte makes six, one of four bytes makes twelve. */
        p = escaped = alloc_array(n + 1, 6);
        if (!escaped)
                return NULL;

        for (size_t i = 0; i < n;) {
                size_t k = harmless(s + i, n - i, /* lines= */ true);
                uint32_t c = (unsigned char) s[i];

                if (k > 0)
                        p = mempcpy(p, s + i, k);
                else {
                        k = utf8_decode((const unsigned char *) s + i, n - i, &c);
                        k = MAX(k, (size_t) 1);
                        if (c > 0xffff) {
                                p = append_unit(p, 0xd800 + ((c - 0x10000) >> 10));
                                c = 0xdc00 + ((c - 0x10000) & 0x3ff);
                        }
                        p = append_unit(p, c);
                }
                i += k;
        }
        *p = 0;
        return escaped;
}

bool str_needs_escape(const char *s) {
        size_t n;

        assert(s);

        n = strlen(s);
        for (size_t i = 0, k; i < n; i += k) {
                k = harmless(s + i, n - i, /* lines= */ false);
                if (k == 0)
                        return true;
        }
        return false;
}

char *str_quote_shell(const char *s) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                    "%+,-./:=@_";
        size_t size = 3;
        char *quoted, *p;

        assert(s);

        if (s[0] && !s[strspn(s, plain)])
                return strdup(s);

        for (const char *c = s; *c; c++)
                size += *c == '\'' ? 4 : 1;

        p = quoted = malloc(size);
        if (!quoted)
                return NULL;

        *p++ = '\'';
        for (const char *c = s; *c; c++)
                if (*c == '\'')
                        p = stpcpy(p, "'\\''");
                else
                        *p++ = *c;
        *p++ = '\'';
        *p = 0;
        return quoted;
}
