/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The raw text behind "NAME=" in an options file and the value it stands for, read exactly as
 * systemd's EnvironmentFile= does: quotes, escapes, continued lines, a bare value to the end of the
 * line, and no expansion of any kind. Every byte of the value knows its bytes in the raw text, so
 * that an edit can leave all others alone. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/macro.h"

typedef struct EnvValue EnvValue;
typedef struct EnvByte EnvByte;

#define ENV_VALUE_MAX (1024U * 1024U)

typedef enum EnvQuote { ENV_BARE, ENV_SINGLE, ENV_DOUBLE } EnvQuote;

struct EnvByte {
        unsigned raw; /* where it starts in the raw text, the backslash before it included */
        unsigned short n_raw; /* how many raw bytes it takes */
        unsigned char quote;  /* EnvQuote of the piece it is in */
        unsigned segment;     /* number of that piece */
};

struct EnvValue {
        char *text; /* decoded, NUL-terminated */
        size_t n;
        EnvByte *bytes;        /* n of them */
        size_t empty_quotes;   /* raw offset between the quotes of a value that is only "" or ''; 0:
                                  it is not */
        bool trailing_comment; /* "…" # why: systemd takes the comment as part of the value */
};

/* -EBADMSG: not UTF-8 or a quote that does not end, -EFBIG. */
int env_value_decode(const char *raw, EnvValue *ret);
void env_value_done(EnvValue *v);

/* VALUE in double quotes, escaped so that decoding gives VALUE again. -EINVAL for control
 * characters other than the blank ones. */
int env_value_encode(const char *value, char **ret);

/* Raw text whose value has bytes [offset, offset+n) replaced by TEXT: patched in place where that
 * is safe, else quoted anew as a whole. */
int env_value_splice(
        const char *raw, const EnvValue *v, size_t offset, size_t n, const char *text, char **ret);
