/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/json-line.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

/* Bytes that stand for themselves inside Docker's strings: ASCII but for controls, quote, backslash and what HTML would take. */
static bool is_plain(unsigned char c) {
        return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

size_t json_line_utf8_length(const char *text, size_t n) {
        const unsigned char *s = (const unsigned char *) text;
        static const struct {
                unsigned char low, high, second_low, second_high;
                size_t length;
        } kinds[] = {
                { 0xc2, 0xdf, 0x80, 0xbf, 2 },
                { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, /* no overlong forms */
                { 0xe1, 0xec, 0x80, 0xbf, 3 },
                { 0xed, 0xed, 0x80, 0x9f, 3 }, /* no surrogates */
                { 0xee, 0xef, 0x80, 0xbf, 3 },
                { 0xf0, 0xf0, 0x90, 0xbf, 4 },
                { 0xf1, 0xf3, 0x80, 0xbf, 4 },
                { 0xf4, 0xf4, 0x80, 0x8f, 4 },
        };

        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
                if (s[0] < kinds[k].low || s[0] > kinds[k].high)
                        continue;
                if (n < kinds[k].length || s[1] < kinds[k].second_low ||
                        s[1] > kinds[k].second_high)
                        return 0;
                for (size_t i = 2; i < kinds[k].length; i++)
                        if ((s[i] & 0xc0) != 0x80)
                                return 0;
                return kinds[k].length;
        }
        return 0;
}

static char *put(char *to, const char *text, size_t n) {
        memcpy(to, text, n);
        return to + n;
}

static char *put_control(char *to, unsigned char c) {
        static const char digits[] = "0123456789abcdef";

        to = put(to, "\\u00", 4);
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
        return to;
}

/* One character that is not plain; *i moves on. Never more than six times what it reads. */
static char *put_special(char *to, const unsigned char *s, size_t n, size_t *i) {
        unsigned char c = s[*i];
        size_t length;

        if (c < 0x80) {
                (*i)++;
                switch (c) {
                case '"':
                        return put(to, "\\\"", 2);
                case '\\':
                        return put(to, "\\\\", 2);
                case '\n':
                        return put(to, "\\n", 2);
                case '\r':
                        return put(to, "\\r", 2);
                default:
                        return put_control(to, c);
                }
        }

        length = json_line_utf8_length((const char *) s + *i, n - *i);
        if (length == 0) {
                (*i)++;
                return put(to, "\\ufffd", 6);
        }
        if (length == 3 && c == 0xe2 && s[*i + 1] == 0x80 && (s[*i + 2] & 0xfe) == 0xa8) {
                /* line and paragraph separator end a line in JavaScript */
                to = put(to, s[*i + 2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
                *i += 3;
                return to;
        }
        to = put(to, (const char *) s + *i, length);
        *i += length;
        return to;
}

static int append_escaped(Buffer *b, const char *data, size_t size) {
        const unsigned char *s = (const unsigned char *) data;
        char *begin, *to;
        size_t i = 0;
        int r;

        r = buffer_reserve(b, 6 * size + 1, &begin);
        if (r < 0)
                return r;
        to = begin;
        while (i < size) {
                size_t k = i;

                while (k < size && is_plain(s[k]))
                        k++;
                to = put(to, data + i, k - i);
                i = k;
                if (i < size)
                        to = put_special(to, s, size, &i);
        }
        buffer_commit(b, (size_t) (to - begin));
        return 0;
}

int json_line_write(Buffer *b, const LogMessage *m, const char *attrs) {
        char time[CLOCK_TEXT_SIZE];
        int r = 0;

        if (m->size > 0) {
                r = buffer_append_string(b, "{\"log\":\"");
                if (r >= 0)
                        r = append_escaped(b, m->data, m->size);
                if (r >= 0)
                        r = buffer_append_string(b, "\",");
        } else
                r = buffer_append_char(b, '{');
        if (r < 0)
                return r;

        r = buffer_append_string(b,
                m->stream == LOG_STREAM_STDERR ? "\"stream\":\"stderr\"" : "\"stream\":\"stdout\"");
        if (r >= 0 && attrs) {
                r = buffer_append_string(b, ",\"attrs\":");
                if (r >= 0)
                        r = buffer_append_string(b, attrs);
        }
        if (r < 0)
                return r;

        clock_format((int64_t) m->time_nsec, time);
        return buffer_printf(b, ",\"time\":\"%s\"}\n", time);
}

int json_line_attrs(char *const *fields, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        if (!fields || !fields[0]) {
                *ret = NULL;
                return 0;
        }

        r = buffer_append_char(&b, '{');
        if (r < 0)
                return r;
        for (char *const *f = fields; *f; f++) {
                const char *value = strchr(*f, '=');
                size_t n_key = value ? (size_t) (value - *f) : strlen(*f);

                value = value ? value + 1 : "";
                r = buffer_append_string(&b, f == fields ? "\"" : ",\"");
                if (r >= 0)
                        r = append_escaped(&b, *f, n_key);
                if (r >= 0)
                        r = buffer_append_string(&b, "\":\"");
                if (r >= 0)
                        r = append_escaped(&b, value, strlen(value));
                if (r >= 0)
                        r = buffer_append_char(&b, '"');
                if (r < 0)
                        return r;
        }
        r = buffer_append_char(&b, '}');
        if (r < 0)
                return r;
        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}
