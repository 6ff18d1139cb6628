/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Dockerfile as a list of instructions: directives, comments, continuation lines, heredocs, flags, JSON and shell form. Nothing is expanded yet:
 * what a variable is depends on where the build stands. Pure; the text is a stranger's. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Dockerfile Dockerfile;
typedef struct Heredoc Heredoc;
typedef struct Instruction Instruction;

#define DOCKERFILE_SIZE_MAX         ((size_t) 1024 * 1024)
#define DOCKERFILE_INSTRUCTIONS_MAX 5000U
#define DOCKERFILE_HEREDOCS_MAX     100U /* of one instruction */

typedef enum InstructionKind {
        INSTRUCTION_ADD,
        INSTRUCTION_ARG,
        INSTRUCTION_CMD,
        INSTRUCTION_COPY,
        INSTRUCTION_ENTRYPOINT,
        INSTRUCTION_ENV,
        INSTRUCTION_EXPOSE,
        INSTRUCTION_FROM,
        INSTRUCTION_HEALTHCHECK,
        INSTRUCTION_LABEL,
        INSTRUCTION_MAINTAINER,
        INSTRUCTION_ONBUILD,
        INSTRUCTION_RUN,
        INSTRUCTION_SHELL,
        INSTRUCTION_STOPSIGNAL,
        INSTRUCTION_USER,
        INSTRUCTION_VOLUME,
        INSTRUCTION_WORKDIR,
        _INSTRUCTION_KIND_MAX,
        _INSTRUCTION_KIND_INVALID = -22,
} InstructionKind;

struct Heredoc {
        char *name;
        char *text;  /* the lines with their line feeds, tabs taken away for "<<-" */
        bool expand; /* the name was not quoted */
};

struct Instruction {
        InstructionKind kind;
        unsigned line, column; /* of its first letter, from 1 */
        char *text;   /* all of it in one line, as a build shows it; heredocs are not in it */
        char **flags; /* pairs: name without "--", value; one without a value has "true" */
        char *rest;   /* behind the flags */
        char **words; /* of the JSON form, or NULL */
        Heredoc *heredocs;
        size_t n_heredocs;
};

struct Dockerfile {
        char *name; /* for sentences */
        char escape;
        char *syntax; /* what the directive says; it is never fetched */
        Instruction *list;
        size_t n;
        size_t n_allocated;
};

/* ERROR_INVALID with file, line and column: "Dockerfile:3:1: dockerfile parse error on line 3: unknown instruction: FOO". An empty file is an error. */
int dockerfile_parse(
        const char *text, size_t size, const char *name, Dockerfile **ret, Error *reterr);
/* One instruction of an image's ONBUILD. */
int dockerfile_parse_trigger(const char *text, Dockerfile **ret, Error *reterr);
Dockerfile *dockerfile_free(Dockerfile *d);
DEFINE_CLEANUP(Dockerfile *, dockerfile_free);

const char *instruction_kind_to_string(InstructionKind k); /* "ADD" */
/* Of a flag that may be given once; NULL: it is not. */
const char *instruction_flag(const Instruction *i, const char *name);

/* Puts file, line and column in front of what e says. Returns as error_prefix(). */
int dockerfile_error(const Dockerfile *d, const Instruction *i, int r, Error *e);
