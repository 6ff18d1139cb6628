/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/ignorefile.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef enum TokenKind {
        TOKEN_CHARACTER,
        TOKEN_ANY,      /* ? */
        TOKEN_SET,      /* [a-z] */
        TOKEN_STAR,     /* any text without a slash */
        TOKEN_REST,     /* two stars at the end: any text */
        TOKEN_FOLDERS,  /* two stars elsewhere: nothing, or any text that ends with a slash */
        TOKEN_IN_FOLDER /* behind each of the above: inside of that text */
} TokenKind;

typedef struct Token {
        TokenKind kind;
        char c;
        const char *set; /* in the pattern's text */
} Token;

typedef struct IgnorePattern {
        char *text;
        Token *tokens;
        size_t n;
        bool back; /* "!" */
} IgnorePattern;

struct IgnoreFile {
        IgnorePattern *patterns;
        size_t n;
        size_t allocated;
        bool has_back;
};

#define PATTERN_SIZE_MAX 1024U /* a pattern of more would be no path of ours */

static void pattern_done(IgnorePattern *x) {
        free(x->text);
        free(x->tokens);
}

IgnoreFile *ignorefile_free(IgnoreFile *i) {
        if (!i)
                return NULL;
        for (size_t k = 0; k < i->n; k++)
                pattern_done(i->patterns + k);
        free(i->patterns);
        return mfree(i);
}

/* "[a-z]" at p: whether c is in it; *ret_end is behind the bracket. -1: it is no set. */
static int match_set(const char *p, char c, const char **ret_end) {
        bool not_in, found = false;

        p++;
        not_in = *p == '^';
        if (not_in)
                p++;
        if (*p == ']')
                return -1;
        while (*p != ']') {
                char low, high;

                if (*p == '\\')
                        p++;
                if (!*p)
                        return -1;
                low = high = *p++;
                if (*p == '-') {
                        p++;
                        if (*p == '\\')
                                p++;
                        if (!*p || *p == ']')
                                return -1;
                        high = *p++;
                }
                found = found || ((unsigned char) low <= (unsigned char) c &&
                                         (unsigned char) c <= (unsigned char) high);
        }
        *ret_end = p + 1;
        return found != not_in;
}

/* x->text as tokens. -EINVAL: it is no pattern. */
static int pattern_compile(IgnorePattern *x) {
        const char *p = x->text;

        if (strlen(p) > PATTERN_SIZE_MAX)
                return -EINVAL;
        x->tokens = new0(Token, strlen(p) + 2);
        if (!x->tokens)
                return -ENOMEM;

        while (*p) {
                Token *t = x->tokens + x->n++;

                if (p[0] == '*' && p[1] == '*') {
                        p += p[2] == '/' ? 3 : 2;
                        t->kind = *p ? TOKEN_FOLDERS : TOKEN_REST;
                        if (*p)
                                x->tokens[x->n++].kind = TOKEN_IN_FOLDER;
                        continue;
                }
                if (*p == '[') {
                        t->kind = TOKEN_SET;
                        t->set = p;
                        if (match_set(p, 'x', &p) < 0)
                                return -EINVAL;
                        continue;
                }
                t->kind = *p == '*' ? TOKEN_STAR : *p == '?' ? TOKEN_ANY : TOKEN_CHARACTER;
                if (*p == '\\' && !*++p)
                        return -EINVAL;
                t->c = *p++;
        }
        return 0;
}

/* Which tokens may come next, once more without reading a character. */
static void match_follow(const IgnorePattern *x, bool *states) {
        for (size_t k = 0; k < x->n; k++) {
                if (!states[k])
                        continue;
                if (x->tokens[k].kind == TOKEN_STAR || x->tokens[k].kind == TOKEN_REST)
                        states[k + 1] = true;
                if (x->tokens[k].kind == TOKEN_FOLDERS)
                        states[k + 1] = states[k + 2] = true;
        }
}

/* All possible places in the pattern at once, character by character: no trying again, whatever the pattern is. */
static bool match_step(const IgnorePattern *x, const bool *states, char c, bool *next) {
        bool any = false;

        (void) memset(next, 0, x->n + 1);
        for (size_t k = 0; k < x->n; k++) {
                const Token *t = x->tokens + k;
                const char *end;

                if (!states[k])
                        continue;
                switch (t->kind) {
                case TOKEN_CHARACTER:
                        next[k + 1] |= c == t->c;
                        break;
                case TOKEN_ANY:
                        next[k + 1] |= c != '/';
                        break;
                case TOKEN_SET:
                        next[k + 1] |= c != '/' && match_set(t->set, c, &end) > 0;
                        break;
                case TOKEN_STAR:
                        next[k] |= c != '/';
                        break;
                case TOKEN_REST:
                        next[k] = true;
                        break;
                case TOKEN_IN_FOLDER:
                        next[k] = true;
                        next[k + 1] |= c == '/';
                        break;
                case TOKEN_FOLDERS:
                        break;
                }
                any = any || next[k] || next[k + 1];
        }
        return any;
}

/* above: also when it matches a folder that path is in. */
static bool pattern_matches(const IgnorePattern *x, const char *path, bool above) {
        bool one[PATTERN_SIZE_MAX + 3] = { true }, two[PATTERN_SIZE_MAX + 3];
        bool *now = one, *next = two;

        for (const char *s = path;; s++) {
                match_follow(x, now);
                if (now[x->n] && (!*s || (above && *s == '/' && s != path)))
                        return true;
                if (!*s || !match_step(x, now, *s, next))
                        return false;
                bool *t = now;

                now = next;
                next = t;
        }
}

int path_pattern_matches(const char *pattern, const char *path) {
        IgnorePattern x = { .text = strdup(pattern) };
        int r;

        assert(pattern);
        assert(path);

        r = x.text ? pattern_compile(&x) : -ENOMEM;
        if (r >= 0)
                r = pattern_matches(&x, path, /* above= */ false);
        pattern_done(&x);
        return r;
}

static int ignorefile_add(IgnoreFile *i, const char *text, Error *reterr) {
        _cleanup_(freep) char *copy = strdup(text), *clean = NULL;
        IgnorePattern *x;
        char *s;
        bool back;
        int r;

        if (!copy)
                return -ENOMEM;
        s = str_strip(copy);
        if (!*s)
                return 0;
        back = *s == '!';
        if (back) {
                s++;
                while (*s == ' ' || *s == '\t')
                        s++;
                if (!*s)
                        return error_set(reterr, ERROR_INVALID, "illegal exclusion pattern: \"!\"");
        }

        r = path_normalise(s, &clean);
        if (r < 0)
                return r;
        for (s = clean; *s == '/' && s[1]; s++)
                ;
        if (streq(s, ".")) /* matches nothing: as in Docker the context itself is not excluded */
                return 0;
        if (i->n >= IGNOREFILE_PATTERNS_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %u patterns", IGNOREFILE_PATTERNS_MAX);

        r = array_grow(&i->patterns, &i->allocated, i->n + 1);
        if (r < 0)
                return r;
        x = i->patterns + i->n;
        *x = (IgnorePattern) { .text = strdup(s), .back = back };
        r = x->text ? pattern_compile(x) : -ENOMEM;
        if (r < 0) {
                pattern_done(x);
                return r == -EINVAL
                             ? error_set(reterr, ERROR_INVALID, "syntax error in pattern: %s", text)
                             : r;
        }
        i->has_back = i->has_back || back;
        i->n++;
        return 0;
}

int ignorefile_new(char *const *patterns, IgnoreFile **ret, Error *reterr) {
        _cleanup_(ignorefile_freep) IgnoreFile *i = new0(IgnoreFile, 1);

        if (!i)
                return -ENOMEM;
        STRV_FOREACH (p, patterns) {
                int r = ignorefile_add(i, *p, reterr);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(i);
        return 0;
}

int ignorefile_parse(const char *text, size_t size, IgnoreFile **ret, Error *reterr) {
        _cleanup_(ignorefile_freep) IgnoreFile *i = new0(IgnoreFile, 1);
        _cleanup_(freep) char *copy = NULL;
        unsigned number = 1;
        char *line, *next;

        assert(text || size == 0);
        assert(ret);

        if (size > IGNOREFILE_SIZE_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, ".dockerignore is larger than 1 MiB");
        copy = alloc_copy0(text ?: "", size);
        if (!i || !copy)
                return -ENOMEM;

        line = str_starts(copy, "\xef\xbb\xbf") ? copy + 3 : copy;
        for (; line; line = next, number++) {
                int r;

                next = strchr(line, '\n');
                if (next)
                        *next++ = 0;
                if (*line == '#')
                        continue;
                r = ignorefile_add(i, line, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, ".dockerignore:%u", number);
        }

        *ret = TAKE_PTR(i);
        return 0;
}

bool ignorefile_excludes(const IgnoreFile *i, const char *path) {
        bool excluded = false;

        assert(i);
        assert(path);

        for (size_t k = 0; k < i->n; k++)
                if (i->patterns[k].back == excluded &&
                        pattern_matches(i->patterns + k, path, /* above= */ true))
                        excluded = !i->patterns[k].back;
        return excluded;
}

bool ignorefile_is_simple(const IgnoreFile *i) {
        return !i->has_back;
}
