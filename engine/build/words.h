/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Words of a Dockerfile: quotes, the escape character, and variables: $x ${x} ${x:-w} ${x-w} ${x:+w} ${x+w} ${x:?w} ${x?w} ${x#p} ${x##p} ${x%p}
 * ${x%%p} ${x/p/w} ${x//p/w}, where w may have variables again and p is a pattern with * and ?. Pure; whatever it is given it takes bounded
 * time and memory. */

#include "lib/base/error.h"

#define WORDS_DEPTH_MAX 32U
#define WORDS_SIZE_MAX  ((size_t) 1024 * 1024) /* of what comes out */

typedef struct Words {
        char escape; /* '\\' or '`' */
        const char *(*value)(const char *name,
                void *userdata); /* NULL: not set. It stays valid until the next call */
        void *userdata;
        bool keep_quotes; /* quotes are text, as in a heredoc */
} Words;

/* As one word. ERROR_INVALID with a sentence. */
int words_expand(const Words *w, const char *text, char **ret, Error *reterr);

/* Cut at white space that is neither quoted nor escaped; also what a variable without quotes stands for is cut. */
int words_split(const Words *w, const char *text, char ***ret, Error *reterr);

/* Cut at white space as above, but nothing is expanded, quotes and escapes stay: parts to be expanded one by one. -ENOMEM only. */
int words_split_raw(char escape, const char *text, char ***ret);
