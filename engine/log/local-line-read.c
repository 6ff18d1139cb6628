/* SPDX-License-Identifier: GPL-2.0-or-later */

#include <errno.h>
#include <string.h>

#include "engine/log/local-line.h"

#define TIME_DIGITS_MAX 16u

static int parse_kind(char kind, LogMessage *m) {
        if (!kind || !strchr("oeOE", kind))
                return -EBADMSG;
        m->stream = kind == 'e' || kind == 'E' ? LOG_STREAM_STDERR : LOG_STREAM_STDOUT;
        m->partial = kind == 'O' || kind == 'E';
        return 0;
}

/* How many bytes, with the space behind them; 0: this is no time. */
static size_t parse_time(const char *s, size_t size, uint64_t *ret) {
        static const char digits[] = "0123456789abcdef";
        uint64_t value = 0;
        size_t i;

        for (i = 0; i < size && i <= TIME_DIGITS_MAX && s[i] != ' '; i++) {
                const char *digit = s[i] ? strchr(digits, s[i]) : NULL;

                if (!digit || i == TIME_DIGITS_MAX)
                        return 0;
                value = value << 4 | (uint64_t) (digit - digits);
        }
        if (i == 0 || i >= size)
                return 0;
        *ret = value;
        return i + 1;
}

static int parse_text(const char *s, size_t size, Buffer *ret) {
        for (size_t i = 0; i < size;) {
                size_t n = 0;
                char c;
                int r;

                while (i + n < size && s[i + n] != '\\')
                        n++;
                r = buffer_append(ret, s + i, n);
                if (r < 0)
                        return r;
                i += n;
                if (i == size)
                        return 0;
                if (i + 1 >= size)
                        return -EBADMSG;
                c = s[i + 1];
                if (c != 'n' && c != '\\' && c != '0')
                        return -EBADMSG;
                r = buffer_append(ret, c == 'n' ? "\n" : c == '0' ? "" : "\\", 1);
                if (r < 0)
                        return r;
                i += 2;
        }
        return 0;
}

int local_line_parse(const char *line, size_t size, JsonLine *ret) {
        LogMessage m = {};
        size_t n;
        int r;

        if (size < 3 || size > LOCAL_LINE_MAX)
                return -EBADMSG;
        r = parse_kind(line[0], &m);
        if (r < 0)
                return r;
        n = parse_time(line + 1, size - 1, &m.time_nsec);
        if (n == 0)
                return -EBADMSG;

        buffer_reset(&ret->text);
        r = parse_text(line + 1 + n, size - 1 - n, &ret->text);
        if (r >= 0 && !m.partial)
                r = buffer_append(&ret->text, "\n", 1);
        if (r < 0)
                return r;
        m.data = buffer_empty(&ret->text) ? "" : buffer_head(&ret->text);
        m.size = buffer_size(&ret->text);
        ret->message = m;
        return 0;
}
