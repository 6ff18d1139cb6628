/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What an instruction does to an image's configuration, and where a stage stands while it is built. Pure. */

#include <stdbool.h>

#include "engine/build/words.h"
#include "lib/base/error.h"
#include "lib/oci/image-spec.h"

typedef struct BuildState BuildState;
typedef struct Dockerfile Dockerfile;
typedef struct Instruction Instruction;

#define BUILD_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct BuildState {
        ImageConfig config;
        char **scope;    /* of ARG: KEY=value, or KEY alone when it is not set */
        bool cmd_is_own; /* CMD was here, not in the base: ENTRYPOINT leaves it */
};

/* Of every build. */
typedef struct BuildArguments {
        char *const *given; /* --build-arg, KEY=value */
        char *const *meta;  /* before the first FROM */
        char ***asked;      /* names that an ARG has asked for are added here */
} BuildArguments;

void build_state_init(BuildState *s); /* FROM scratch */
void build_state_done(BuildState *s);
int build_state_copy(const BuildState *from, BuildState *ret);
/* On top of an image: its ONBUILD triggers leave it and are given back, PATH is there. */
int build_state_from(const ImageConfig *base, BuildState *ret, char ***ret_triggers);

/* The values that words of an instruction see: ENV before ARG. */
Words build_words(const BuildState *s, const Dockerfile *d);

/* 1: that was all, *ret_comment is what the history says behind "#(nop) "; 0: there is more to do, it makes or runs files: RUN, COPY, ADD; and
 * WORKDIR, whose folder is set here, with its comment. FROM must not come here. */
int build_apply(BuildState *s, const Dockerfile *d, const Instruction *i,
        const BuildArguments *args, char **ret_comment, Error *reterr);

/* The shell for the shell form: SHELL or ["/bin/sh", "-c"]. Borrowed. */
char *const *build_shell(const BuildState *s);
/* What RUN runs. */
int build_run_command(const BuildState *s, const Instruction *i, char ***ret);
/* ARGs that a RUN sees and that count for the cache: KEY=value, sorted. */
int build_run_arguments(const BuildState *s, char ***ret);

/* A line of the history: time NULL: none. */
int build_add_history(BuildState *s, const char *created_by, const char *created, bool empty_layer);
