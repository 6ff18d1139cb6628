/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/json-internal.h"
#include "lib/json/json.h"

/* The length of the UTF-8 sequence at s (1 to 4), 0 when there is none. */
static size_t utf8_sequence(const char *s, size_t size) {
        size_t n = 2;

        if ((unsigned char) s[0] < 0x80)
                return s[0] != 0;
        if ((unsigned char) s[0] >= 0xe0)
                n++;
        if ((unsigned char) s[0] >= 0xf0)
                n++;

        return n <= size && str_is_utf8(s, n) ? n : 0;
}

char *json_mend_text(const char *s, size_t size, size_t *ret_size) {
        size_t j = 0;
        char *mended;

        if (size > (SIZE_MAX - 1) / 3)
                return NULL;

        mended = new (char, size * 3 + 1);
        if (!mended)
                return NULL;

        for (size_t i = 0; i < size;) {
                size_t n = utf8_sequence(s + i, size - i);

                if (n == 0) {
                        memcpy(mended + j, "\xef\xbf\xbd", 3);
                        j += 3;
                        i++;
                        continue;
                }
                memcpy(mended + j, s + i, n);
                j += n;
                i += n;
        }

        mended[j] = 0;
        *ret_size = j;
        return mended;
}

static int fail(const char *text, size_t offset, const char *what, Error *reterr) {
        size_t line = 1, column = 1;

        for (size_t i = 0; i < offset; i++)
                if (text[i] == '\n') {
                        line++;
                        column = 1;
                } else
                        column++;

        return error_set(reterr, ERROR_INVALID, "Invalid JSON in line %zu, column %zu: %s", line,
                column, what);
}

static size_t digits(const char *s, size_t size) {
        size_t n = 0;

        while (n < size && s[n] >= '0' && s[n] <= '9')
                n++;

        return n;
}

/* The length of the number at s, 0 when it is none:
 * -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static size_t number_length(const char *s, size_t size) {
        size_t i = size > 0 && s[0] == '-', n = digits(s + i, size - i);

        if (n == 0 || (n > 1 && s[i] == '0'))
                return 0;
        i += n;

        if (i < size && s[i] == '.') {
                n = digits(s + i + 1, size - i - 1);
                if (n == 0)
                        return 0;
                i += 1 + n;
        }

        if (i < size && (s[i] == 'e' || s[i] == 'E')) {
                i++;
                i += i < size && (s[i] == '+' || s[i] == '-');
                n = digits(s + i, size - i);
                if (n == 0)
                        return 0;
                i += n;
        }

        return i;
}

/* Whether the integer at s (n characters with its sign) fits 64 bits; the library would quietly
 * take the nearest that does. */
static bool integer_fits(const char *s, size_t n) {
        const char *most = "18446744073709551615";

        if (*s == '-') {
                most = "9223372036854775808";
                s++;
                n--;
        }

        if (digits(s, n) != n) /* not an integer */
                return true;

        return n < strlen(most) || (n == strlen(most) && strncmp(s, most, n) <= 0);
}

/* What the library lets pass although JSON does not have it, or what it would cut off silently:
 * NUL in strings and keys, raw control characters in strings, odd numbers, NaN and Infinity,
 * keys in single quotes. */
static int check_text(const char *text, size_t size, Error *reterr) {
        bool in_string = false;

        for (size_t i = 0; i < size; i++) {
                unsigned char c = (unsigned char) text[i];

                if (c == 0)
                        return fail(text, i, "NUL byte", reterr);

                if (!in_string && (c == '-' || (c >= '0' && c <= '9'))) {
                        size_t n = number_length(text + i, size - i);

                        if (n == 0)
                                return fail(text, i, "not a number", reterr);
                        if (!integer_fits(text + i, n))
                                return fail(text, i, "number out of range", reterr);
                        i += n - 1;
                        continue;
                }
                if (!in_string) {
                        if (c == '"')
                                in_string = true;
                        else if (!strchr("\t\n\r ,:[]aeflnrstu{}", c))
                                return fail(text, i, "unexpected character", reterr);
                        continue;
                }

                if (c == '"')
                        in_string = false;
                else if (c < 0x20)
                        return fail(text, i, "control character in a string", reterr);
                else if (c == '\\') {
                        if (size - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
                                return fail(text, i, "NUL character in a string", reterr);
                        i++;
                }
        }

        return 0;
}

static void tokener_freep(struct json_tokener **p) {
        if (*p)
                json_tokener_free(*p);
}

/* Where the library stumbled it has read a whole document: what is wrong is that more follows. */
static bool is_whole(const char *text, size_t size) {
        _cleanup_(tokener_freep) struct json_tokener *tokener = NULL;
        struct json_object *o;

        tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
        if (!tokener)
                return false;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
        o = json_tokener_parse_ex(tokener, text, (int) size);
        json_object_put(o);
        return size > 0 && json_tokener_get_error(tokener) == json_tokener_success;
}

int json_parse(const char *text, size_t size, size_t size_max, Json **ret, Error *reterr) {
        _cleanup_(tokener_freep) struct json_tokener *tokener = NULL;
        _cleanup_(freep) char *mended = NULL;
        enum json_tokener_error e;
        struct json_object *o;
        size_t offset;
        int r;

        assert(text || size == 0);
        assert(ret);

        if (size > size_max || size > INT_MAX / 4)
                return error_set(reterr, ERROR_TOO_LARGE,
                        "JSON document has %zu bytes, more than the %zu allowed", size, size_max);
        if (size == 0)
                return error_set(reterr, ERROR_INVALID, "Invalid JSON: empty document");

        r = check_text(text, size, reterr);
        if (r < 0)
                return r;

        if (!str_is_utf8(text, size)) {
                mended = json_mend_text(text, size, &size);
                if (!mended)
                        return -ENOMEM;
                text = mended;
        }

        tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
        if (!tokener)
                return -ENOMEM;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);

        o = json_tokener_parse_ex(tokener, text, (int) size);
        e = json_tokener_get_error(tokener);
        offset = json_tokener_get_parse_end(tokener);
        if (e == json_tokener_continue) { /* a number at the very end waits for the NUL behind it */
                o = json_tokener_parse_ex(tokener, "", 1);
                e = json_tokener_get_error(tokener);
                offset = size;
        }
        if (e == json_tokener_continue)
                return fail(text, size, "unexpected end", reterr);
        if (e == json_tokener_error_depth)
                return error_set(reterr, ERROR_INVALID,
                        "Invalid JSON: nested deeper than %d levels", JSON_DEPTH_MAX);
        if (e == json_tokener_error_size)
                return -ENOMEM;
        if (e == json_tokener_error_parse_unexpected && is_whole(text, offset))
                return error_set(reterr, ERROR_INVALID, "unexpected content after JSON");
        if (e != json_tokener_success)
                return fail(text, offset, json_tokener_error_desc(e), reterr);

        *ret = json_wrap(o);
        return 0;
}
