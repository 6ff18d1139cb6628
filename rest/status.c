/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/status.h"

#include <errno.h>

#include "lib/json/json.h"
#include "rest/request.h"

/* clang-format off */
static const unsigned status_table[_ERROR_KIND_MAX] = {
        [ERROR_NONE]            = 500,
        [ERROR_INVALID]         = 400,
        [ERROR_NOT_FOUND]       = 404,
        [ERROR_CONFLICT]        = 409,
        [ERROR_EXISTS]          = 409,
        [ERROR_NOT_RUNNING]     = 409,
        [ERROR_NOT_MODIFIED]    = 304,
        [ERROR_FORBIDDEN]       = 403,
        [ERROR_UNAUTHORIZED]    = 401,
        [ERROR_UNAVAILABLE]     = 503,
        [ERROR_NOT_IMPLEMENTED] = 501,
        [ERROR_TIMEOUT]         = 500,
        [ERROR_NO_SPACE]        = 500,
        [ERROR_CANCELLED]       = 500,
        [ERROR_TOO_LARGE]       = 413,
        [ERROR_CHANGED]         = 409,
        [ERROR_INTERNAL]        = 500,
};
/* clang-format on */

unsigned status_from_error(int r, const Error *e) {
        ErrorKind kind = error_is_set(e) ? e->kind : error_kind_from_errno(r);

        if (kind <= ERROR_NONE || kind >= _ERROR_KIND_MAX)
                return 500;
        return status_table[kind];
}

int response_error(Response *a, int r, const Error *e) {
        _cleanup_(json_unrefp) Json *body = NULL;
        unsigned status = status_from_error(r, e);
        int k;

        response_done(a);

        if (status == 304)
                return response_empty(a, status);

        k = json_new_object(&body);
        if (k >= 0)
                k = json_set_text(body, "message", error_text(e, r));
        if (k < 0)
                return k;

        return response_json(a, status, body);
}
