/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/build/dockerfile.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/build/dockerfile-internal.h"
#include "engine/build/words.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static void instruction_done(Instruction *i) {
        free(i->text);
        free(i->rest);
        strv_free(i->flags);
        strv_free(i->words);
        for (size_t k = 0; k < i->n_heredocs; k++) {
                free(i->heredocs[k].name);
                free(i->heredocs[k].text);
        }
        free(i->heredocs);
        *i = (Instruction) {};
}

Dockerfile *dockerfile_free(Dockerfile *d) {
        if (!d)
                return NULL;
        for (size_t k = 0; k < d->n; k++)
                instruction_done(d->list + k);
        free(d->list);
        free(d->name);
        free(d->syntax);
        return mfree(d);
}

int dockerfile_error(const Dockerfile *d, const Instruction *i, int r, Error *e) {
        return error_prefix(e, r, "%s:%u:%u: dockerfile parse error on line %u", d->name, i->line,
                i->column, i->line);
}

/* The text as lines. */
typedef struct Reader {
        Dockerfile *file;
        char *next; /* NULL: the end */
        unsigned line;
        Error *reterr;
} Reader;

static char *reader_line(Reader *q) {
        char *line = q->next, *end;

        if (!line)
                return NULL;
        end = strchr(line, '\n');
        q->next = end ? end + 1 : NULL;
        if (end) {
                *end = 0;
                if (end > line && end[-1] == '\r')
                        end[-1] = 0;
                if (!*q->next)
                        q->next = NULL; /* the file ends with its last line feed */
        }
        q->line++;
        return line;
}

static int reader_error(const Reader *q, const char *text) {
        return error_set(q->reterr, ERROR_INVALID, "%s:%u:1: dockerfile parse error on line %u: %s",
                q->file->name, q->line, q->line, text);
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

static char *skip_blank(char *s) {
        while (is_blank(*s))
                s++;
        return s;
}

/* "# name=value": 1 and both; else 0. They are only at the beginning of the file. */
static int directive_split(char *line, char **ret_name, char **ret_value) {
        char *name, *end, *value;

        line = skip_blank(line);
        if (*line != '#')
                return 0;
        name = skip_blank(line + 1);
        end = name + strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        value = skip_blank(end);
        if (end == name || *value != '=')
                return 0;
        *end = 0;
        value = str_strip(value + 1);
        if (!*value)
                return 0;
        *ret_name = name;
        *ret_value = value;
        return 1;
}

static int read_directives(Reader *q) {
        bool escape_seen = false, syntax_seen = false, check_seen = false;

        while (q->next) {
                Reader before = *q;
                _cleanup_(freep) char *copy = strndup(q->next, strcspn(q->next, "\n"));
                char *name, *value;
                bool *seen;

                if (!copy)
                        return -ENOMEM;
                if (directive_split(copy, &name, &value) <= 0)
                        return 0;
                seen = strcasecmp(name, "escape") == 0 ? &escape_seen
                     : strcasecmp(name, "syntax") == 0 ? &syntax_seen
                     : strcasecmp(name, "check") == 0  ? &check_seen
                                                       : NULL;
                if (!seen) { /* a comment, and the end of them */
                        *q = before;
                        return 0;
                }
                (void) reader_line(q);
                if (*seen) {
                        str_lower(name);
                        return error_set(q->reterr, ERROR_INVALID,
                                "%s:%u:1: dockerfile parse error on line %u: only one %s parser "
                                "directive can be used",
                                q->file->name, q->line, q->line, name);
                }
                *seen = true;

                if (seen == &escape_seen) {
                        if (!streq(value, "\\") && !streq(value, "`"))
                                return error_set(q->reterr, ERROR_INVALID,
                                        "%s:%u:1: dockerfile parse error on line %u: invalid "
                                        "escape token '%s' does not match ` or \\",
                                        q->file->name, q->line, q->line, value);
                        q->file->escape = value[0];
                } else if (seen == &syntax_seen && str_copy(&q->file->syntax, value) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Cuts the escape at the end of a line that goes on: true. */
static bool cut_continuation(char *line, char escape) {
        size_t n = strlen(line);

        while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
                n--;
        if (n == 0 || line[n - 1] != escape || (n > 1 && line[n - 2] == escape))
                return false;
        line[n - 1] = 0;
        return true;
}

/* One instruction with the lines that belong to it. 1, or 0 at the end. */
static int read_text(Reader *q, Instruction *i) {
        _cleanup_(buffer_done) Buffer b = {};
        char *line, *text;
        bool more;
        int r;

        do { /* the first line that is neither empty nor a comment */
                line = reader_line(q);
                if (!line)
                        return 0;
                text = skip_blank(line);
        } while (!*text || *text == '#');

        i->line = q->line;
        i->column = (unsigned) (text - line) + 1;
        more = cut_continuation(text, q->file->escape);
        r = buffer_append_string(&b, text);
        while (r >= 0 && more && (line = reader_line(q))) {
                text = skip_blank(line);
                if (!*text || *text == '#')
                        continue;
                more = cut_continuation(line, q->file->escape);
                r = buffer_append_string(&b, line);
        }
        if (r < 0)
                return r;

        text = buffer_take_string(&b, NULL);
        if (!text)
                return -ENOMEM;
        r = str_copy(&i->text, str_strip(text));
        free(text);
        return r < 0 ? r : 1;
}

/* What "<<NAME" at the end of word is about: 1 with the name, 0 it is none. */
static int heredoc_name(
        const char *word, char escape, char **ret, bool *ret_expand, bool *ret_tabs) {
        const Words plain = { .escape = escape };
        const char *p = word + strspn(word, "0123456789");
        _cleanup_(freep) char *name = NULL;
        int r;

        if (p[0] != '<' || p[1] != '<')
                return 0;
        p += 2;
        *ret_tabs = *p == '-';
        if (*p == '-')
                p++;
        if (!*p || strchr(p, '<') || strchr(p, '$'))
                return 0;
        r = words_expand(&plain, p, &name, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !*name || strpbrk(name, " \t"))
                return 0;
        *ret_expand = streq(name, p);
        *ret = TAKE_PTR(name);
        return 1;
}

static int read_heredoc(Reader *q, Instruction *i, char *name, bool expand, bool tabs) {
        _cleanup_(buffer_done) Buffer b = {};
        Heredoc *list;
        char *line;
        int r = 0;

        list = reallocarray(i->heredocs, i->n_heredocs + 1, sizeof(*list));
        if (!list) {
                free(name);
                return -ENOMEM;
        }
        i->heredocs = list;
        list += i->n_heredocs++;
        *list = (Heredoc) { .name = name, .expand = expand };

        for (;;) {
                line = reader_line(q);
                if (!line)
                        return reader_error(q, "unterminated heredoc");
                if (tabs)
                        line += strspn(line, "\t");
                if (streq(line, name))
                        break;
                r = buffer_append_string(&b, line);
                if (r >= 0)
                        r = buffer_append_char(&b, '\n');
                if (r < 0)
                        return r;
        }
        list->text = buffer_take_string(&b, NULL);
        return list->text ? 0 : -ENOMEM;
}

static int read_heredocs(Reader *q, Instruction *i) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        if (!strstr(i->text, "<<") || i->words)
                return 0;
        r = words_split_raw(q->file->escape, i->text, &words);
        STRV_FOREACH (w, words) {
                bool expand, tabs;
                char *name;

                if (r >= 0)
                        r = heredoc_name(*w, q->file->escape, &name, &expand, &tabs);
                if (r > 0 && i->n_heredocs >= DOCKERFILE_HEREDOCS_MAX) {
                        free(name);
                        return reader_error(q, "too many heredocs");
                }
                if (r > 0)
                        r = read_heredoc(q, i, name, expand, tabs);
                if (r < 0)
                        return r;
        }
        return r;
}

static bool takes_heredocs(const Instruction *i) {
        const char *inner = i->rest;

        if (i->kind == INSTRUCTION_ONBUILD)
                return str_starts_nocase(inner, "RUN") || str_starts_nocase(inner, "COPY") ||
                       str_starts_nocase(inner, "ADD");
        return i->kind == INSTRUCTION_RUN || i->kind == INSTRUCTION_COPY ||
               i->kind == INSTRUCTION_ADD;
}

static int read_instruction(Reader *q) {
        Dockerfile *d = q->file;
        _cleanup_(error_done) Error e = {};
        Instruction *i;
        int r;

        r = array_grow(&d->list, &d->n_allocated, d->n + 1);
        if (r < 0)
                return r;
        i = d->list + d->n;
        *i = (Instruction) {};
        r = read_text(q, i);
        if (r <= 0)
                return r;
        if (d->n++ >= DOCKERFILE_INSTRUCTIONS_MAX)
                return reader_error(q, "too many instructions");

        r = instruction_parse(d, i, &e);
        if (r >= 0 && takes_heredocs(i))
                r = read_heredocs(q, i);
        if (r >= 0)
                r = instruction_check(d, i, &e);
        if (error_is_set(&e)) {
                r = dockerfile_error(d, i, r, &e);
                error_move(q->reterr, &e);
        }
        return r < 0 ? r : 1;
}

static int dockerfile_read(Reader *q) {
        int r;

        r = read_directives(q);
        if (r < 0)
                return r;
        do
                r = read_instruction(q);
        while (r > 0);
        return r;
}

int dockerfile_parse(
        const char *text, size_t size, const char *name, Dockerfile **ret, Error *reterr) {
        _cleanup_(dockerfile_freep) Dockerfile *d = NULL;
        _cleanup_(freep) char *copy = NULL;
        Reader q = { .reterr = reterr };
        int r;

        assert(text || size == 0);
        assert(name);
        assert(ret);

        if (size > DOCKERFILE_SIZE_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "the Dockerfile (%s) is larger than 1 MiB", name);
        if (size > 0 && memchr(text, 0, size))
                return error_set(reterr, ERROR_INVALID,
                        "the Dockerfile (%s) has a byte 0: it is no text", name);

        d = new0(Dockerfile, 1);
        copy = alloc_copy0(text ?: "", size);
        if (!d || !copy || str_copy(&d->name, name) < 0)
                return -ENOMEM;
        d->escape = '\\';
        q.file = d;
        q.next = str_starts(copy, "\xef\xbb\xbf") ? copy + 3 : copy;
        if (!*q.next)
                return error_set(
                        reterr, ERROR_INVALID, "the Dockerfile (%s) cannot be empty", name);

        r = dockerfile_read(&q);
        if (r < 0)
                return r;
        if (d->n == 0)
                return error_set(reterr, ERROR_INVALID,
                        "%s:1:1: dockerfile parse error: file with no instructions", name);

        *ret = TAKE_PTR(d);
        return 0;
}

int dockerfile_parse_trigger(const char *text, Dockerfile **ret, Error *reterr) {
        _cleanup_(dockerfile_freep) Dockerfile *d = NULL;
        int r;

        r = dockerfile_parse(text, strlen(text), "ONBUILD", &d, reterr);
        if (r < 0)
                return r;
        if (d->n != 1)
                return error_set(
                        reterr, ERROR_INVALID, "an ONBUILD trigger is one instruction: %s", text);
        r = instruction_check_trigger(d->list, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(d);
        return 0;
}
