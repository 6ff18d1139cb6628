/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reading is as forgiving as Docker's: whoever wrote the file, what can be understood is shown. The lines that Docker and we write
 * are taken by a scanner of their own (they come by the million); any other shape goes through the JSON library. */

#include <errno.h>
#include <string.h>

#include "engine/log/json-line.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define TIME_MAX  64u
#define ATTRS_MAX 1024u

void json_line_done(JsonLine *l) {
        buffer_done(&l->text);
        l->attrs = strv_free(l->attrs);
}

/* What is left of the line. */
typedef struct Scan {
        const char *p, *end;
} Scan;

static bool scan_literal(Scan *s, const char *literal) {
        size_t n = strlen(literal);

        if ((size_t) (s->end - s->p) < n || memcmp(s->p, literal, n) != 0)
                return false;
        s->p += n;
        return true;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

static bool scan_hex4(Scan *s, uint32_t *ret) {
        uint32_t c = 0;

        if (s->end - s->p < 4)
                return false;
        for (int i = 0; i < 4; i++) {
                int d = hex_digit(s->p[i]);

                if (d < 0)
                        return false;
                c = c << 4 | (uint32_t) d;
        }
        s->p += 4;
        *ret = c;
        return true;
}

/* The rest of \uXXXX, with its other half if it is one of a pair. Halves that stand alone become U+FFFD, as in Go. */
static bool scan_unicode(Scan *s, uint32_t *ret) {
        uint32_t c, low;
        Scan ahead;

        if (!scan_hex4(s, &c))
                return false;
        *ret = c;
        if (c < 0xd800 || c > 0xdfff)
                return true;

        *ret = 0xfffd;
        ahead = *s;
        if (c < 0xdc00 && scan_literal(&ahead, "\\u") && scan_hex4(&ahead, &low) && low >= 0xdc00 &&
                low <= 0xdfff) {
                *s = ahead;
                *ret = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
        return true;
}

static char *put_utf8(char *to, uint32_t c) {
        if (c < 0x80)
                *to++ = (char) c;
        else if (c < 0x800) {
                *to++ = (char) (0xc0 | c >> 6);
                *to++ = (char) (0x80 | (c & 0x3f));
        } else if (c < 0x10000) {
                *to++ = (char) (0xe0 | c >> 12);
                *to++ = (char) (0x80 | (c >> 6 & 0x3f));
                *to++ = (char) (0x80 | (c & 0x3f));
        } else {
                *to++ = (char) (0xf0 | c >> 18);
                *to++ = (char) (0x80 | (c >> 12 & 0x3f));
                *to++ = (char) (0x80 | (c >> 6 & 0x3f));
                *to++ = (char) (0x80 | (c & 0x3f));
        }
        return to;
}

/* After a backslash. */
static bool scan_escape(Scan *s, char **to) {
        static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
        const char *kind;
        uint32_t c;

        if (s->p == s->end)
                return false;
        if (*s->p == 'u') {
                s->p++;
                if (!scan_unicode(s, &c))
                        return false;
                *to = put_utf8(*to, c);
                return true;
        }
        kind = *s->p ? strchr(from, *s->p) : NULL;
        if (!kind)
                return false;
        s->p++;
        *(*to)++ = into[kind - from];
        return true;
}

/* After the opening quote; appends what the string says. Three bytes out for each one in are enough: a bad byte becomes U+FFFD.
 * 1: a string, 0: not one. */
static int scan_string(Scan *s, Buffer *b) {
        char *begin, *to;
        int r;

        r = buffer_reserve(b, 3 * (size_t) (s->end - s->p) + 4, &begin);
        if (r < 0)
                return r;
        to = begin;
        while (s->p < s->end && *s->p != '"') {
                unsigned char c = (unsigned char) *s->p;
                size_t n;

                if (c == '\\') {
                        s->p++;
                        if (!scan_escape(s, &to))
                                return 0;
                        continue;
                }
                if (c < 0x20)
                        return 0;
                n = c < 0x80 ? 1 : json_line_utf8_length(s->p, (size_t) (s->end - s->p));
                if (n == 0) {
                        to = put_utf8(to, 0xfffd);
                        s->p++;
                } else
                        while (n-- > 0)
                                *to++ = *s->p++;
        }
        if (s->p == s->end)
                return 0;
        s->p++;
        buffer_commit(b, (size_t) (to - begin));
        return 1;
}

static int scan_attrs(Scan *s, char ***ret) {
        int r;

        if (scan_literal(s, "}"))
                return 1;
        for (size_t i = 0; i < ATTRS_MAX; i++) {
                _cleanup_(buffer_done) Buffer b = {};
                size_t size;

                if (!scan_literal(s, "\""))
                        return 0;
                r = scan_string(s, &b);
                if (r <= 0)
                        return r;
                r = buffer_append_char(&b, '=');
                if (r < 0)
                        return r;
                if (!scan_literal(s, ":\""))
                        return 0;
                r = scan_string(s, &b);
                if (r <= 0)
                        return r;
                size = buffer_size(&b);
                if (memchr(buffer_head(&b), '\0', size))
                        return 0;
                r = strv_take(ret, buffer_take_string(&b, NULL));
                if (r < 0)
                        return r;
                if (scan_literal(s, "}"))
                        return 1;
                if (!scan_literal(s, ","))
                        return 0;
        }
        return 0;
}

static int parse_time(const char *text, size_t size, uint64_t *ret) {
        char copy[TIME_MAX];
        int64_t ns;

        if (size >= sizeof(copy) || memchr(text, '\0', size))
                return -EBADMSG;
        memcpy(copy, text, size);
        copy[size] = '\0';
        if (clock_parse(copy, &ns) < 0 || ns < 0)
                return -EBADMSG;
        *ret = (uint64_t) ns;
        return 0;
}

/* Exactly the shape that is written. 1: done, 0: another shape. */
static int parse_fast(const char *line, size_t size, JsonLine *l) {
        Scan s = { .p = line, .end = line + size };
        const char *time;
        int r;

        if (!scan_literal(&s, "{\"log\":\""))
                return 0;
        r = scan_string(&s, &l->text);
        if (r <= 0)
                return r;

        if (scan_literal(&s, ",\"stream\":\"stdout\","))
                l->message.stream = LOG_STREAM_STDOUT;
        else if (scan_literal(&s, ",\"stream\":\"stderr\","))
                l->message.stream = LOG_STREAM_STDERR;
        else
                return 0;

        if (scan_literal(&s, "\"attrs\":{")) {
                r = scan_attrs(&s, &l->attrs);
                if (r <= 0)
                        return r;
                if (!scan_literal(&s, ","))
                        return 0;
        }
        if (!scan_literal(&s, "\"time\":\""))
                return 0;
        time = s.p;
        s.p = memchr(time, '"', (size_t) (s.end - time));
        if (!s.p || parse_time(time, (size_t) (s.p - time), &l->message.time_nsec) < 0)
                return 0;
        s.p++;
        return scan_literal(&s, "}") && s.p == s.end;
}

static int parse_slow(const char *line, size_t size, JsonLine *l) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *stream, *text, *time, *key;
        Json *value;
        int r;

        r = json_parse(line, size, JSON_LINE_MAX, &v, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        stream = json_get_text(v, "stream");
        text = str_or_empty(json_get_text(v, "log"));
        time = json_get_text(v, "time");
        if (!stream || !time || !STR_IN_SET(stream, "stdout", "stderr"))
                return -EBADMSG;
        r = parse_time(time, strlen(time), &l->message.time_nsec);
        if (r < 0)
                return r;
        l->message.stream = streq(stream, "stderr") ? LOG_STREAM_STDERR : LOG_STREAM_STDOUT;

        JSON_FOREACH (key, value, json_get(v, "attrs")) {
                const char *s = json_to_text(value);

                if (!s || !key)
                        continue;
                r = strv_addf(&l->attrs, "%s=%s", key, s);
                if (r < 0)
                        return r;
        }
        return buffer_append_string(&l->text, text);
}

int json_line_parse(const char *line, size_t size, JsonLine *ret) {
        int r;

        buffer_reset(&ret->text);
        ret->attrs = strv_free(ret->attrs);
        ret->message = (LogMessage) {};
        if (size > JSON_LINE_MAX)
                return -EBADMSG;

        r = parse_fast(line, size, ret);
        if (r == 0) {
                buffer_reset(&ret->text);
                ret->attrs = strv_free(ret->attrs);
                r = parse_slow(line, size, ret);
        }
        if (r < 0)
                return r;

        ret->message.data = buffer_head(&ret->text);
        ret->message.size = buffer_size(&ret->text);
        ret->message.partial =
                ret->message.size == 0 || ret->message.data[ret->message.size - 1] != '\n';
        ret->message.attrs = ret->attrs;
        return 0;
}
