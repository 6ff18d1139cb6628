/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-check.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/container/exec.h"
#include "engine/engine.h"
#include "engine/view/exec-view.h"
#include "lib/api/exec-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "rest/hijack.h"
#include "rest/http.h"
#include "rest/later.h"
#include "rest/request.h"
#include "rest/router.h"

/* ---- who may ---- */

/* polkit is asked with what will run, so this comes after the body: what is wished waits here for the answer. */
typedef struct ExecWish {
        ExecSpec spec; /* create */
        bool detach;   /* start */
        bool tty;
        uint32_t *console_size;
        size_t n_console_size;
        int (*go)(Request *q, struct ExecWish *wish);
} ExecWish;

static const JsonField start_fields[] = { JSON_BOOL("Detach", ExecWish, detach, 0),
        JSON_BOOL("Tty", ExecWish, tty, 0),
        JSON_UINT32_LIST("ConsoleSize", ExecWish, console_size, n_console_size, JSON_NULLABLE),
        {} };

static ExecWish *wish_free(ExecWish *w) {
        if (!w)
                return NULL;
        exec_spec_done(&w->spec);
        free(w->console_size);
        return mfree(w);
}
DEFINE_CLEANUP(ExecWish *, wish_free);

static void wish_on_gone(Request *q) {
        wish_free(TAKE_PTR(q->data));
}

static void wish_on_answer(int r, const Error *e, void *userdata) {
        Request *q = userdata;
        _cleanup_(wish_freep) ExecWish *wish = TAKE_PTR(q->data);

        if (r < 0)
                (void) error_copy(&q->error, e); /* e is the query's */
        q->auth_query = auth_query_free(q->auth_query);
        q->on_gone = NULL;

        if (r >= 0)
                r = wish->go(q, wish);
        if (r != REQUEST_DEFERRED)
                request_finish(q, r);
}

/* wish is taken. */
static int go_if_allowed(Request *q, ExecWish *taken, const Container *c, const ExecSpec *spec) {
        _cleanup_(wish_freep) ExecWish *wish = taken;
        _cleanup_(freep) char *command = strv_join(spec->cmd, " ");
        int r;

        if (!command)
                return -ENOMEM;
        const char *const details[] = { "container", c->name, "image",
                str_or_empty(c->spec.config.image), "command", command, "user",
                str_or_empty(str_empty(spec->user) ? c->spec.config.user : spec->user),
                "privileged", spec->privileged ? "true" : "false", "privilege",
                str_or(container_check_privilege(&c->spec), "none"), NULL };

        r = auth_check_peer(http_auth(q->http), &q->peer, AUTH_EXEC, c->id, details, wish_on_answer,
                q, &q->auth_query, &q->error);
        if (r < 0)
                return r;
        if (r > 0)
                return wish->go(q, wish);

        q->data = TAKE_PTR(wish);
        q->on_gone = wish_on_gone;
        return request_defer(q);
}

/* ---- create ---- */

static int create_go(Request *q, ExecWish *wish) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Container *c;
        Exec *x;
        int r;

        r = containers_find(q->engine->containers, request_var(q, "id"), &c, &q->error);
        if (r >= 0)
                r = container_exec_create(c, &wish->spec, &x, &q->error);
        if (r >= 0)
                r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Id", x->id);
        return r < 0 ? r : response_json(&q->response, 201, v);
}

static int post_create(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *body = NULL;
        _cleanup_(wish_freep) ExecWish *wish = NULL;
        Container *c;
        int r;

        wish = new0(ExecWish, 1);
        if (!wish)
                return -ENOMEM;
        wish->go = create_go;
        r = request_body_json(q, /* may_be_empty= */ false, &body);
        if (r >= 0)
                r = json_read_with(
                        body, exec_spec_fields, &wish->spec, JSON_READ_DOCKER, &q->error);
        if (r >= 0)
                r = containers_find(q->engine->containers, request_var(q, "id"), &c, &q->error);
        if (r < 0)
                return r;
        if (strv_empty(wish->spec.cmd))
                return error_set(&q->error, ERROR_INVALID, "No exec command specified");
        if (q->api < 1042)
                wish->spec.n_console_size = 0;

        ExecWish *taken = TAKE_PTR(wish);
        return go_if_allowed(q, taken, c, &taken->spec);
}

/* ---- start ---- */

static uint32_t size_at(const ExecWish *w, size_t i) {
        return w->tty && w->n_console_size == 2 ? w->console_size[i] : 0;
}

static int start_detached(Request *q, Exec *x, const ExecWish *wish) {
        Pending *p;
        int r;

        r = request_later(q, request_later_200, &p);
        if (r < 0)
                return r;
        r = exec_start(x, size_at(wish, 0), size_at(wish, 1), p, &q->error);
        return request_later_return(q, r);
}

typedef struct ExecClient {
        Containers *containers;
        char *id;
        uint32_t rows, columns;
        bool framed;
} ExecClient;

static void on_head_sent(void *userdata, int fd, const void *early, size_t early_size) {
        _cleanup_(error_done) Error e = {};
        ExecClient *k = userdata;
        int copy_fd = fd < 0 ? -EBADF : fd_dup(fd), r;
        Exec *x;

        r = fd < 0 ? -EPIPE : containers_find_exec(k->containers, k->id, &x, &e);
        if (r >= 0)
                r = exec_start_attached(
                        x, k->rows, k->columns, k->framed, fd, early, early_size, NULL, &e);
        else
                fd_close(fd);
        if (r < 0 && copy_fd >= 0)
                (void) hijack_tell(copy_fd, k->framed, error_text(&e, r));
        fd_close(copy_fd);
        free(k->id);
        free(k);
}

static int start_attached(Request *q, Exec *x, const ExecWish *wish) {
        ExecClient *k;
        int r;

        k = new0(ExecClient, 1);
        if (!k)
                return -ENOMEM;
        *k = (ExecClient) {
                .containers = q->engine->containers,
                .rows = size_at(wish, 0),
                .columns = size_at(wish, 1),
                .framed = !wish->tty && !x->spec.tty,
        };
        r = str_copy(&k->id, x->id);
        if (r < 0) {
                free(k);
                return r;
        }
        return hijack_start(q, k->framed, on_head_sent, k);
}

static int start_go(Request *q, ExecWish *wish) {
        Exec *x;
        int r;

        r = containers_find_exec(q->engine->containers, request_var(q, "exec"), &x, &q->error);
        if (r >= 0)
                r = exec_check_start(x, &q->error);
        if (r < 0)
                return r;
        return wish->detach ? start_detached(q, x, wish) : start_attached(q, x, wish);
}

static int post_start(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *body = NULL;
        _cleanup_(wish_freep) ExecWish *wish = NULL;
        Exec *x;
        int r;

        wish = new0(ExecWish, 1);
        if (!wish)
                return -ENOMEM;
        wish->go = start_go;
        r = request_body_json(q, /* may_be_empty= */ true, &body);
        if (r >= 0 && body)
                r = json_read_with(body, start_fields, wish, JSON_READ_DOCKER, &q->error);
        if (r >= 0)
                r = containers_find_exec(
                        q->engine->containers, request_var(q, "exec"), &x, &q->error);
        if (r < 0)
                return r;
        if (q->api < 1042)
                wish->n_console_size = 0;
        return go_if_allowed(q, TAKE_PTR(wish), x->container, &x->spec);
}

/* ---- resize ---- */

static int post_resize(Request *q, Response *a) {
        uint32_t rows, columns;
        Pending *p;
        Exec *x;
        int r;

        r = request_query_size(q, &rows, &columns);
        if (r >= 0)
                r = containers_find_exec(
                        q->engine->containers, request_var(q, "exec"), &x, &q->error);
        if (r >= 0)
                r = request_later(q, request_later_200, &p);
        return r < 0 ? r : request_later_return(q, exec_resize(x, rows, columns, p, &q->error));
}

/* ---- inspect ---- */

static int get_inspect(Request *q, Response *a) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Exec *x;
        int r;

        containers_catch_up_exec(q->engine->containers, request_var(q, "exec"));
        r = containers_find_exec(q->engine->containers, request_var(q, "exec"), &x, &q->error);
        if (r >= 0)
                r = exec_view(x, &v);
        return r < 0 ? r : response_json(a, 200, v);
}

/* clang-format off */
const Route exec_routes[] = {
        { "POST", "/containers/{id}/exec", AUTH_VIEW, post_create },
        { "POST", "/exec/{exec}/start",    AUTH_VIEW, post_start },
        { "POST", "/exec/{exec}/resize",   AUTH_EXEC, post_resize, 0, "exec" },
        { "GET",  "/exec/{exec}/json",     AUTH_VIEW, get_inspect },
        {}
};
/* clang-format on */
