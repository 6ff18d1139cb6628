/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/format-parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

bool parser_is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool parser_is_word(char c) {
        return c == '_' || isalnum((unsigned char) c);
}

const char *parser_at(const Parser *p) {
        return p->text + p->pos;
}

bool parser_next_is(const Parser *p, const char *word) {
        return str_starts(parser_at(p), word);
}

void parser_skip_space(Parser *p) {
        while (parser_is_space(*parser_at(p)))
                p->pos++;
}

/* " -}}" or "}}" */
bool parser_at_end(const Parser *p) {
        return parser_next_is(p, "}}") ||
               (parser_next_is(p, "-}}") && p->pos > 0 && parser_is_space(parser_at(p)[-1]));
}

int parser_fail(Parser *p, const char *what, const char *word) {
        unsigned line = 1;

        for (size_t i = 0; i < p->pos && p->text[i]; i++)
                line += p->text[i] == '\n';
        return error_set(p->reterr, ERROR_INVALID, "template: %s:%u: %s%s", p->name, line, what,
                str_or_empty(word));
}

int parser_fail_word(Parser *p, const char *before, const char *word, const char *behind) {
        _cleanup_(freep) char *text = str_concat(before, word, behind);

        return text ? parser_fail(p, text, NULL) : -ENOMEM;
}

int parser_unexpected(Parser *p, const char *where) {
        _cleanup_(freep) char *word = NULL;
        size_t n = 1;

        if (*parser_at(p) == '\0')
                return parser_fail(p, "unclosed action", NULL);
        while (parser_is_word(*parser_at(p)) && parser_is_word(parser_at(p)[n]))
                n++;
        if (str_copy_n(&word, parser_at(p), n) < 0)
                return -ENOMEM;
        return parser_fail_word(p, "unexpected \"", word, where);
}

int parser_bad_character(Parser *p) {
        _cleanup_(freep) char *text = NULL;

        if (*parser_at(p) == '\0')
                return parser_fail(p, "unclosed action", NULL);
        if (*parser_at(p) < 0x20 || *parser_at(p) > 0x7e)
                return parser_fail(p, "bad character", NULL);
        if (str_printf(&text, "bad character U+%04X '%c'", (unsigned) *parser_at(p),
                    *parser_at(p)) < 0)
                return -ENOMEM;
        return parser_fail(p, text, NULL);
}

int parser_take_word(Parser *p, char **ret) {
        size_t begin = p->pos;

        while (parser_is_word(*parser_at(p)))
                p->pos++;
        return str_copy_n(ret, p->text + begin, p->pos - begin);
}

/* ---- literals ---- */

static int quoted_escape(Parser *p, Buffer *b) {
        static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
        const char *found;
        char c = *parser_at(p);

        if (c == 'x' && isxdigit((unsigned char) parser_at(p)[1]) &&
                isxdigit((unsigned char) parser_at(p)[2])) {
                char digits[3] = { parser_at(p)[1], parser_at(p)[2], '\0' };

                p->pos += 3;
                return buffer_append_char(b, (char) strtoul(digits, NULL, 16));
        }
        found = c ? strchr(from, c) : NULL;
        if (!found)
                return parser_fail(p, "invalid syntax in quoted string", NULL);
        p->pos++;
        return buffer_append_char(b, to[found - from]);
}

int parser_quoted(Parser *p, Json **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        char quote = *parser_at(p);
        int r = 0;

        p->pos++;
        while (r >= 0 && *parser_at(p) != quote) {
                if (*parser_at(p) == '\0' || (*parser_at(p) == '\n' && quote == '"'))
                        return parser_fail(p,
                                quote == '"' ? "unterminated quoted string"
                                             : "unterminated raw quoted string",
                                NULL);
                if (*parser_at(p) == '\\' && quote == '"') {
                        p->pos++;
                        r = quoted_escape(p, &b);
                } else {
                        r = buffer_append_char(&b, *parser_at(p));
                        p->pos++;
                }
        }
        if (r < 0)
                return r;
        p->pos++;
        return json_new_text_n(buffer_head(&b), buffer_size(&b), ret);
}

int parser_number(Parser *p, Json **ret) {
        _cleanup_(freep) char *word = NULL;
        size_t begin = p->pos;
        int64_t n;
        double d;
        int r;

        if (*parser_at(p) == '-' || *parser_at(p) == '+')
                p->pos++;
        while (parser_is_word(*parser_at(p)) || *parser_at(p) == '.')
                p->pos++;
        r = str_copy_n(&word, p->text + begin, p->pos - begin);
        if (r < 0)
                return r;
        if (parse_i64(word, &n) >= 0)
                return json_new_int64(n, ret);
        if (parse_double(word, &d) >= 0)
                return json_new_real(d, ret);
        if (str_starts_nocase(word, "0x") &&
                word[2 + strspn(word + 2, "0123456789abcdefABCDEF")] == '\0' && strlen(word) > 2 &&
                strlen(word) <= 17)
                return json_new_int64(strtoll(word, NULL, 16), ret);
        return parser_fail_word(p, "bad number syntax: \"", word, "\"");
}
