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
#include "rest/websocket.h"

/* ---- attach ---- */

typedef struct Attach {
        Containers *containers;
        char *id;
        char *detach_keys;
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

        if (fd < 0)
                return;
        if (containers_find(a->containers, a->id, &c, &e) < 0)
                fd_close(fd);
        else
                (void) container_attach(c, &a->options, fd, early, early_size, NULL, &e);
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

/* The streams that are asked for; all three when the API is too old to choose. */
static int read_options(Request *q, const Container *c, bool all, Attach **ret) {
        _cleanup_(attach_freep) Attach *a = NULL;
        int r;

        a = new0(Attach, 1);
        if (!a)
                return -ENOMEM;
        a->containers = q->engine->containers;
        a->options = (AttachOptions) {
                .in = all || request_query_bool(q, "stdin", false),
                .out = all || request_query_bool(q, "stdout", false),
                .err = all || request_query_bool(q, "stderr", false),
                .logs = request_query_bool(q, "logs", false),
                .no_stream = !request_query_bool(q, "stream", false),
        };
        r = str_copy(&a->id, c->id);
        if (r >= 0)
                r = str_copy(&a->detach_keys, request_query(q, "detachKeys"));
        if (r < 0)
                return r;
        a->options.detach_keys = a->detach_keys;
        *ret = TAKE_PTR(a);
        return 0;
}

static int find(Request *q, bool all, Container **ret, Attach **ret_attach) {
        int r;

        r = containers_find(q->engine->containers, request_var(q, "id"), ret, &q->error);
        if (r >= 0)
                r = read_options(q, *ret, all, ret_attach);
        if (r >= 0)
                r = container_attach_check(*ret, &(*ret_attach)->options, &q->error);
        return r;
}

static int attach(Request *q) {
        _cleanup_(attach_freep) Attach *a = NULL;
        Container *c;
        int r;

        r = find(q, /* all= */ false, &c, &a);
        if (r < 0)
                return r;
        return hijack_start(q, !c->spec.config.tty, on_attached, TAKE_PTR(a));
}

static int post_attach(Request *q, Response *a) {
        int r = attach(q);

        return r < 0 && r != -ENOMEM ? answer_error(q, a, r) : r;
}

/* ---- attach by WebSocket ---- */

#define API_BINARY  1028 /* before, messages were text */
#define API_CHOOSES 1042 /* before, all streams were attached */

static int get_attach_ws(Request *q, Response *response) {
        _cleanup_(attach_freep) Attach *a = NULL;
        Container *c;
        int r;

        r = find(q, q->api < API_CHOOSES, &c, &a);
        if (r < 0)
                return r;
        a->options.websocket = q->api < API_BINARY ? STREAM_WEBSOCKET_TEXT : STREAM_WEBSOCKET;
        r = websocket_start(q, on_attached, a);
        if (r >= 0)
                TAKE_PTR(a);
        return r;
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
        { "GET",  "/containers/{id}/attach/ws", AUTH_EXEC, get_attach_ws, 0, "id" },
        { "POST", "/containers/{id}/attach", AUTH_EXEC, post_attach, 0, "id" },
        { "POST", "/containers/{id}/resize", AUTH_MANAGE_CONTAINERS, post_resize, 0, "id" },
        {}
};
/* clang-format on */
