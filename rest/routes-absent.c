/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Docker's API has and this engine has not: 501 with a sentence, so that nobody takes it for a wrong path. Objects that cannot exist here
 * (a swarm's, …) are simply not found, since clients that look for a name go on after a 404 only. A row leaves this file when
 * its function arrives. */

#include "lib/base/error.h"
#include "rest/request.h"
#include "rest/router.h"

static int not_implemented(Request *q, Response *a) {
        return error_set(
                &q->error, ERROR_NOT_IMPLEMENTED, "%s %s is not implemented", q->method, q->path);
}

/* clang-format off */
const Route absent_routes[] = {
        { "POST",   "/auth",                             AUTH_VIEW, not_implemented },
        { "GET",    "/distribution/{name...}/json",      AUTH_VIEW, not_implemented },
        { "GET",    "/images/get",                       AUTH_VIEW, not_implemented },
        { "POST",   "/images/prune",                     AUTH_VIEW, not_implemented },
        { "GET",    "/images/search",                    AUTH_VIEW, not_implemented },
        { "GET",    "/images/{name...}/get",             AUTH_VIEW, not_implemented },
        { "POST",   "/images/{name...}/push",            AUTH_VIEW, not_implemented },
        {}
};
/* clang-format on */
