/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/format-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static void format_pipe_free(Pipe *p);

static void format_operands_free(Operand *o) {
        while (o) {
                Operand *next = o->next;

                free(o->name);
                json_unref(o->literal);
                format_pipe_free(o->pipe);
                strv_free(o->fields);
                free(o);
                o = next;
        }
}

static void format_pipe_free(Pipe *p) {
        if (!p)
                return;
        while (p->steps) {
                Step *next = p->steps->next;

                format_operands_free(p->steps->operands);
                free(p->steps);
                p->steps = next;
        }
        free(p->variables[0]);
        free(p->variables[1]);
        free(p);
}

static void format_nodes_free(Node *n) {
        while (n) {
                Node *next = n->next;

                free(n->text);
                format_pipe_free(n->pipe);
                format_nodes_free(n->body);
                format_nodes_free(n->otherwise);
                free(n);
                n = next;
        }
}

Format *format_free(Format *f) {
        if (!f)
                return NULL;
        format_nodes_free(f->nodes);
        free(f->text);
        free(f->name);
        return mfree(f);
}
