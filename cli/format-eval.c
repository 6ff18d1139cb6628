/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks the tree of a template. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/format-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef struct Variable {
        const char *name; /* the tree's */
        Value value;
} Variable;

typedef enum Flow {
        FLOW_ON,
        FLOW_BREAK,
        FLOW_CONTINUE,
} Flow;

typedef struct Run {
        const Format *format;
        const FormatData *data;
        Buffer *out;
        Error *reterr;
        Value dot;
        Variable *variables;
        size_t n_variables, allocated;
        Flow flow;
} Run;

void value_done(Value *v) {
        v->json = json_unref(v->json);
}

static Value value_of(const Json *v, const char *field) {
        return (Value) { .json = v ? json_ref((Json *) v) : NULL, .field = field };
}

static void value_replace(Value *to, Value from) {
        json_unref(to->json);
        *to = from;
}

static int fail_at(const Run *run, size_t position, size_t begin, size_t end, const char *why) {
        const char *text = run->format->text;
        size_t column = position;
        unsigned line = 1;

        for (size_t i = 0; i < position; i++)
                if (text[i] == '\n') {
                        line++;
                        column = position - i - 1;
                }
        return error_set(run->reterr, ERROR_INVALID,
                "template: %s:%u:%zu: executing \"%s\" at <%.*s>: %s", run->format->name, line,
                column, run->format->name, (int) (end - begin), text + begin, why);
}

static int fail_operand(const Run *run, const Operand *o, const char *before, const char *word,
        const char *behind) {
        _cleanup_(freep) char *why = str_concat(before, word, behind);

        return why ? fail_at(run, o->position, o->begin, o->end, why) : -ENOMEM;
}

/* ---- operands ---- */

static int no_such_field(const Run *run, const Operand *o, const Value *v, const char *name) {
        _cleanup_(freep) char *type = NULL;

        if (json_is_null(v->json))
                return fail_operand(run, o, "nil data; no entry for key \"", name, "\"");
        if (json_type_of(v->json) != JSON_TYPE_OBJECT)
                return fail_operand(run, o, "can't evaluate field ", name, " in type interface {}");
        if (!run->data->type)
                return fail_operand(run, o, "map has no entry for key \"", name, "\"");
        type = str_concat(" in type ", run->data->type);
        return type ? fail_operand(run, o, "can't evaluate field ", name, type) : -ENOMEM;
}

static int has_field(const Json *v, const char *name, Json **ret) {
        const char *key;
        Json *value;

        *ret = json_get(v, name);
        if (*ret || json_type_of(v) != JSON_TYPE_OBJECT)
                return *ret != NULL;
        JSON_FOREACH (key, value, v) /* null is there, but is no value */
                if (streq(key, name))
                        return 1;
        return 0;
}

static int walk_fields(const Run *run, const Operand *o, Value *v) {
        STRV_FOREACH (name, o->fields) {
                Json *member;

                if (!has_field(v->json, *name, &member)) {
                        if (run->data->type || !format_is_optional(*name) ||
                                json_type_of(v->json) != JSON_TYPE_OBJECT)
                                return no_such_field(run, o, v, *name);
                        member = NULL;
                }
                value_replace(v, value_of(member, *name));
        }
        return 0;
}

static Variable *find_variable(const Run *run, const char *name) {
        for (size_t i = run->n_variables; i > 0; i--)
                if (streq(run->variables[i - 1].name, name))
                        return run->variables + i - 1;
        return NULL;
}

static int eval_pipe(Run *run, const Pipe *pipe, Value *ret);

static int eval_operand(Run *run, const Operand *o, Value *ret) {
        const Variable *variable;
        int r;

        switch (o->kind) {
        case OPERAND_DOT:
                *ret = value_of(run->dot.json, run->dot.field);
                break;
        case OPERAND_VARIABLE:
                if (str_empty(o->name)) {
                        *ret = value_of(run->data->root, NULL);
                        break;
                }
                variable = find_variable(run, o->name);
                if (!variable)
                        return fail_operand(run, o, "undefined variable: $", o->name, "");
                *ret = value_of(variable->value.json, variable->value.field);
                break;
        case OPERAND_LITERAL:
                *ret = value_of(o->literal, NULL);
                return 0;
        case OPERAND_PIPE:
                r = eval_pipe(run, o->pipe, ret);
                if (r < 0)
                        return r;
                break;
        default:
                return fail_operand(run, o, "wrong place for function ", o->name, "");
        }

        r = walk_fields(run, o, ret);
        if (r < 0)
                value_done(ret);
        return r;
}

/* ---- steps ---- */

#define ARGUMENTS_MAX 64

/* and, or: only as many arguments as it takes. */
static int eval_and_or(
        Run *run, const Operand *first, const Value *piped, bool is_and, Value *ret) {
        for (const Operand *o = first->next; o; o = o->next) {
                int r;

                value_done(ret);
                r = eval_operand(run, o, ret);
                if (r < 0)
                        return r;
                if (format_is_true(ret->json) != is_and)
                        return 0;
        }
        if (piped)
                value_replace(ret, value_of(piped->json, piped->field));
        return 0;
}

static int call_function(Run *run, const Step *s, const Value *piped, Value *ret) {
        const Operand *name = s->operands;
        Value arguments[ARGUMENTS_MAX] = {};
        _cleanup_(error_done) Error e = {};
        size_t n = 0;
        int r = 0;

        if (STR_IN_SET(name->name, "and", "or") && (name->next || piped))
                return eval_and_or(run, name, piped, streq(name->name, "and"), ret);

        for (const Operand *o = name->next; r >= 0 && o; o = o->next) {
                if (n >= ARGUMENTS_MAX - 1)
                        r = fail_operand(run, o, "too many arguments for ", name->name, "");
                else
                        r = eval_operand(run, o, arguments + n);
                n += r >= 0;
        }
        if (r >= 0 && piped)
                arguments[n++] = value_of(piped->json, piped->field);
        if (r >= 0) {
                r = format_function(name->name)(run->data, arguments, n, ret, &e);
                if (r < 0 && error_is_set(&e))
                        r = fail_at(run, name->begin, s->begin, s->end, e.text);
        }
        for (size_t i = 0; i < n; i++)
                value_done(arguments + i);
        return r;
}

/* {{.Label "key"}} of a row. */
static bool is_label_call(const Run *run, const Operand *o) {
        return o->kind == OPERAND_DOT && run->data->labels && strv_length(o->fields) == 1 &&
               streq(o->fields[0], "Label") && o->next && !o->next->next &&
               run->dot.json == run->data->root;
}

/* "com.example.some-thing" → "some thing" */
static int label_header(const char *label, Value *ret) {
        const char *dot = strrchr(label, '.');
        _cleanup_(freep) char *copy = NULL;
        int r;

        r = str_copy(&copy, dot ? dot + 1 : label);
        if (r < 0)
                return r;
        for (char *p = copy; *p; p++)
                if (*p == '-' || *p == '_')
                        *p = ' ';
        return json_new_text(copy, &ret->json);
}

static int call_label(Run *run, const Operand *o, Value *ret) {
        _cleanup_(value_done) Value key = {};
        const char *text;
        Json *label;
        int r;

        r = eval_operand(run, o->next, &key);
        if (r < 0)
                return r;
        text = json_to_text(key.json);
        if (!text)
                return fail_operand(run, o->next, "wrong type for value; expected string", "", "");
        if (run->data->header)
                return label_header(text, ret);
        label = json_get(run->data->labels, text);
        if (label) {
                *ret = value_of(label, NULL);
                return 0;
        }
        return json_new_text("", &ret->json);
}

static int eval_step(Run *run, const Step *s, const Value *piped, Value *ret) {
        const Operand *first = s->operands;

        if (first->kind == OPERAND_FUNCTION)
                return call_function(run, s, piped, ret);
        if (is_label_call(run, first))
                return call_label(run, first, ret);
        if ((first->next || piped) && first->fields)
                return fail_operand(run, first, "", first->fields[strv_length(first->fields) - 1],
                        " is not a method but has arguments");
        if (first->next || piped)
                return fail_operand(run, first, "can't give argument to non-function", "", "");
        return eval_operand(run, first, ret);
}

static int eval_pipe(Run *run, const Pipe *pipe, Value *ret) {
        _cleanup_(value_done) Value v = {};
        bool first = true;
        int r;

        for (const Step *s = pipe->steps; s; s = s->next) {
                Value next = {};

                r = eval_step(run, s, first ? NULL : &v, &next);
                if (r < 0) {
                        value_done(&next);
                        return r;
                }
                value_replace(&v, next);
                first = false;
        }
        *ret = TAKE_STRUCT(v);
        return 0;
}

/* ---- variables ---- */

static int set_variable(Run *run, const char *name, const Value *v, bool assigns) {
        Variable *known = assigns ? find_variable(run, name) : NULL;
        int r;

        if (!known) {
                r = array_grow(&run->variables, &run->allocated, run->n_variables + 1);
                if (r < 0)
                        return r;
                known = run->variables + run->n_variables++;
                *known = (Variable) { .name = name };
        }
        value_replace(&known->value, value_of(v->json, v->field));
        return 0;
}

static void forget_variables(Run *run, size_t n) {
        while (run->n_variables > n)
                value_done(&run->variables[--run->n_variables].value);
}

/* ---- nodes ---- */

static int run_nodes(Run *run, const Node *n);

static int run_with_dot(Run *run, const Node *n, const Json *dot, const char *field) {
        Value saved = run->dot;
        int r;

        run->dot = value_of(dot, field);
        r = run_nodes(run, n);
        value_done(&run->dot);
        run->dot = saved;
        return r;
}

static int run_turn(Run *run, const Node *n, const Value *key, Json *element) {
        Value v = { .json = element }; /* borrowed */
        const Pipe *pipe = n->pipe;
        int r = 0;

        if (pipe->variables[1]) {
                r = set_variable(run, pipe->variables[0], key, pipe->assigns);
                if (r >= 0)
                        r = set_variable(run, pipe->variables[1], &v, pipe->assigns);
        } else if (pipe->variables[0])
                r = set_variable(run, pipe->variables[0], &v, pipe->assigns);
        return r < 0 ? r : run_with_dot(run, n->body, element, NULL);
}

/* Maps come in the order of their keys. */
static int sorted_keys(const Json *v, char ***ret) {
        const char *key;
        Json *value;

        JSON_FOREACH (key, value, v) {
                int r = strv_add(ret, key);

                if (r < 0)
                        return r;
        }
        strv_sort(*ret);
        return 0;
}

static int run_range(Run *run, const Node *n, const Json *v) {
        bool is_map = json_type_of(v) == JSON_TYPE_OBJECT;
        _cleanup_(strv_freep) char **keys = NULL;
        size_t known = run->n_variables;
        int r = 0;

        if (is_map)
                r = sorted_keys(v, &keys);

        for (size_t i = 0; r >= 0 && i < json_count(v); i++) {
                _cleanup_(value_done) Value key = {};

                r = is_map ? json_new_text(keys[i], &key.json)
                           : json_new_int64((int64_t) i, &key.json);
                if (r >= 0)
                        r = run_turn(run, n, &key, is_map ? json_get(v, keys[i]) : json_at(v, i));
                forget_variables(run, known);
                if (run->flow == FLOW_BREAK) {
                        run->flow = FLOW_ON;
                        break;
                }
                run->flow = FLOW_ON;
        }
        return r;
}

static int run_block(Run *run, const Node *n) {
        _cleanup_(value_done) Value v = {};
        size_t known = run->n_variables;
        JsonType type;
        int r;

        r = eval_pipe(run, n->pipe, &v);
        if (r < 0)
                return r;
        type = json_type_of(v.json);

        if (n->kind == NODE_RANGE) {
                if (!json_is_null(v.json) && type != JSON_TYPE_LIST && type != JSON_TYPE_OBJECT) {
                        _cleanup_(buffer_done) Buffer why = {};

                        r = buffer_append_string(&why, "range can't iterate over ");
                        if (r >= 0)
                                r = format_print_value(&why, v.json, NULL);
                        return r < 0 ? r
                                     : fail_at(run, n->pipe->begin, n->pipe->begin, n->pipe->end,
                                               str_or_empty(buffer_string(&why)));
                }
                return json_count(v.json) > 0 ? run_range(run, n, v.json)
                                              : run_nodes(run, n->otherwise);
        }

        if (n->pipe->variables[0])
                r = set_variable(run, n->pipe->variables[0], &v, n->pipe->assigns);
        if (r < 0)
                return r;
        if (!format_is_true(v.json))
                r = run_nodes(run, n->otherwise);
        else if (n->kind == NODE_WITH)
                r = run_with_dot(run, n->body, v.json, v.field);
        else
                r = run_nodes(run, n->body);
        forget_variables(run, known);
        return r;
}

static int run_action(Run *run, const Node *n) {
        _cleanup_(value_done) Value v = {};
        int r;

        r = eval_pipe(run, n->pipe, &v);
        if (r < 0)
                return r;
        if (n->pipe->variables[0])
                return set_variable(run, n->pipe->variables[0], &v, n->pipe->assigns);
        return format_print_value(run->out, v.json, v.field);
}

static int run_nodes(Run *run, const Node *n) {
        size_t known = run->n_variables;
        int r = 0;

        for (; r >= 0 && n && run->flow == FLOW_ON; n = n->next) {
                switch (n->kind) {
                case NODE_TEXT:
                        r = buffer_append_string(run->out, n->text);
                        break;
                case NODE_ACTION:
                        r = run_action(run, n);
                        break;
                case NODE_BREAK:
                        run->flow = FLOW_BREAK;
                        break;
                case NODE_CONTINUE:
                        run->flow = FLOW_CONTINUE;
                        break;
                default:
                        r = run_block(run, n);
                        break;
                }
        }
        forget_variables(run, known);
        return r;
}

int format_execute(const Format *f, const FormatData *data, Buffer *out, Error *reterr) {
        Run run = { .format = f, .data = data, .out = out, .reterr = reterr };
        int r;

        if (out->max == 0)
                out->max = FORMAT_OUTPUT_MAX;
        run.dot = value_of(data->root, NULL);
        r = run_nodes(&run, f->nodes);
        value_done(&run.dot);
        forget_variables(&run, 0);
        free(run.variables);
        return r;
}
