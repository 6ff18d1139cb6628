/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How a template's text becomes a tree, in pieces: format-words.c has characters and literals, format-pipe.c what stands between {{ and }},
 * format-parse.c the actions and their blocks. */

#include <stdbool.h>
#include <stddef.h>

#include "cli/format-internal.h"
#include "lib/base/error.h"

typedef struct Parser {
        const char *text, *name;
        size_t pos;
        unsigned depth, loops;
        char **variables; /* that are known here */
        Error *reterr;
} Parser;

/* Texts of errors are Go's, with the line in front. */
int parser_fail(Parser *p, const char *what, const char *word);
int parser_fail_word(Parser *p, const char *before, const char *word, const char *behind);
int parser_unexpected(Parser *p, const char *where);
int parser_bad_character(Parser *p);

bool parser_is_space(char c);
bool parser_is_word(char c);
const char *parser_at(const Parser *p);
bool parser_next_is(const Parser *p, const char *word);
void parser_skip_space(Parser *p);
bool parser_at_end(const Parser *p); /* " -}}" or "}}" */
int parser_take_word(Parser *p, char **ret);

int parser_quoted(Parser *p, Json **ret);
int parser_number(Parser *p, Json **ret);
int parser_pipe(Parser *p, const char *context, bool nested, Pipe **ret);
