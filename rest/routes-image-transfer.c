/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/core/job.h"
#include "engine/engine.h"
#include "engine/image/images.h"
#include "lib/api/registry-auth.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "rest/job-stream.h"
#include "rest/request.h"
#include "rest/router.h"

static int post_load(Request *q, Response *a) {
        bool quiet = request_query_bool(q, "quiet", true);
        Job *j;
        int r;

        r = images_load_archive(q->engine->images, TAKE_FD(q->body_fd), quiet, &j, &q->error);
        if (r < 0)
                return r;
        return job_stream_new(q, j, JOB_STREAM_TEXT, quiet, /* cancel_on_gone= */ true);
}

static int pull(Request *q) {
        _cleanup_(registry_auth_done) RegistryAuth auth = {};
        const ImagePull what = {
                .name = request_query(q, "fromImage"),
                .tag = request_query(q, "tag"),
                .platform = request_query(q, "platform"),
                .auth = &auth,
        };
        Job *j;
        int r;

        r = registry_auth_read_header(request_header(q, "X-Registry-Auth"), &auth);
        if (r >= 0)
                r = images_pull(q->engine->images, &what, &j, &q->error);
        if (r < 0)
                return r;
        return job_stream_new_late(
                q, j, JOB_STREAM_STATUS, /* quiet= */ false, /* cancel_on_gone= */ true);
}

static int post_create(Request *q, Response *a) {
        const char *source = request_query(q, "fromSrc");
        _cleanup_(strv_freep) char **changes = NULL;
        Job *j;
        int r;

        if (!str_empty(request_query(q, "fromImage")))
                return pull(q);
        if (!str_equal(source, "-"))
                return error_set(&q->error, ERROR_NOT_IMPLEMENTED,
                        "importing from a URL is not implemented: send the archive as the "
                        "request's body, with "
                        "fromSrc=-");

        r = request_query_all(q, "changes", &changes);
        if (r < 0)
                return r;

        r = images_import(q->engine->images, TAKE_FD(q->body_fd), source, request_query(q, "repo"),
                request_query(q, "tag"), request_query(q, "message"), changes,
                request_query(q, "platform"), &j, &q->error);
        if (r < 0)
                return r;
        /* The id alone, as dockerd does: scripts take what `docker import` prints for it. */
        return job_stream_new(
                q, j, JOB_STREAM_STATUS, /* quiet= */ true, /* cancel_on_gone= */ true);
}

/* clang-format off */
const Route image_transfer_routes[] = {
        { "POST", "/images/load",   AUTH_MANAGE_IMAGES, post_load,   ROUTE_BODY_STREAM },
        { "POST", "/images/create", AUTH_MANAGE_IMAGES, post_create, ROUTE_BODY_STREAM },
        {}
};
/* clang-format on */
