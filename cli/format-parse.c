/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Template text → tree. Recursive descent over the text itself; depth is limited. */
#include <string.h>

#include "cli/format-parser.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef enum ListEnd {
        LIST_EOF,
        LIST_END,
        LIST_ELSE,
} ListEnd;

static int parse_list(Parser *p, Node **ret, ListEnd *ret_end);

/* Behind an action's inside: "}}" or " -}}", whose white space goes. */
static int close_action(Parser *p) {
        bool trim;

        parser_skip_space(p);
        if (!parser_at_end(p))
                return parser_unexpected(p, "\" in command");
        trim = *parser_at(p) == '-';
        p->pos += trim ? 3 : 2;
        if (trim)
                parser_skip_space(p);
        return 0;
}

/* After {{else: "}}" ends it, "if …" and "with …" are a node of their own in the other branch. */
static int parse_block(Parser *p, Node *n, const char *word);

static int parse_else(Parser *p, Node *n, ListEnd *ret_end) {
        const char *word;
        int r;

        parser_skip_space(p);
        word = parser_next_is(p, "if") && !parser_is_word(parser_at(p)[2])   ? "if"
             : parser_next_is(p, "with") && !parser_is_word(parser_at(p)[4]) ? "with"
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
                return parser_fail(p, "too deep", NULL);

        r = parser_pipe(p, word, /* nested= */ false, &n->pipe);
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
                return parser_fail(p, "unexpected EOF", NULL);
        if (end == LIST_ELSE)
                return parser_fail(p, "unexpected {{else}}", NULL);

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

        while (parser_is_word(parser_at(p)[n]))
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
                if (strlen(blocks[i].word) != n || strncmp(parser_at(p), blocks[i].word, n) != 0)
                        continue;
                p->pos += n;
                node->kind = blocks[i].kind;
                if (node->kind != NODE_BREAK && node->kind != NODE_CONTINUE)
                        return parse_block(p, node, blocks[i].word);
                if (p->loops == 0)
                        return parser_fail_word(p, "{{", blocks[i].word, "}} outside {{range}}");
                return close_action(p);
        }

        node->kind = NODE_ACTION;
        r = parser_pipe(p, "command", /* nested= */ false, &node->pipe);
        return r < 0 ? r : close_action(p);
}

/* Text up to the next action, into a node unless it is empty. "{{-" takes white space away. */
static int parse_text(Parser *p, Node **ret, bool *ret_more) {
        const char *begin = parser_at(p), *open = strstr(begin, "{{");
        size_t n = open ? (size_t) (open - begin) : strlen(begin);

        *ret_more = open;
        p->pos += n + (open ? 2 : 0);
        if (open && *parser_at(p) == '-' && parser_is_space(parser_at(p)[1])) {
                p->pos++;
                while (n > 0 && parser_is_space(begin[n - 1]))
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
        const char *end = strstr(parser_at(p), "*/");

        if (!end)
                return parser_fail(p, "unclosed comment", NULL);
        p->pos = (size_t) (end + 2 - p->text);
        parser_skip_space(p);
        if (!parser_at_end(p))
                return parser_fail(p, "comment ends before closing delimiter", NULL);
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

                parser_skip_space(p);
                r = parser_next_is(p, "/*") ? skip_comment(p)
                                            : parse_action(p, ret, ret_end, &ended);
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
                r = parser_fail(
                        &p, end == LIST_END ? "unexpected {{end}}" : "unexpected {{else}}", NULL);
        strv_free(p.variables);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
}
