/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/build/words.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Expansion {
        const Words *words;
        const char *p;
        Buffer out;
        char **list; /* with split: those that are complete */
        bool split;
        bool in_word; /* also for a word that is empty so far: "" */
        unsigned depth;
        size_t *made; /* by all levels together */
        Error *reterr;
} Expansion;

static void expansion_done(Expansion *x) {
        buffer_done(&x->out);
        strv_free(x->list);
}

static bool is_space(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static int put(Expansion *x, char c) {
        if (++*x->made > WORDS_SIZE_MAX)
                return error_set(x->reterr, ERROR_TOO_LARGE,
                        "what the variables stand for is longer than 1 MiB");
        x->in_word = true;
        return buffer_append_char(&x->out, c);
}

static int end_word(Expansion *x) {
        int r;

        if (!x->in_word)
                return 0;
        r = strv_take(&x->list, buffer_take_string(&x->out, NULL));
        x->in_word = false;
        return r;
}

/* What a variable stands for, outside of quotes: cut when words are asked for. */
static int put_value(Expansion *x, const char *value, bool quoted) {
        int r = 0;

        for (; r >= 0 && *value; value++)
                r = x->split && !quoted && is_space(*value) ? end_word(x) : put(x, *value);
        return r;
}

static int expand_until(Expansion *x, char stop);

/* The text up to stop, which is left where it is, with its variables, quotes and escapes. */
static int expand_inner(Expansion *x, const char *stops, char **ret) {
        _cleanup_(expansion_done) Expansion inner = { .words = x->words,
                .p = x->p,
                .depth = x->depth + 1,
                .made = x->made,
                .reterr = x->reterr };
        int r = 0;

        if (inner.depth > WORDS_DEPTH_MAX)
                return error_set(x->reterr, ERROR_INVALID, "variables are nested more than %u deep",
                        WORDS_DEPTH_MAX);
        while (r >= 0 && *inner.p && !strchr(stops, *inner.p))
                r = expand_until(&inner, 0);
        if (r < 0)
                return r;
        x->p = inner.p;
        *ret = buffer_take_string(&inner.out, NULL);
        return *ret ? 0 : -ENOMEM;
}

/* A pattern up to one of stops: escapes stay, they are the pattern's. */
static int take_pattern(Expansion *x, const char *stops, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        int r = 0;

        while (r >= 0 && *x->p && !strchr(stops, *x->p)) {
                if (*x->p == '$') {
                        _cleanup_(expansion_done) Expansion inner = { .words = x->words,
                                .p = x->p,
                                .depth = x->depth + 1,
                                .made = x->made,
                                .reterr = x->reterr };

                        if (inner.depth > WORDS_DEPTH_MAX)
                                return error_set(x->reterr, ERROR_INVALID,
                                        "variables are nested more than %u deep", WORDS_DEPTH_MAX);
                        r = expand_until(&inner, 0);
                        x->p = inner.p;
                        if (r >= 0)
                                r = buffer_append(
                                        &b, buffer_head(&inner.out), buffer_size(&inner.out));
                        continue;
                }
                if (*x->p == x->words->escape && x->p[1]) {
                        r = x->p[1] == '/' || x->p[1] == '}' ? 0 : buffer_append_char(&b, '\\');
                        if (r >= 0)
                                r = buffer_append_char(&b, x->p[1]);
                        x->p += 2;
                        continue;
                }
                r = buffer_append_char(&b, *x->p++);
        }
        if (r < 0)
                return r;
        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

/* Does the pattern fit s exactly up to n bytes? Iterative: the last star alone is tried again. */
static bool pattern_fits(const char *pattern, const char *s, size_t n) {
        const char *star = NULL, *again = NULL, *end = s + n;

        while (s < end) {
                if (*pattern == '*') {
                        star = ++pattern;
                        again = s;
                        continue;
                }
                if (*pattern == '?' ||
                        (*pattern == '\\' && pattern[1] ? pattern[1] == *s
                                                        : *pattern && *pattern == *s)) {
                        pattern += *pattern == '\\' && pattern[1] ? 2 : 1;
                        s++;
                        continue;
                }
                if (!star)
                        return false;
                pattern = star;
                s = ++again;
        }
        while (*pattern == '*')
                pattern++;
        return !*pattern;
}

/* Matching costs n² at most and is asked n times: more than a line of text is refused. */
#define PATTERN_TEXT_MAX 4096U

static int check_pattern(Expansion *x, const char *pattern, const char *value) {
        if (strlen(value) > PATTERN_TEXT_MAX || strlen(pattern) > PATTERN_TEXT_MAX)
                return error_set(x->reterr, ERROR_TOO_LARGE,
                        "a pattern is not tried on more than %u characters", PATTERN_TEXT_MAX);
        return 0;
}

static int trim(Expansion *x, const char *value, const char *pattern, bool suffix, bool greedy,
        bool quoted) {
        size_t n = strlen(value);
        int r;

        r = check_pattern(x, pattern, value);
        if (r < 0)
                return r;
        for (size_t k = 0; k <= n; k++) {
                size_t size = greedy ? n - k : k; /* of what goes */

                if (!pattern_fits(pattern, suffix ? value + n - size : value, size))
                        continue;
                if (!suffix)
                        return put_value(x, value + size, quoted);
                for (size_t i = 0; r >= 0 && i < n - size; i++)
                        r = put_value(x, (const char[]) { value[i], 0 }, quoted);
                return r;
        }
        return put_value(x, value, quoted);
}

static int replace(Expansion *x, const char *value, const char *pattern, const char *with, bool all,
        bool quoted) {
        size_t n = strlen(value);
        bool done = false;
        int r;

        r = check_pattern(x, pattern, value);
        for (size_t i = 0; r >= 0 && i < n;) {
                size_t size = 0;

                if (!done || all)
                        for (size = n - i; size > 0 && !pattern_fits(pattern, value + i, size);
                                size--)
                                ;
                if (size > 0) {
                        r = put_value(x, with, quoted);
                        i += size;
                        done = true;
                } else
                        r = put_value(x, (const char[]) { value[i++], 0 }, quoted);
        }
        return r;
}

static int take_name(Expansion *x, char **ret) {
        const char *s = x->p;

        if (isalpha((unsigned char) *s) || *s == '_')
                while (isalnum((unsigned char) *s) || *s == '_')
                        s++;
        else if (isdigit((unsigned char) *s))
                while (isdigit((unsigned char) *s))
                        s++;
        else if (*s && strchr("@*#?-$!", *s) && x->p[-1] != '{')
                s++;
        *ret = strndup(x->p, (size_t) (s - x->p));
        x->p = s;
        return *ret ? 0 : -ENOMEM;
}

static int bad_substitution(Expansion *x) {
        return error_set(x->reterr, ERROR_INVALID, "syntax error: bad substitution");
}

/* ${name:-w} and its kin, x->p at the operator. */
static int expand_default(Expansion *x, const char *name, const char *value, bool quoted) {
        _cleanup_(freep) char *word = NULL;
        bool colon = *x->p == ':', there;
        char operator;
        int r;

        if (colon)
                x->p++;
        operator= * x->p++;
        r = expand_inner(x, "}", &word);
        if (r < 0)
                return r;

        there = value && (!colon || *value);
        switch (operator) {
        case '-':
                return put_value(x, there ? value : word, quoted);
        case '+':
                return there ? put_value(x, word, quoted) : 0;
        default:
                if (there)
                        return put_value(x, value, quoted);
                return error_set(x->reterr, ERROR_INVALID, "%s: %s", name,
                        *word   ? word
                        : colon ? "not allowed to be empty"
                                : "not allowed to be unset");
        }
}

static int expand_pattern(Expansion *x, const char *value, bool quoted) {
        _cleanup_(freep) char *pattern = NULL, *with = NULL;
        char operator= * x->p++;
        bool twice = *x->p == operator;
        int r;

        if (twice)
                x->p++;
        r = take_pattern(x, operator== '/' ? "/}" : "}", &pattern);
        if (r < 0)
                return r;
        if (operator!= '/')
                return trim(x, str_or_empty(value), pattern, operator== '%', twice, quoted);

        if (*x->p == '/') {
                x->p++;
                r = expand_inner(x, "}", &with);
                if (r < 0)
                        return r;
        }
        return replace(x, str_or_empty(value), pattern, str_or_empty(with), twice, quoted);
}

/* x->p behind the "$". */
static int expand_variable(Expansion *x, bool quoted) {
        _cleanup_(freep) char *name = NULL, *value = NULL;
        bool brace = *x->p == '{';
        const char *found;
        int r;

        if (brace)
                x->p++;
        r = take_name(x, &name);
        if (r < 0)
                return r;
        if (!*name)
                return brace ? !*x->p ? error_set(x->reterr, ERROR_INVALID,
                                                "syntax error: missing '}'")
                                      : bad_substitution(x)
                             : put(x, '$');

        found = x->words->value ? x->words->value(name, x->words->userdata) : NULL;
        if (found && !(value = strdup(found))) /* what is inside may ask for others */
                return -ENOMEM;
        if (!brace)
                return put_value(x, str_or_empty(value), quoted);

        if (*x->p == '}')
                r = put_value(x, str_or_empty(value), quoted);
        else if (*x->p &&
                 (strchr("-+?", *x->p) || (*x->p == ':' && x->p[1] && strchr("-+?", x->p[1]))))
                r = expand_default(x, name, value, quoted);
        else if (*x->p && strchr("#%/", *x->p))
                r = expand_pattern(x, value, quoted);
        else if (*x->p)
                return error_set(x->reterr, ERROR_INVALID,
                        "unsupported modifier (%c) in substitution", *x->p);
        if (r < 0)
                return r;
        if (*x->p != '}')
                return error_set(x->reterr, ERROR_INVALID, "syntax error: missing '}'");
        x->p++;
        return 0;
}

static int expand_quoted(Expansion *x) {
        char quote = *x->p++, escape = x->words->escape;
        int r = 0;

        x->in_word = true;
        while (r >= 0 && *x->p != quote) {
                if (!*x->p)
                        return error_set(x->reterr, ERROR_INVALID,
                                "unexpected end of statement while looking for matching %s-quote",
                                quote == '"' ? "double" : "single");
                if (quote == '"' && *x->p == '$') {
                        x->p++;
                        r = expand_variable(x, /* quoted= */ true);
                        continue;
                }
                if (quote == '"' && *x->p == escape && x->p[1] &&
                        (x->p[1] == '"' || x->p[1] == '$' || x->p[1] == escape))
                        x->p++;
                r = put(x, *x->p++);
        }
        x->p++;
        return r;
}

/* One piece: a quoted part, a variable, an escaped character, or a plain one that is not stop. */
static int expand_until(Expansion *x, char stop) {
        char c = *x->p;

        assert(c && c != stop);

        if ((c == '"' || c == '\'') && !x->words->keep_quotes)
                return expand_quoted(x);
        if (c == '$') {
                x->p++;
                return expand_variable(x, /* quoted= */ x->words->keep_quotes);
        }
        if (c == x->words->escape) {
                if (x->words->keep_quotes && !(x->p[1] == '$' || x->p[1] == c))
                        return put(x, *x->p++);
                x->p++;
                return *x->p ? put(x, *x->p++) : 0;
        }
        x->p++;
        if (x->split && is_space(c))
                return end_word(x);
        return put(x, c);
}

static int expand_all(Expansion *x) {
        int r = 0;

        assert(x->words->escape);

        while (r >= 0 && *x->p)
                r = expand_until(x, 0);
        return r;
}

int words_expand(const Words *w, const char *text, char **ret, Error *reterr) {
        size_t made = 0;
        _cleanup_(expansion_done)
                Expansion x = { .words = w, .p = text, .made = &made, .reterr = reterr };
        int r;

        assert(text);
        assert(ret);

        r = expand_all(&x);
        if (r < 0)
                return r;
        *ret = buffer_take_string(&x.out, NULL);
        return *ret ? 0 : -ENOMEM;
}

int words_split(const Words *w, const char *text, char ***ret, Error *reterr) {
        size_t made = 0;
        _cleanup_(expansion_done) Expansion x = {
                .words = w, .p = text, .made = &made, .split = true, .reterr = reterr
        };
        int r;

        assert(text);
        assert(ret);

        r = expand_all(&x);
        if (r >= 0)
                r = end_word(&x);
        if (r < 0)
                return r;
        *ret = x.list ? TAKE_PTR(x.list) : strv_new(NULL);
        return *ret ? 0 : -ENOMEM;
}

int words_split_raw(char escape, const char *text, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;
        const char *p = text;

        assert(text);
        assert(ret);

        for (;;) {
                const char *begin;
                char quote = 0;

                while (is_space(*p))
                        p++;
                if (!*p)
                        break;
                for (begin = p; *p && (quote || !is_space(*p)); p++) {
                        if (*p == escape && quote != '\'' && p[1])
                                p++;
                        else if (quote ? *p == quote : *p == '"' || *p == '\'')
                                quote = quote ? 0 : *p;
                }
                if (strv_take(&list, strndup(begin, (size_t) (p - begin))) < 0)
                        return -ENOMEM;
        }

        *ret = list ? TAKE_PTR(list) : strv_new(NULL);
        return *ret ? 0 : -ENOMEM;
}
