/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An Error is what a person will read when something fails: a kind, which each face turns into
 * its own code, and one sentence. Only functions that a face calls take an Error *reterr; the
 * innermost function that knows the user's words fills it. Every function here accepts e ==
 * NULL, so nobody has to test for it. An Error lives in the caller's memory:
 * _cleanup_(error_done) Error e = {}; */

#include <errno.h>

#include "lib/base/macro.h"

typedef enum ErrorKind {
        ERROR_NONE,            /* not set */
        ERROR_INVALID,         /* a wrong value in a request: -EINVAL */
        ERROR_NOT_FOUND,       /* no such object: -ENOENT */
        ERROR_CONFLICT,        /* in use, or the state does not allow it: -EBUSY */
        ERROR_EXISTS,          /* the name is taken: -EEXIST */
        ERROR_NOT_RUNNING,     /* a conflict that clients tell apart: -ESRCH */
        ERROR_NOT_MODIFIED,    /* is already so; not a failure for a person: -EALREADY */
        ERROR_FORBIDDEN,       /* the caller may not: -EPERM */
        ERROR_UNAUTHORIZED,    /* nobody proved who asks (us or a registry): -EKEYREJECTED */
        ERROR_UNAVAILABLE,     /* something we need is away, later may help: -EHOSTDOWN */
        ERROR_NOT_IMPLEMENTED, /* never here: -EOPNOTSUPP */
        ERROR_TIMEOUT,         /* -ETIMEDOUT */
        ERROR_NO_SPACE,        /* disk or quota full: -ENOSPC */
        ERROR_CANCELLED,       /* -ECANCELED */
        ERROR_TOO_LARGE,       /* a limit of ours: -EFBIG */
        ERROR_CHANGED,         /* somebody else changed it meanwhile: -ESTALE */
        ERROR_INTERNAL,        /* everything else: -EIO */
        _ERROR_KIND_MAX,
        _ERROR_KIND_INVALID = -EINVAL,
} ErrorKind;

typedef struct Error Error;

struct Error {
        ErrorKind kind;
        char *text; /* one sentence without a final newline; NULL while not set */
};

/* Fills *e and returns the negative errno of the kind. An Error that is set already is kept: the
 * innermost knows best. Control characters in the text are escaped, so that it may go to a
 * terminal, a log or the bus. */
int error_set(Error *e, ErrorKind kind, const char *format, ...) _printf_(3, 4);

/* The same for a failed call: the kind follows from r (negative errno), ": strerror" is
 * appended, r returned. */
int error_set_errno(Error *e, int r, const char *format, ...) _printf_(3, 4);

/* Puts words in front of the text of a set Error: "load: no such file" becomes "archive x: load:
 * no such file". Returns the errno of the kind, or r when e is not set or NULL. */
int error_prefix(Error *e, int r, const char *format, ...) _printf_(3, 4);

void error_done(Error *e);               /* frees the text; *e may be used again */
void error_move(Error *to, Error *from); /* *from is empty afterwards; to == NULL frees it */
int error_copy(Error *to, const Error *from);

static inline bool error_is_set(const Error *e) {
        return e && e->kind != ERROR_NONE;
}

/* The text, or for an unset Error the words for r. Never NULL; valid until *e changes. */
const char *error_text(const Error *e, int r);

int error_kind_to_errno(ErrorKind kind); /* negative */
ErrorKind error_kind_from_errno(int r);  /* takes either sign; 0 gives ERROR_NONE */

/* A kind crosses a channel as its name ("not-found"); unknown names give _ERROR_KIND_INVALID. */
const char *error_kind_to_string(ErrorKind kind);
ErrorKind error_kind_from_string(const char *name);
