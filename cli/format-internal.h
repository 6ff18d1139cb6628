/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The tree that format-parse.c makes, format-eval.c walks and format-functions.c serves. */

#include <sys/types.h>

#include "cli/format.h"
#include "lib/base/buffer.h"

#define FORMAT_DEPTH_MAX 50

typedef struct Operand Operand;
typedef struct Pipe Pipe;
typedef struct Step Step;
typedef struct Node Node;

typedef enum OperandKind {
        OPERAND_DOT,      /* "." and what is in it */
        OPERAND_VARIABLE, /* $x, $ */
        OPERAND_FUNCTION,
        OPERAND_LITERAL,
        OPERAND_PIPE, /* ( … ) */
} OperandKind;

struct Operand {
        OperandKind kind;
        char *name; /* variable without $, function */
        Json *literal;
        Pipe *pipe;
        char **fields; /* .A.B behind it */
        size_t begin, end;
        size_t position; /* for errors: of the second field, as Go has it */
        Operand *next;
};

/* One part of a pipeline: an operand with arguments. */
struct Step {
        Operand *operands;
        size_t begin, end;
        Step *next;
};

struct Pipe {
        char *variables[2]; /* of $i, $v := … */
        bool assigns;       /* "=" instead of ":=" */
        Step *steps;
        size_t begin, end;
};

typedef enum NodeKind {
        NODE_TEXT,
        NODE_ACTION,
        NODE_IF,
        NODE_RANGE,
        NODE_WITH,
        NODE_BREAK,
        NODE_CONTINUE,
} NodeKind;

struct Node {
        NodeKind kind;
        char *text;
        Pipe *pipe;
        Node *body, *otherwise, *next;
};

struct Format {
        char *text;
        char *name;
        Node *nodes;
};

/* A value on its way: json is owned (NULL: nil), field borrowed. */
typedef struct Value {
        Json *json;
        const char *field; /* the name under which it was found */
} Value;

void value_done(Value *v);

/* arguments: of the call, the piped one last. Errors are reasons without position. */
typedef int (*format_function_t)(
        const FormatData *data, Value *arguments, size_t n, Value *ret, Error *reterr);
format_function_t format_function(const char *name);
/* Go's words for a call that fails. */
int format_calling(const char *name, Error *reterr, const char *why, const char *detail);
int format_wrong_count(const char *name, Error *reterr, size_t want, size_t got);
/* Of the table of functions, in format-compare.c. */
int format_do_eq(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr);
int format_do_ne(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr);
int format_do_lt(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr);
int format_do_le(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr);
int format_do_gt(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr);
int format_do_ge(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr);
int format_do_not(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr);
int format_do_and_or(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr);
/* fmt.Sprintf(): %s %q %v %d %x %X %o %b %t %f %e %g %c %% with flags, width and precision. */
int format_sprintf(Buffer *b, const char *text, const Value *arguments, size_t n);
/* A member of docker's documents that is left out when it is empty. */
bool format_is_optional(const char *field);
const char *format_type_name(const Json *v); /* Go's: "int", "string", … */
bool format_is_true(const Json *v);
/* What is a structure for docker's client and not a map: 1 printed, 0 it is none. format-shape.c */
int format_print_shape(Buffer *b, const Json *v, const char *field);
/* Under which name elements of a list or map are looked up there; NULL: they are nothing special. */
const char *format_element_field(const char *field);
