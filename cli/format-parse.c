/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Template text → tree. Recursive descent over the text itself; depth is limited. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef struct Parser {
        const char *text, *name;
        size_t pos;
        unsigned depth, loops;
        char **variables; /* that are known here */
        Error *reterr;
} Parser;

/* ---- the tree ---- */

static void pipe_free(Pipe *p);

static void operands_free(Operand *o) {
        while (o) {
                Operand *next = o->next;

                free(o->name);
                json_unref(o->literal);
                pipe_free(o->pipe);
                strv_free(o->fields);
                free(o);
                o = next;
        }
}

static void pipe_free(Pipe *p) {
        if (!p)
                return;
        while (p->steps) {
                Step *next = p->steps->next;

                operands_free(p->steps->operands);
                free(p->steps);
                p->steps = next;
        }
        free(p->variables[0]);
        free(p->variables[1]);
        free(p);
}

static void nodes_free(Node *n) {
        while (n) {
                Node *next = n->next;

                free(n->text);
                pipe_free(n->pipe);
                nodes_free(n->body);
                nodes_free(n->otherwise);
                free(n);
                n = next;
        }
}

Format *format_free(Format *f) {
        if (!f)
                return NULL;
        nodes_free(f->nodes);
        free(f->text);
        free(f->name);
        return mfree(f);
}

/* ---- characters ---- */

static bool is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(char c) {
        return c == '_' || isalnum((unsigned char) c);
}

static const char *at(const Parser *p) {
        return p->text + p->pos;
}

static bool next_is(const Parser *p, const char *word) {
        return str_starts(at(p), word);
}

static void skip_space(Parser *p) {
        while (is_space(*at(p)))
                p->pos++;
}

/* " -}}" or "}}" */
static bool at_end(const Parser *p) {
        return next_is(p, "}}") || (next_is(p, "-}}") && p->pos > 0 && is_space(at(p)[-1]));
}

static int fail(Parser *p, const char *what, const char *word) {
        unsigned line = 1;

        for (size_t i = 0; i < p->pos && p->text[i]; i++)
                line += p->text[i] == '\n';
        return error_set(p->reterr, ERROR_INVALID, "template: %s:%u: %s%s", p->name, line, what,
                str_or_empty(word));
}

static int fail_word(Parser *p, const char *before, const char *word, const char *behind) {
        _cleanup_(freep) char *text = str_concat(before, word, behind);

        return text ? fail(p, text, NULL) : -ENOMEM;
}

static int unexpected(Parser *p, const char *where) {
        _cleanup_(freep) char *word = NULL;
        size_t n = 1;

        if (*at(p) == '\0')
                return fail(p, "unclosed action", NULL);
        while (is_word(*at(p)) && is_word(at(p)[n]))
                n++;
        if (str_copy_n(&word, at(p), n) < 0)
                return -ENOMEM;
        return fail_word(p, "unexpected \"", word, where);
}

static int bad_character(Parser *p) {
        _cleanup_(freep) char *text = NULL;

        if (*at(p) == '\0')
                return fail(p, "unclosed action", NULL);
        if (*at(p) < 0x20 || *at(p) > 0x7e)
                return fail(p, "bad character", NULL);
        if (str_printf(&text, "bad character U+%04X '%c'", (unsigned) *at(p), *at(p)) < 0)
                return -ENOMEM;
        return fail(p, text, NULL);
}

static int take_word(Parser *p, char **ret) {
        size_t begin = p->pos;

        while (is_word(*at(p)))
                p->pos++;
        return str_copy_n(ret, p->text + begin, p->pos - begin);
}

/* ---- literals ---- */

static int quoted_escape(Parser *p, Buffer *b) {
        static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
        const char *found;
        char c = *at(p);

        if (c == 'x' && isxdigit((unsigned char) at(p)[1]) && isxdigit((unsigned char) at(p)[2])) {
                char digits[3] = { at(p)[1], at(p)[2], '\0' };

                p->pos += 3;
                return buffer_append_char(b, (char) strtoul(digits, NULL, 16));
        }
        found = c ? strchr(from, c) : NULL;
        if (!found)
                return fail(p, "invalid syntax in quoted string", NULL);
        p->pos++;
        return buffer_append_char(b, to[found - from]);
}

static int parse_quoted(Parser *p, Json **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        char quote = *at(p);
        int r = 0;

        p->pos++;
        while (r >= 0 && *at(p) != quote) {
                if (*at(p) == '\0' || (*at(p) == '\n' && quote == '"'))
                        return fail(p,
                                quote == '"' ? "unterminated quoted string"
                                             : "unterminated raw quoted string",
                                NULL);
                if (*at(p) == '\\' && quote == '"') {
                        p->pos++;
                        r = quoted_escape(p, &b);
                } else {
                        r = buffer_append_char(&b, *at(p));
                        p->pos++;
                }
        }
        if (r < 0)
                return r;
        p->pos++;
        return json_new_text_n(buffer_head(&b), buffer_size(&b), ret);
}

static int parse_number(Parser *p, Json **ret) {
        _cleanup_(freep) char *word = NULL;
        size_t begin = p->pos;
        int64_t n;
        double d;
        int r;

        if (*at(p) == '-' || *at(p) == '+')
                p->pos++;
        while (is_word(*at(p)) || *at(p) == '.')
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
        return fail_word(p, "bad number syntax: \"", word, "\"");
}

/* ---- pipelines ---- */

static int parse_pipe(Parser *p, const char *context, bool nested, Pipe **ret);

static int parse_fields(Parser *p, Operand *o) {
        size_t n = o->kind == OPERAND_DOT ? 0 : 1;

        while (*at(p) == '.' && (is_word(at(p)[1]))) {
                _cleanup_(freep) char *word = NULL;
                int r;

                if (++n == 2)
                        o->position = p->pos;
                p->pos++;
                r = take_word(p, &word);
                if (r >= 0)
                        r = strv_add(&o->fields, word);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_name(Parser *p, Operand *o) {
        int r;

        r = take_word(p, &o->name);
        if (r < 0)
                return r;
        if (STR_IN_SET(o->name, "true", "false")) {
                o->kind = OPERAND_LITERAL;
                return json_new_bool(streq(o->name, "true"), &o->literal);
        }
        if (streq(o->name, "nil")) {
                o->kind = OPERAND_LITERAL;
                return 0;
        }
        o->kind = OPERAND_FUNCTION;
        if (!format_function(o->name))
                return fail_word(p, "function \"", o->name, "\" not defined");
        return 0;
}

static int parse_variable(Parser *p, Operand *o) {
        int r;

        o->kind = OPERAND_VARIABLE;
        p->pos++;
        r = take_word(p, &o->name);
        if (r < 0)
                return r;
        if (!str_empty(o->name) && !strv_contains(p->variables, o->name))
                return fail_word(p, "undefined variable \"$", o->name, "\"");
        return parse_fields(p, o);
}

static int parse_parenthesis(Parser *p, Operand *o) {
        int r;

        if (++p->depth > FORMAT_DEPTH_MAX)
                return fail(p, "too deep", NULL);
        p->pos++;
        o->kind = OPERAND_PIPE;
        r = parse_pipe(p, "parenthesized pipeline", /* nested= */ true, &o->pipe);
        if (r < 0)
                return r;
        p->depth--;
        if (*at(p) != ')')
                return fail(p, "unclosed left paren", NULL);
        p->pos++;
        return parse_fields(p, o);
}

static int parse_operand(Parser *p, Operand **ret) {
        char c = *at(p), c2 = c ? at(p)[1] : '\0';
        Operand *o;
        int r;

        o = new0(Operand, 1);
        if (!o)
                return -ENOMEM;
        *ret = o; /* in the tree at once: freed with it */
        o->begin = o->position = p->pos;

        if (c == '.' && !isdigit((unsigned char) c2)) {
                o->kind = OPERAND_DOT;
                r = parse_fields(p, o);
                if (r >= 0 && !o->fields)
                        p->pos++;
        } else if (c == '$')
                r = parse_variable(p, o);
        else if (c == '"' || c == '`') {
                o->kind = OPERAND_LITERAL;
                r = parse_quoted(p, &o->literal);
        } else if (isdigit((unsigned char) c) ||
                   ((c == '-' || c == '+' || c == '.') && isdigit((unsigned char) c2))) {
                o->kind = OPERAND_LITERAL;
                r = parse_number(p, &o->literal);
        } else if (c == '(')
                r = parse_parenthesis(p, o);
        else if (is_word(c))
                r = parse_name(p, o);
        else
                r = unexpected(p, "\" in command");
        o->end = p->pos;
        return r;
}

static int parse_step(Parser *p, Step *s) {
        Operand **last = &s->operands;
        int r;

        s->begin = p->pos;
        for (;;) {
                r = parse_operand(p, last);
                if (r < 0)
                        return r;
                s->end = p->pos;
                last = &(*last)->next;

                if (!is_space(*at(p)) && !at_end(p) && *at(p) != '|' && *at(p) != ')')
                        return bad_character(p);
                skip_space(p);
                if (at_end(p) || *at(p) == '|' || *at(p) == ')')
                        return 0;
        }
}

/* "$x :=", "$x =", "$i, $v :=": nothing is consumed when it is none. */
static int parse_declaration(Parser *p, Pipe *pipe) {
        size_t begin = p->pos;

        for (size_t i = 0; i < ARRAY_SIZE(pipe->variables); i++) {
                int r;

                if (*at(p) != '$')
                        break;
                p->pos++;
                r = take_word(p, &pipe->variables[i]);
                if (r < 0)
                        return r;
                skip_space(p);
                if (next_is(p, ":=") || (*at(p) == '=' && at(p)[1] != '=')) {
                        pipe->assigns = *at(p) == '=';
                        p->pos += pipe->assigns ? 1 : 2;
                        skip_space(p);
                        return 0;
                }
                if (*at(p) != ',')
                        break;
                p->pos++;
                skip_space(p);
        }

        p->pos = begin;
        pipe->variables[0] = mfree(pipe->variables[0]);
        pipe->variables[1] = mfree(pipe->variables[1]);
        return 0;
}

static int declare(Parser *p, const Pipe *pipe) {
        for (size_t i = 0; i < ARRAY_SIZE(pipe->variables); i++) {
                int r;

                if (!pipe->variables[i])
                        continue;
                if (pipe->assigns && !strv_contains(p->variables, pipe->variables[i]))
                        return fail_word(p, "undefined variable \"$", pipe->variables[i], "\"");
                r = pipe->assigns ? 0 : strv_add(&p->variables, pipe->variables[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_pipe(Parser *p, const char *context, bool nested, Pipe **ret) {
        Pipe *pipe;
        Step **last;
        int r;

        pipe = *ret = new0(Pipe, 1);
        if (!pipe)
                return -ENOMEM;

        skip_space(p);
        r = parse_declaration(p, pipe);
        if (r < 0)
                return r;
        pipe->begin = p->pos;
        last = &pipe->steps;
        if (at_end(p) || (nested && *at(p) == ')'))
                return fail(p, "missing value for ", context);

        for (;;) {
                *last = new0(Step, 1);
                if (!*last)
                        return -ENOMEM;
                r = parse_step(p, *last);
                if (r < 0)
                        return r;
                pipe->end = (*last)->end;
                last = &(*last)->next;

                if (*at(p) == '|') {
                        p->pos++;
                        skip_space(p);
                        continue;
                }
                if (*at(p) == ')' && !nested)
                        return fail(p, "unexpected right paren", NULL);
                return declare(p, pipe);
        }
}

/* ---- nodes ---- */

typedef enum ListEnd {
        LIST_EOF,
        LIST_END,
        LIST_ELSE,
} ListEnd;

static int parse_list(Parser *p, Node **ret, ListEnd *ret_end);

/* Behind an action's inside: "}}" or " -}}", whose white space goes. */
static int close_action(Parser *p) {
        bool trim;

        skip_space(p);
        if (!at_end(p))
                return unexpected(p, "\" in command");
        trim = *at(p) == '-';
        p->pos += trim ? 3 : 2;
        if (trim)
                skip_space(p);
        return 0;
}

/* After {{else: "}}" ends it, "if …" and "with …" are a node of their own in the other branch. */
static int parse_block(Parser *p, Node *n, const char *word);

static int parse_else(Parser *p, Node *n, ListEnd *ret_end) {
        const char *word;
        int r;

        skip_space(p);
        word = next_is(p, "if") && !is_word(at(p)[2])   ? "if"
             : next_is(p, "with") && !is_word(at(p)[4]) ? "with"
                                                        : NULL;
        if (!word) {
                r = close_action(p);
                return r < 0 ? r : parse_list(p, &n->otherwise, ret_end);
        }

        p->pos += strlen(word);
        n->otherwise = new0(Node, 1);
        if (!n->otherwise)
                return -ENOMEM;
        n->otherwise->kind = streq(word, "if") ? NODE_IF : NODE_WITH;
        *ret_end = LIST_END; /* its {{end}} is ours as well */
        return parse_block(p, n->otherwise, word);
}

static int parse_block(Parser *p, Node *n, const char *word) {
        size_t n_variables = strv_length(p->variables);
        ListEnd end;
        int r;

        if (++p->depth > FORMAT_DEPTH_MAX)
                return fail(p, "too deep", NULL);

        r = parse_pipe(p, word, /* nested= */ false, &n->pipe);
        if (r >= 0)
                r = close_action(p);
        if (r < 0)
                return r;

        p->loops += n->kind == NODE_RANGE;
        r = parse_list(p, &n->body, &end);
        p->loops -= n->kind == NODE_RANGE;
        if (r >= 0 && end == LIST_ELSE)
                r = parse_else(p, n, &end);
        if (r < 0)
                return r;
        if (end == LIST_EOF)
                return fail(p, "unexpected EOF", NULL);
        if (end == LIST_ELSE)
                return fail(p, "unexpected {{else}}", NULL);

        while (strv_length(p->variables) > n_variables) {
                size_t last = strv_length(p->variables) - 1;

                p->variables[last] = mfree(p->variables[last]);
        }
        p->depth--;
        return 0;
}

static int parse_action(Parser *p, Node **ret, ListEnd *ret_end, bool *ret_ended) {
        static const struct {
                const char *word;
                NodeKind kind;
        } blocks[] = { { "if", NODE_IF }, { "range", NODE_RANGE }, { "with", NODE_WITH },
                { "break", NODE_BREAK }, { "continue", NODE_CONTINUE } };
        size_t begin = p->pos, n = 0;
        Node *node;
        int r;

        while (is_word(at(p)[n]))
                n++;
#define IS(w) (n == STRLEN(w) && strncmp(p->text + begin, w, n) == 0)
        if (IS("end") || IS("else")) {
                p->pos += n;
                *ret_end = IS("end") ? LIST_END : LIST_ELSE;
                *ret_ended = true;
                return *ret_end == LIST_END ? close_action(p) : 0;
        }
#undef IS

        node = *ret = new0(Node, 1);
        if (!node)
                return -ENOMEM;
        for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
                if (strlen(blocks[i].word) != n || strncmp(at(p), blocks[i].word, n) != 0)
                        continue;
                p->pos += n;
                node->kind = blocks[i].kind;
                if (node->kind != NODE_BREAK && node->kind != NODE_CONTINUE)
                        return parse_block(p, node, blocks[i].word);
                if (p->loops == 0)
                        return fail_word(p, "{{", blocks[i].word, "}} outside {{range}}");
                return close_action(p);
        }

        node->kind = NODE_ACTION;
        r = parse_pipe(p, "command", /* nested= */ false, &node->pipe);
        return r < 0 ? r : close_action(p);
}

/* Text up to the next action, into a node unless it is empty. "{{-" takes white space away. */
static int parse_text(Parser *p, Node **ret, bool *ret_more) {
        const char *begin = at(p), *open = strstr(begin, "{{");
        size_t n = open ? (size_t) (open - begin) : strlen(begin);

        *ret_more = open;
        p->pos += n + (open ? 2 : 0);
        if (open && *at(p) == '-' && is_space(at(p)[1])) {
                p->pos++;
                while (n > 0 && is_space(begin[n - 1]))
                        n--;
        }
        if (n == 0)
                return 0;
        *ret = new0(Node, 1);
        if (!*ret)
                return -ENOMEM;
        (*ret)->kind = NODE_TEXT;
        return str_copy_n(&(*ret)->text, begin, n);
}

static int skip_comment(Parser *p) {
        const char *end = strstr(at(p), "*/");

        if (!end)
                return fail(p, "unclosed comment", NULL);
        p->pos = (size_t) (end + 2 - p->text);
        skip_space(p);
        if (!at_end(p))
                return fail(p, "comment ends before closing delimiter", NULL);
        return close_action(p);
}

static int parse_list(Parser *p, Node **ret, ListEnd *ret_end) {
        bool more, ended = false;
        int r;

        *ret_end = LIST_EOF;
        for (;;) {
                r = parse_text(p, ret, &more);
                if (r < 0 || !more)
                        return r;
                if (*ret)
                        ret = &(*ret)->next;

                skip_space(p);
                r = next_is(p, "/*") ? skip_comment(p) : parse_action(p, ret, ret_end, &ended);
                if (r < 0 || ended)
                        return r;
                if (*ret)
                        ret = &(*ret)->next;
        }
}

int format_parse(const char *text, size_t skip, const char *name, Format **ret, Error *reterr) {
        _cleanup_(format_freep) Format *f = NULL;
        Parser p = { .reterr = reterr };
        ListEnd end;
        int r;

        f = new0(Format, 1);
        if (!f || str_copy(&f->text, text) < 0 || str_copy(&f->name, name) < 0)
                return -ENOMEM;

        p.text = f->text;
        p.pos = skip;
        p.name = f->name;
        r = parse_list(&p, &f->nodes, &end);
        if (r >= 0 && end != LIST_EOF)
                r = fail(&p, end == LIST_END ? "unexpected {{end}}" : "unexpected {{else}}", NULL);
        strv_free(p.variables);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
}
