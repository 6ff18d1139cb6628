/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>

#include "cli/format-parser.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static int parse_fields(Parser *p, Operand *o) {
        size_t n = o->kind == OPERAND_DOT ? 0 : 1;

        while (*parser_at(p) == '.' && (parser_is_word(parser_at(p)[1]))) {
                _cleanup_(freep) char *word = NULL;
                int r;

                if (++n == 2)
                        o->position = p->pos;
                p->pos++;
                r = parser_take_word(p, &word);
                if (r >= 0)
                        r = strv_add(&o->fields, word);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_name(Parser *p, Operand *o) {
        int r;

        r = parser_take_word(p, &o->name);
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
                return parser_fail_word(p, "function \"", o->name, "\" not defined");
        return 0;
}

static int parse_variable(Parser *p, Operand *o) {
        int r;

        o->kind = OPERAND_VARIABLE;
        p->pos++;
        r = parser_take_word(p, &o->name);
        if (r < 0)
                return r;
        if (!str_empty(o->name) && !strv_contains(p->variables, o->name))
                return parser_fail_word(p, "undefined variable \"$", o->name, "\"");
        return parse_fields(p, o);
}

static int parse_parenthesis(Parser *p, Operand *o) {
        int r;

        if (++p->depth > FORMAT_DEPTH_MAX)
                return parser_fail(p, "too deep", NULL);
        p->pos++;
        o->kind = OPERAND_PIPE;
        r = parser_pipe(p, "parenthesized pipeline", /* nested= */ true, &o->pipe);
        if (r < 0)
                return r;
        p->depth--;
        if (*parser_at(p) != ')')
                return parser_fail(p, "unclosed left paren", NULL);
        p->pos++;
        return parse_fields(p, o);
}

static int parse_operand(Parser *p, Operand **ret) {
        char c = *parser_at(p), c2 = c ? parser_at(p)[1] : '\0';
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
                r = parser_quoted(p, &o->literal);
        } else if (isdigit((unsigned char) c) ||
                   ((c == '-' || c == '+' || c == '.') && isdigit((unsigned char) c2))) {
                o->kind = OPERAND_LITERAL;
                r = parser_number(p, &o->literal);
        } else if (c == '(')
                r = parse_parenthesis(p, o);
        else if (parser_is_word(c))
                r = parse_name(p, o);
        else
                r = parser_unexpected(p, "\" in command");
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

                if (!parser_is_space(*parser_at(p)) && !parser_at_end(p) && *parser_at(p) != '|' &&
                        *parser_at(p) != ')')
                        return parser_bad_character(p);
                parser_skip_space(p);
                if (parser_at_end(p) || *parser_at(p) == '|' || *parser_at(p) == ')')
                        return 0;
        }
}

/* "$x :=", "$x =", "$i, $v :=": nothing is consumed when it is none. */
static int parse_declaration(Parser *p, Pipe *pipe) {
        size_t begin = p->pos;

        for (size_t i = 0; i < ARRAY_SIZE(pipe->variables); i++) {
                int r;

                if (*parser_at(p) != '$')
                        break;
                p->pos++;
                r = parser_take_word(p, &pipe->variables[i]);
                if (r < 0)
                        return r;
                parser_skip_space(p);
                if (parser_next_is(p, ":=") || (*parser_at(p) == '=' && parser_at(p)[1] != '=')) {
                        pipe->assigns = *parser_at(p) == '=';
                        p->pos += pipe->assigns ? 1 : 2;
                        parser_skip_space(p);
                        return 0;
                }
                if (*parser_at(p) != ',')
                        break;
                p->pos++;
                parser_skip_space(p);
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
                        return parser_fail_word(
                                p, "undefined variable \"$", pipe->variables[i], "\"");
                r = pipe->assigns ? 0 : strv_add(&p->variables, pipe->variables[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int parser_pipe(Parser *p, const char *context, bool nested, Pipe **ret) {
        Pipe *pipe;
        Step **last;
        int r;

        pipe = *ret = new0(Pipe, 1);
        if (!pipe)
                return -ENOMEM;

        parser_skip_space(p);
        r = parse_declaration(p, pipe);
        if (r < 0)
                return r;
        pipe->begin = p->pos;
        last = &pipe->steps;
        if (parser_at_end(p) || (nested && *parser_at(p) == ')'))
                return parser_fail(p, "missing value for ", context);

        for (;;) {
                *last = new0(Step, 1);
                if (!*last)
                        return -ENOMEM;
                r = parse_step(p, *last);
                if (r < 0)
                        return r;
                pipe->end = (*last)->end;
                last = &(*last)->next;

                if (*parser_at(p) == '|') {
                        p->pos++;
                        parser_skip_space(p);
                        continue;
                }
                if (*parser_at(p) == ')' && !nested)
                        return parser_fail(p, "unexpected right paren", NULL);
                return declare(p, pipe);
        }
}
