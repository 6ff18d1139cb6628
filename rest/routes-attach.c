/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach and resize: the client's own connection becomes a stream of the container. */
#include <stdint.h>

#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "rest/hijack.h"
#include "rest/later.h"
#include "rest/object.h"
#include "rest/request.h"
#include "rest/router.h"
#include "rest/status.h"

/* ---- attach ---- */

typedef struct Attach {
        Containers *containers;
        char *id;
        char *detach_keys;
        bool tty;
        AttachOptions options;
} Attach;

static Attach *attach_free(Attach *a) {
        if (!a)
                return NULL;
        free(a->id);
        free(a->detach_keys);
        return mfree(a);
}
DEFINE_CLEANUP(Attach *, attach_free);

static void on_attached(void *userdata, int fd, const void *early, size_t early_size) {
        _cleanup_(attach_freep) Attach *a = userdata;
        _cleanup_(error_done) Error e = {};
        Container *c;
        int copy_fd, r;

        if (fd < 0)
                return;
        copy_fd = fd_dup(fd);
        r = containers_find(a->containers, a->id, &c, &e);
        if (r < 0)
                fd_close(fd);
        else
                r = container_attach(c, &a->options, fd, early, early_size, &e);
        if (r < 0 && copy_fd >= 0)
                (void) hijack_tell(copy_fd, !a->options.raw && !a->tty, error_text(&e, r));
        fd_close(copy_fd);
}

/* Nobody wants a stream: it ends at once. */
static void on_nothing(void *userdata, int fd, const void *early, size_t early_size) {
        (void) fd_close(fd);
}

/* The errors of attach are no JSON, for a client that reads a stream. */
static int answer_error(Request *q, Response *a, int r) {
        _cleanup_(freep) char *line = NULL;

        line = str_concat(error_text(&q->error, r), "\r\n");
        if (!line)
                return -ENOMEM;
        r = response_text(a, status_from_error(r, &q->error), line);
        a->content_type = HIJACK_RAW;
        return r;
}

static int attach(Request *q) {
        _cleanup_(attach_freep) Attach *a = NULL;
        Container *c;
        int r;

        r = containers_find(q->engine->containers, request_var(q, "id"), &c, &q->error);
        if (r < 0)
                return r;
        if (request_query_bool(q, "logs", false))
                return error_set(&q->error, ERROR_NOT_IMPLEMENTED,
                        "attach with logs=1 is not implemented: read the logs first");

        a = new0(Attach, 1);
        if (!a)
                return -ENOMEM;
        a->containers = q->engine->containers;
        a->tty = c->spec.config.tty;
        a->options = (AttachOptions) {
                .in = request_query_bool(q, "stdin", false),
                .out = request_query_bool(q, "stdout", false),
                .err = request_query_bool(q, "stderr", false),
        };
        r = str_copy(&a->id, c->id);
        if (r >= 0)
                r = str_copy(&a->detach_keys, request_query(q, "detachKeys"));
        if (r < 0)
                return r;
        a->options.detach_keys = a->detach_keys;
        r = container_attach_check(c, &a->options, &q->error);
        if (r < 0)
                return r;
        if (!request_query_bool(q, "stream", false))
                return hijack_start(q, !c->spec.config.tty, on_nothing, NULL);
        return hijack_start(q, !c->spec.config.tty, on_attached, TAKE_PTR(a));
}

static int post_attach(Request *q, Response *a) {
        int r = attach(q);

        return r < 0 && r != -ENOMEM ? answer_error(q, a, r) : r;
}

/* ---- resize ---- */

static int post_resize(Request *q, Response *a) {
        uint32_t height, width;
        Container *c;
        Pending *p;
        int r;

        r = request_query_size(q, &height, &width);
        if (r >= 0)
                r = containers_find(q->engine->containers, request_var(q, "id"), &c, &q->error);
        if (r >= 0)
                r = request_later(q, request_later_200, &p);
        return r < 0 ? r
                     : request_later_return(q, container_resize(c, height, width, p, &q->error));
}

/* clang-format off */
const Route attach_routes[] = {
        { "POST", "/containers/{id}/attach", AUTH_EXEC, post_attach, 0, "id" },
        { "POST", "/containers/{id}/resize", AUTH_MANAGE_CONTAINERS, post_resize, 0, "id" },
        {}
};
/* clang-format on */
