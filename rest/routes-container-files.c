/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/container/container-files.h"
#include "engine/container/containers.h"
#include "engine/core/job.h"
#include "engine/core/pending.h"
#include "engine/engine.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "rest/job-pipe.h"
#include "rest/request.h"
#include "rest/router.h"

#define STAT_HEADER "X-Docker-Container-Path-Stat"
#define PIPE_SIZE   (1024 * 1024)

static int find(Request *q, Container **ret) {
        return containers_find(q->engine->containers, request_var(q, "id"), ret, &q->error);
}

static int query_path(Request *q, const char **ret) {
        const char *path = request_query(q, "path");

        if (str_empty(path))
                return error_set(&q->error, ERROR_INVALID, "missing parameter: path");
        *ret = path;
        return 0;
}

static void on_gone(Request *q) {
        Pending *p = TAKE_PTR(q->data);

        pending_detach(p);
        pending_unref(p);
}

static int defer(Request *q, pending_callback_t callback, Pending **ret) {
        int r;

        r = pending_new(callback, q, ret);
        if (r < 0)
                return r;
        q->data = *ret;
        q->on_gone = on_gone;
        return 0;
}

static int refuse(Request *q, int r) {
        q->on_gone = NULL;
        on_gone(q);
        return r;
}

/* The Pending has answered: drops it; r < 0 fills the request's error. */
static int answered(Request *q, int r, const Error *e) {
        q->on_gone = NULL;
        pending_unref(TAKE_PTR(q->data));
        if (r < 0)
                (void) error_copy(&q->error, e);
        return r;
}

static int add_stat(Request *q, const char *text) {
        size_t size = strlen(text);
        _cleanup_(freep) char *value = new (char, BASE64_SIZE(size));

        if (!value)
                return -ENOMEM;
        base64_encode(text, size, value);
        return response_header(&q->response, STAT_HEADER, value);
}

/* ---- archive ---- */

static void on_stat(int r, void *result, const Error *e, void *userdata) {
        Request *q = userdata;

        r = answered(q, r, e);
        if (r >= 0)
                r = response_empty(&q->response, 200);
        if (r >= 0)
                r = add_stat(q, result);
        request_finish(q, r);
}

static int head_archive(Request *q, Response *a) {
        const char *path = NULL;
        Container *c;
        Pending *p;
        int r;

        r = query_path(q, &path);
        if (r >= 0)
                r = find(q, &c);
        if (r >= 0)
                r = defer(q, on_stat, &p);
        if (r < 0)
                return r;

        r = container_stat_path(c, path, p, &q->error);
        return r < 0 ? refuse(q, r) : request_defer(q);
}

/* A coding that is named and not refused by q=0. */
static bool accepts_gzip(Request *q) {
        const char *header = request_header(q, "Accept-Encoding");
        const char *found = header ? strcasestr(header, "gzip") : NULL;

        if (!found)
                return false;
        found += strlen("gzip");
        found += strspn(found, " ;");
        return !(str_starts(found, "q=0") && strspn(found + 2, "0.") == strcspn(found + 2, ","));
}

static int on_archive_ready(Request *q, const char *text) {
        int r;

        r = add_stat(q, text);
        if (r >= 0 && accepts_gzip(q))
                r = response_header(&q->response, "Content-Encoding", "gzip");
        return r;
}

static int make_pipe(int ret[static 2]) {
        int r;

        r = fd_pipe(ret, 0);
        if (r < 0)
                return r;
        (void) fcntl(ret[1], F_SETPIPE_SZ, PIPE_SIZE);
        return fd_set_nonblock(ret[0], true);
}

static int get_archive(Request *q, Response *a) {
        const char *path = NULL;
        Container *c;
        int fds[2], r;
        Job *j;

        r = query_path(q, &path);
        if (r >= 0)
                r = find(q, &c);
        if (r >= 0)
                r = make_pipe(fds);
        if (r < 0)
                return r;

        r = container_copy_from(c, path, accepts_gzip(q), fds[1], &j, &q->error);
        if (r < 0) {
                fd_close(fds[0]);
                return r;
        }
        return job_pipe_new(q, j, fds[0], "application/x-tar", on_archive_ready);
}

static void on_put(int r, void *result, const Error *e, void *userdata) {
        Request *q = userdata;

        r = answered(q, r, e);
        if (r >= 0)
                r = response_empty(&q->response, 200);
        request_finish(q, r);
}

static int put_archive(Request *q, Response *a) {
        const ContainerCopyOptions options = {
                .keep_kind = request_query_bool(q, "noOverwriteDirNonDir", false),
                .give_owner = request_query_bool(q, "copyUIDGID", false),
        };
        const char *path = NULL;
        Container *c;
        Pending *p;
        int r;

        r = query_path(q, &path);
        if (r >= 0)
                r = find(q, &c);
        if (r >= 0)
                r = defer(q, on_put, &p);
        if (r < 0)
                return r;

        r = container_copy_to(c, path, &options, TAKE_FD(q->body_fd), p, &q->error);
        return r < 0 ? refuse(q, r) : request_defer(q);
}

/* ---- export, changes ---- */

static int get_export(Request *q, Response *a) {
        Container *c;
        int fds[2], r;
        Job *j;

        r = find(q, &c);
        if (r >= 0)
                r = make_pipe(fds);
        if (r < 0)
                return r;

        r = container_export(c, fds[1], &j, &q->error);
        if (r < 0) {
                fd_close(fds[0]);
                return r;
        }
        return job_pipe_new(q, j, fds[0], "application/octet-stream", NULL);
}

static void on_changes(int r, void *result, const Error *e, void *userdata) {
        Request *q = userdata;

        r = answered(q, r, e);
        if (r >= 0)
                r = response_text(&q->response, 200, result);
        if (r >= 0)
                q->response.content_type = "application/json";
        request_finish(q, r);
}

static int get_changes(Request *q, Response *a) {
        Container *c;
        Pending *p;
        int r;

        r = find(q, &c);
        if (r >= 0)
                r = defer(q, on_changes, &p);
        if (r < 0)
                return r;

        r = container_changes(c, p, &q->error);
        return r < 0 ? refuse(q, r) : request_defer(q);
}

/* ---- commit ---- */

typedef struct Committing {
        Request *q;
        Job *job;
        JobWatch *watch;
} Committing;

static void committing_free(Committing *k) {
        job_watch_free(k->watch);
        job_unref(k->job);
        free(k);
}

/* What was begun goes on: the image may be wanted all the same. */
static void commit_on_gone(Request *q) {
        committing_free(q->data);
}

static int answer_id(Request *q, const char *id) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Id", id);
        return r < 0 ? r : response_json(&q->response, 201, v);
}

static void on_committed(Job *j, int r, const Error *e, void *userdata) {
        Committing *k = userdata;
        Request *q = k->q;

        q->on_gone = NULL;
        if (r < 0)
                (void) error_copy(&q->error, e);
        else
                r = answer_id(q, j->lines ? j->lines[0] : "");
        committing_free(k);
        request_finish(q, r);
}

static int post_commit(Request *q, Response *a) {
        const char *name = request_query(q, "container");
        _cleanup_(strv_freep) char **changes = NULL;
        _cleanup_(json_unrefp) Json *body = NULL;
        ContainerCommit commit;
        Committing *k;
        Container *c;
        int r;

        r = request_body_json(q, /* may_be_empty= */ true, &body);
        if (r >= 0)
                r = request_query_all(q, "changes", &changes);
        if (r >= 0)
                r = containers_find(q->engine->containers, str_or_empty(name), &c, &q->error);
        if (r < 0)
                return r;

        commit = (ContainerCommit) {
                .repository = request_query(q, "repo"),
                .tag = request_query(q, "tag"),
                .author = request_query(q, "author"),
                .comment = request_query(q, "comment"),
                .changes = changes,
                .pause = request_query_bool(q, "pause", /* otherwise= */ true),
                .config = json_type_of(body) == JSON_TYPE_OBJECT ? body : NULL,
        };
        k = new0(Committing, 1);
        if (!k)
                return -ENOMEM;
        k->q = q;
        r = container_commit(c, &commit, &k->job, &q->error);
        if (r >= 0)
                r = job_watch(k->job, NULL, on_committed, k, &k->watch);
        if (r < 0) {
                committing_free(k);
                return r;
        }
        q->data = k;
        q->on_gone = commit_on_gone;
        return request_defer(q);
}

/* clang-format off */
const Route container_files_routes[] = {
        { "HEAD", "/containers/{id}/archive", AUTH_MANAGE_CONTAINERS, head_archive, ROUTE_FILES,                 "id" },
        { "GET",  "/containers/{id}/archive", AUTH_MANAGE_CONTAINERS, get_archive,  ROUTE_FILES,                 "id" },
        { "PUT",  "/containers/{id}/archive", AUTH_MANAGE_CONTAINERS, put_archive,  ROUTE_BODY_STREAM | ROUTE_FILES, "id" },
        { "GET",  "/containers/{id}/changes", AUTH_VIEW,              get_changes,  0,                 "id" },
        { "GET",  "/containers/{id}/export",  AUTH_MANAGE_CONTAINERS, get_export,   ROUTE_FILES,                 "id" },
        { "POST", "/commit",                  AUTH_MANAGE_CONTAINERS, post_commit },
        {}
};
/* clang-format on */
