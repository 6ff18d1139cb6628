/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/env-value.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"

typedef enum State {
        STATE_PRE_VALUE,
        STATE_BARE,
        STATE_BARE_ESCAPE,
        STATE_SINGLE,
        STATE_DOUBLE,
        STATE_DOUBLE_ESCAPE,
} State;

/* What a backslash inside double quotes takes away from, as in a shell. */
static bool needs_escape(char c) {
        return c != 0 && strchr("\"\\`$", c);
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static bool is_newline(char c) {
        return c == '\n' || c == '\r';
}

static void append(
        EnvValue *v, char c, size_t raw, size_t n_raw, EnvQuote quote, unsigned segment) {
        v->bytes[v->n] = (EnvByte) {
                .raw = (unsigned) raw,
                .n_raw = (unsigned short) n_raw,
                .quote = (unsigned char) quote,
                .segment = segment,
        };
        v->text[v->n++] = c;
}

int env_value_decode(const char *raw, EnvValue *ret) {
        _cleanup_(env_value_done) EnvValue v = {};
        State state = STATE_PRE_VALUE;
        unsigned segment = 0;
        size_t n, keep = 0, last_quote = 0;
        bool seen_quote = false;

        assert(raw);
        assert(ret);

        n = strlen(raw);
        if (n > ENV_VALUE_MAX)
                return -EFBIG;
        if (!str_is_utf8(raw, n))
                return -EBADMSG;

        v.text = new0(char, n + 1);
        v.bytes = new0(EnvByte, n + 1);
        if (!v.text || !v.bytes)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                char c = raw[i];

                switch (state) {
                case STATE_PRE_VALUE:
                        if (c == '\'' || c == '"') {
                                state = c == '"' ? STATE_DOUBLE : STATE_SINGLE;
                                segment++;
                                last_quote = i;
                                seen_quote = true;
                        } else if (c == '\\') {
                                state = STATE_BARE_ESCAPE;
                                segment++;
                        } else if (is_newline(c))
                                return -EBADMSG; /* the line ended: this is not one value */
                        else if (!is_blank(c)) {
                                state = STATE_BARE;
                                segment++;
                                v.trailing_comment = seen_quote && c == '#';
                                append(&v, c, i, 1, ENV_BARE, segment);
                                keep = v.n;
                        }
                        break;

                case STATE_BARE:
                        if (is_newline(c))
                                return -EBADMSG;
                        if (c == '\\') {
                                state = STATE_BARE_ESCAPE;
                                break;
                        }
                        append(&v, c, i, 1, ENV_BARE, segment);
                        if (!is_blank(c))
                                keep = v.n;
                        break;

                case STATE_BARE_ESCAPE:
                        state = STATE_BARE;
                        if (!is_newline(c))
                                append(&v, c, i - 1, 2, ENV_BARE, segment);
                        keep = v.n;
                        break;

                case STATE_SINGLE:
                        if (c == '\'')
                                state = STATE_PRE_VALUE;
                        else
                                append(&v, c, i, 1, ENV_SINGLE, segment);
                        keep = v.n;
                        break;

                case STATE_DOUBLE:
                        if (c == '"')
                                state = STATE_PRE_VALUE;
                        else if (c == '\\')
                                state = STATE_DOUBLE_ESCAPE;
                        else
                                append(&v, c, i, 1, ENV_DOUBLE, segment);
                        keep = v.n;
                        break;

                case STATE_DOUBLE_ESCAPE:
                        state = STATE_DOUBLE;
                        if (needs_escape(c))
                                append(&v, c, i - 1, 2, ENV_DOUBLE, segment);
                        else if (c != '\n') {
                                append(&v, '\\', i - 1, 1, ENV_DOUBLE, segment);
                                append(&v, c, i, 1, ENV_DOUBLE, segment);
                        }
                        keep = v.n;
                        break;
                }
        }

        if (state == STATE_SINGLE || state == STATE_DOUBLE || state == STATE_DOUBLE_ESCAPE)
                return -EBADMSG;

        if (state == STATE_BARE)
                v.n = keep; /* blanks at the end of a bare value do not count */
        v.text[v.n] = 0;
        if (v.n == 0 && segment == 1 && seen_quote && raw[last_quote + 1] == raw[last_quote])
                v.empty_quotes = last_quote + 1;

        *ret = TAKE_STRUCT(v);
        return 0;
}

void env_value_done(EnvValue *v) {
        free(v->text);
        free(v->bytes);
        *v = (EnvValue) {};
}

static int append_double(Buffer *b, const char *text) {
        for (const char *p = text; *p; p++) {
                int r;

                if (needs_escape(*p)) {
                        r = buffer_append_char(b, '\\');
                        if (r < 0)
                                return r;
                }
                r = buffer_append_char(b, *p);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool has_bad_control(const char *s) {
        for (; *s; s++)
                if (((unsigned char) *s < 0x20 && *s != '\t' && *s != '\n') || *s == 0x7f)
                        return true;
        return false;
}

int env_value_encode(const char *value, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        assert(value);
        assert(ret);

        if (has_bad_control(value) || !str_is_utf8(value, strlen(value)))
                return -EINVAL;

        r = buffer_append_char(&b, '"');
        if (r < 0)
                return r;
        r = append_double(&b, value);
        if (r < 0)
                return r;
        r = buffer_append_char(&b, '"');
        if (r < 0)
                return r;

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

/* Letters that mean the same in a bare value, to systemd and to a shell. */
static bool is_bare_safe(const char *text) {
        static const char safe[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,@%+-";

        return text[strspn(text, safe)] == 0;
}

/* Where in raw the span stands, if it can be patched there at all. */
static bool find_span(const EnvValue *v, size_t offset, size_t n, size_t *ret_from, size_t *ret_to,
        EnvQuote *ret_quote) {
        const EnvByte *first, *last;

        if (v->n == 0) {
                if (v->empty_quotes == 0)
                        return false;
                *ret_from = *ret_to = v->empty_quotes;
                *ret_quote = ENV_DOUBLE; /* checked by the caller: nothing that single quotes would
                                            treat otherwise */
                return true;
        }

        if (n == 0) {
                /* Between two bytes: behind the one before, so that it stays inside of the quotes.
                 */
                first = v->bytes + (offset > 0 ? offset - 1 : 0);
                *ret_from = *ret_to = offset > 0 ? first->raw + first->n_raw : first->raw;
                *ret_quote = first->quote;
                return true;
        }

        first = v->bytes + offset;
        last = v->bytes + offset + n - 1;
        if (first->segment != last->segment)
                return false;
        *ret_from = first->raw;
        *ret_to = last->raw + last->n_raw;
        *ret_quote = first->quote;
        return true;
}

static int splice_in_place(
        const char *raw, const EnvValue *v, size_t offset, size_t n, const char *text, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        size_t from, to;
        EnvQuote quote;
        int r;

        if (!find_span(v, offset, n, &from, &to, &quote))
                return 0;

        if (v->n == 0 && raw[from - 1] == '\'')
                quote = ENV_SINGLE;

        switch (quote) {
        case ENV_SINGLE:
                if (strchr(text, '\''))
                        return 0;
                break;
        case ENV_BARE:
                if (!is_bare_safe(text) || strpbrk(v->text, " \t"))
                        return 0; /* a shell would run the second word of V=a b */
                break;
        case ENV_DOUBLE:
                break;
        }

        r = buffer_append(&b, raw, from);
        if (r < 0)
                return r;
        r = quote == ENV_DOUBLE ? append_double(&b, text) : buffer_append_string(&b, text);
        if (r < 0)
                return r;
        r = buffer_append_string(&b, raw + to);
        if (r < 0)
                return r;

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 1 : -ENOMEM;
}

int env_value_splice(
        const char *raw, const EnvValue *v, size_t offset, size_t n, const char *text, char **ret) {
        _cleanup_(env_value_done) EnvValue again = {};
        _cleanup_(freep) char *value = NULL, *patched = NULL;
        int r;

        assert(raw);
        assert(v);
        assert(text);
        assert(ret);
        assert(offset + n <= v->n);

        if (has_bad_control(text) || !str_is_utf8(text, strlen(text)))
                return -EINVAL;

        r = str_printf(&value, "%.*s%s%s", (int) offset, v->text, text, v->text + offset + n);
        if (r < 0)
                return r;

        /* The patched text must mean what was wanted: a continuation or a comment may be in the
         * way. */
        r = splice_in_place(raw, v, offset, n, text, &patched);
        if (r < 0)
                return r;
        if (r > 0) {
                r = env_value_decode(patched, &again);
                if (r >= 0 && str_equal(again.text, value)) {
                        *ret = TAKE_PTR(patched);
                        return 0;
                }
        }

        return env_value_encode(value, ret);
}
