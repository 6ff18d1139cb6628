/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

typedef struct KindRow KindRow;

struct KindRow {
        const char *name;
        int error;
};

/* clang-format off */
static const KindRow kinds[_ERROR_KIND_MAX] = {
        [ERROR_NONE]            = { "none",            0            },
        [ERROR_INVALID]         = { "invalid",         EINVAL       },
        [ERROR_NOT_FOUND]       = { "not-found",       ENOENT       },
        [ERROR_CONFLICT]        = { "conflict",        EBUSY        },
        [ERROR_EXISTS]          = { "exists",          EEXIST       },
        [ERROR_NOT_RUNNING]     = { "not-running",     ESRCH        },
        [ERROR_NOT_MODIFIED]    = { "not-modified",    EALREADY     },
        [ERROR_FORBIDDEN]       = { "forbidden",       EPERM        },
        [ERROR_UNAUTHORIZED]    = { "unauthorized",    EKEYREJECTED },
        [ERROR_UNAVAILABLE]     = { "unavailable",     EHOSTDOWN    },
        [ERROR_NOT_IMPLEMENTED] = { "not-implemented", EOPNOTSUPP   },
        [ERROR_TIMEOUT]         = { "timeout",         ETIMEDOUT    },
        [ERROR_NO_SPACE]        = { "no-space",        ENOSPC       },
        [ERROR_CANCELLED]       = { "cancelled",       ECANCELED    },
        [ERROR_TOO_LARGE]       = { "too-large",       EFBIG        },
        [ERROR_CHANGED]         = { "changed",         ESTALE       },
        [ERROR_INTERNAL]        = { "internal",        EIO          },
};

/* Numbers that mean the same to a person as one above. */
static const struct {
        int error;
        ErrorKind kind;
} more_errors[] = {
        { E2BIG,        ERROR_TOO_LARGE       },
        { EACCES,       ERROR_FORBIDDEN       },
        { EBADMSG,      ERROR_INVALID         },
        { ECONNREFUSED, ERROR_UNAVAILABLE     },
        { EDQUOT,       ERROR_NO_SPACE        },
        { EHOSTUNREACH, ERROR_UNAVAILABLE     },
        { EMSGSIZE,     ERROR_TOO_LARGE       },
        { ENAMETOOLONG, ERROR_INVALID         },
        { ENETUNREACH,  ERROR_UNAVAILABLE     },
        { ENOSYS,       ERROR_NOT_IMPLEMENTED },
        { ENOTEMPTY,    ERROR_CONFLICT        },
        { ERANGE,       ERROR_INVALID         },
};
/* clang-format on */

int error_kind_to_errno(ErrorKind kind) {
        assert(kind >= 0 && kind < _ERROR_KIND_MAX);

        return -kinds[kind].error;
}

ErrorKind error_kind_from_errno(int r) {
        int error = r < 0 ? -r : r;

        for (size_t i = 0; i < _ERROR_KIND_MAX; i++)
                if (kinds[i].error == error)
                        return (ErrorKind) i;

        for (size_t i = 0; i < ARRAY_SIZE(more_errors); i++)
                if (more_errors[i].error == error)
                        return more_errors[i].kind;

        return ERROR_INTERNAL;
}

const char *error_kind_to_string(ErrorKind kind) {
        if ((int) kind < 0 || kind >= _ERROR_KIND_MAX)
                return NULL;

        return kinds[kind].name;
}

ErrorKind error_kind_from_string(const char *name) {
        for (size_t i = 0; name && i < _ERROR_KIND_MAX; i++)
                if (streq(kinds[i].name, name))
                        return (ErrorKind) i;

        return _ERROR_KIND_INVALID;
}

/* Without memory the kind still arrives; error_text() then has the words of its errno. */
static _printf_(1, 0) char *error_format(const char *format, va_list ap) {
        _cleanup_(freep) char *raw = NULL;

        if (vasprintf(&raw, format, ap) < 0) {
                raw = NULL;
                return NULL;
        }
        if (!str_needs_escape(raw))
                return TAKE_PTR(raw);

        return str_escape_terminal(raw);
}

int error_set(Error *e, ErrorKind kind, const char *format, ...) {
        va_list ap;

        assert(kind > ERROR_NONE && kind < _ERROR_KIND_MAX);
        assert(format);

        if (e && e->kind == ERROR_NONE) {
                va_start(ap, format);
                e->text = error_format(format, ap);
                va_end(ap);
                e->kind = kind;
        }

        return error_kind_to_errno(kind);
}

int error_set_errno(Error *e, int r, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list ap;

        assert(r < 0);
        assert(format);

        if (!e || e->kind != ERROR_NONE)
                return r;

        va_start(ap, format);
        text = error_format(format, ap);
        va_end(ap);

        e->kind = error_kind_from_errno(r);
        if (text && str_printf(&e->text, "%s: %s", text, strerror(-r)) < 0)
                e->text = TAKE_PTR(text);
        return r;
}

int error_prefix(Error *e, int r, const char *format, ...) {
        _cleanup_(freep) char *prefix = NULL;
        char *joined;
        va_list ap;

        assert(format);

        if (!error_is_set(e))
                return r;

        va_start(ap, format);
        prefix = error_format(format, ap);
        va_end(ap);

        if (prefix && str_printf(&joined, "%s: %s", prefix, error_text(e, r)) >= 0) {
                free(e->text);
                e->text = joined;
        }
        return error_kind_to_errno(e->kind);
}

void error_done(Error *e) {
        if (!e)
                return;

        e->text = mfree(e->text);
        e->kind = ERROR_NONE;
}

void error_move(Error *to, Error *from) {
        assert(from);

        if (to == from)
                return;

        if (to) {
                error_done(to);
                *to = *from;
                *from = (Error) {};
        } else
                error_done(from);
}

int error_copy(Error *to, const Error *from) {
        char *text = NULL;
        int r;

        assert(from);

        if (!to || to == from)
                return 0;

        r = str_copy(&text, from->text);
        if (r < 0)
                return r;

        error_done(to);
        *to = (Error) { .kind = from->kind, .text = text };
        return 0;
}

const char *error_text(const Error *e, int r) {
        if (e && e->text)
                return e->text;
        if (error_is_set(e))
                r = error_kind_to_errno(e->kind);

        return strerror(r < 0 ? -r : r);
}
