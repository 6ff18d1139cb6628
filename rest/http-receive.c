/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/http-internal.h"
#include "rest/linger.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "engine/engine.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "rest/object.h"
#include "rest/request.h"
#include "rest/router.h"
#include "rest/status.h"
#include "rest/stream.h"
#include "rest/tls.h"

#define BODY_PIPE_SIZE          (1024 * 1024)
#define KEEP_ALIVE_IDLE_SEC     30
#define KEEP_ALIVE_INTERVAL_SEC 10
#define KEEP_ALIVE_PROBES       3

/* ---- a request ---- */

static Request *request_free(Request *q) {
        if (!q)
                return NULL;

        list_remove(&q->by_http);
        if (q->on_gone)
                q->on_gone(q);
        auth_query_free(q->auth_query);
        if (q->response.stream)
                stream_gone(q->response.stream);
        if (q->response.hijack)
                http_hijack_done(q, -EBADF, NULL, 0);
        response_done(&q->response);
        loop_source_free(q->gone_source);
        loop_source_free(q->drain_source);
        fd_close(q->gone_fd);
        fd_close(q->bare_fd);
        fd_close(q->sink_fd);
        fd_close(q->body_fd);
        fd_close(q->body_write_fd);
        fd_close(q->peer.pidfd);
        for (size_t i = 0; i < q->n_vars; i++)
                free(q->vars[i].value);
        buffer_done(&q->body);
        error_done(&q->error);
        free(q->method);
        free(q->path);
        return mfree(q);
}

static int new_request(
        Http *h, struct MHD_Connection *connection, const char *method, Request **ret) {
        Request *q;

        q = new0(Request, 1);
        if (!q)
                return -ENOMEM;

        q->http = h;
        q->engine = h->engine;
        q->connection = connection;
        q->body.max = REQUEST_BODY_MAX;
        q->body_fd = q->body_write_fd = q->gone_fd = q->peer.pidfd = -EBADF;
        q->bare_fd = q->sink_fd = -EBADF;
        q->method = strdup(method);
        if (!q->method) {
                request_free(q);
                return -ENOMEM;
        }

        list_append(&h->requests, &q->by_http);
        *ret = q;
        return 0;
}

/* ---- who asks ---- */

static void *tls_session(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        return info ? (void *) info->tls_session : NULL;
}

/* A peer that is silent may have lost its power, or have closed without a word that we would see (a half close looks the same): after a minute or
 * two of silence the kernel knows. */
static void keep_alive(struct MHD_Connection *connection) {
        static const struct {
                int level, option, value;
        } rows[] = {
                { SOL_SOCKET, SO_KEEPALIVE, 1 },
                { IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE_SEC },
                { IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_SEC },
                { IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_PROBES },
        };
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        for (size_t i = 0; info && i < ARRAY_SIZE(rows); i++)
                (void) setsockopt(info->connect_fd, rows[i].level, rows[i].option, &rows[i].value,
                        sizeof(rows[i].value));
}

/* Before the handshake of a new connection, and when the last of it is gone but the socket. *socket_context: was the client refused? */
void http_on_connection(void *userdata, struct MHD_Connection *connection, void **socket_context,
        enum MHD_ConnectionNotificationCode what) {
        const union MHD_ConnectionInfo *info;
        Http *h = userdata;
        bool *refused;
        void *session;

        if (what == MHD_CONNECTION_NOTIFY_STARTED && h->is_tcp)
                keep_alive(connection);
        if (!h->tls)
                return;
        if (what == MHD_CONNECTION_NOTIFY_STARTED) {
                session = tls_session(connection);
                *socket_context = refused = session ? new0(bool, 1) : NULL;
                /* Without memory for that nobody can be verified, and tls_is_verified() says no. */
                if (refused)
                        tls_prepare(h->tls, session, refused);
                return;
        }

        refused = *socket_context;
        if (refused && *refused) {
                info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
                if (info)
                        (void) linger_new(h->engine->event, &h->lingers, info->connect_fd);
        }
        *socket_context = mfree(refused);
}

/* The kernel knows nothing of who is at the other end, so a certificate has to do. */
static int read_tcp_peer(Request *q) {
        const Http *h = q->http;

        if (h->tls && !tls_is_verified(h->tls, tls_session(q->connection)))
                return -EACCES;
        q->peer.uid = 0;
        q->peer.gid = 0;
        q->peer.pid = 0;
        return 0;
}

static int read_peer(Request *q) {
        const union MHD_ConnectionInfo *info;
        struct ucred creds;
        int r;

        q->peer.pidfd = -EBADF;
        if (q->http->is_tcp)
                return read_tcp_peer(q);

        info = MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (!info)
                return -EIO;

        r = fd_peer_credentials(info->connect_fd, &creds);
        if (r < 0)
                return r;

        q->peer.uid = creds.uid;
        q->peer.gid = creds.gid;
        q->peer.pid = creds.pid;
        q->peer.pidfd = creds.uid == 0 ? -EBADF : fd_peer_pidfd(info->connect_fd);
        if (q->peer.pidfd < 0)
                q->peer.pidfd = -EBADF;
        return 0;
}

/* An answer in any case: a request without one would wait for ever. */
static void answer_error(Request *q, int r, unsigned otherwise) {
        if (response_error(&q->response, r, &q->error) < 0)
                (void) response_empty(&q->response, otherwise);
}

static void on_auth_answer(int r, const Error *e, void *userdata) {
        Request *q = userdata;

        if (r < 0)
                (void) error_copy(&q->error, e); /* e is the query's */
        q->auth_query = auth_query_free(q->auth_query);
        q->authorized = true;
        if (r < 0) {
                answer_error(q, r, 403);
                q->state = REQUEST_RUNNING;
        }
        http_resume(q);
}

/* 1: go on. 0: asked, the connection is suspended. */
static int authorize(Request *q) {
        AuthAction action = q->route->action;
        RequestObject o;
        int r;

        r = read_peer(q);
        if (r < 0)
                return error_set_errno(&q->error, r, "cannot tell who asks");
        r = request_object(q, &o);
        if (r < 0)
                return r;

        if (q->route->flags & ROUTE_FILES && o.privileged)
                action = AUTH_CREATE_PRIVILEGED;
        r = auth_check_peer(q->http->auth, &q->peer, action, o.object, o.details, on_auth_answer, q,
                &q->auth_query, &q->error);
        if (r == 0)
                http_suspend(q);
        else if (r > 0)
                q->authorized = true;
        return r;
}

static void run_handler(Request *q) {
        int r;

        q->state = REQUEST_RUNNING;
        r = q->route->handler(q, &q->response);
        if (r < 0) {
                if (error_is_set(&q->error) && q->error.kind == ERROR_INTERNAL)
                        log_error("%s %s: %s", q->method, q->path, error_text(&q->error, r));
                answer_error(q, r, 500);
        }
}

static bool is_answerable(const Request *q) {
        return q->response.status != 0;
}

static int open_body_pipe(Request *q) {
        int fds[2], r;

        r = fd_pipe(fds, O_NONBLOCK);
        if (r < 0)
                return r;

        (void) fcntl(fds[1], F_SETPIPE_SZ, BODY_PIPE_SIZE);
        (void) fd_set_nonblock(fds[0], false); /* the reader is a worker, which may block */
        q->body_fd = fds[0];
        q->body_write_fd = fds[1];
        return 0;
}

static int on_body_drain(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        http_resume(userdata);
        return 0;
}

/* Feeds the pipe; what does not fit stays in libmicrohttpd's buffer, and the connection waits until there is room. */
static int pump_body(Request *q, const char *data, size_t *size) {
        ssize_t n;

        if (q->body_write_fd <
                0) { /* nobody reads any more: swallow the rest, the answer says why */
                *size = 0;
                return 0;
        }

        n = write(q->body_write_fd, data, *size);
        if (n >= 0) {
                *size -= (size_t) n;
                if (*size == 0)
                        return 0;
        } else if (errno == EPIPE) {
                q->body_write_fd = fd_close(q->body_write_fd);
                *size = 0;
                return 0;
        } else if (errno != EAGAIN && errno != EINTR)
                return -errno;

        if (!q->drain_source) {
                int r;

                r = loop_io(q->http->engine->event, q->body_write_fd, EPOLLOUT, LOOP_REQUEST,
                        "rest-body", on_body_drain, q, &q->drain_source);
                if (r < 0)
                        return r;
        }
        (void) sd_event_source_set_enabled(q->drain_source, SD_EVENT_ONESHOT);
        http_suspend(q);
        return 0;
}

static void end_body(Request *q) {
        q->drain_source = loop_source_free(q->drain_source);
        q->body_write_fd = fd_close(q->body_write_fd);
        q->body_fd = fd_close(q->body_fd);
}

static int take_body(Request *q, const char *data, size_t *size) {
        int r;

        if (q->route->flags & ROUTE_BODY_STREAM) {
                if (q->state == REQUEST_BODY) {
                        r = open_body_pipe(q);
                        if (r < 0)
                                return r;
                        run_handler(q);
                }
                if (is_answerable(q) && !q->response.stream)
                        end_body(q); /* refused: the rest of the body is read and dropped */
                return pump_body(q, data, size);
        }

        if (q->state != REQUEST_BODY) { /* refused already */
                *size = 0;
                return 0;
        }

        r = buffer_append(&q->body, data, *size);
        if (r == -EFBIG) {
                r = error_set(&q->error, ERROR_TOO_LARGE, "request body is larger than %u bytes",
                        REQUEST_BODY_MAX);
                answer_error(q, r, 413);
                q->state = REQUEST_RUNNING;
        } else if (r < 0)
                return r;

        *size = 0;
        return 0;
}

/* Whoever speaks an API older than 1.24 expects errors as text. */
static void answer_no_route(Request *q, int r) {
        _cleanup_(freep) char *line = NULL;

        if (q->api < ROUTER_API_OLDEST && r != -ENOMEM) {
                line = str_concat(error_text(&q->error, r), "\n");
                if (line && response_text(&q->response, status_from_error(r, &q->error), line) >= 0)
                        return;
        }
        answer_error(q, r, 500);
}

enum MHD_Result http_on_request(void *userdata, struct MHD_Connection *connection, const char *url,
        const char *method, const char *version, const char *data, size_t *size, void **con_cls) {
        Request *q = *con_cls;
        int r;

        if (!q) {
                r = new_request(userdata, connection, method, &q);
                if (r < 0)
                        return MHD_NO;
                *con_cls = q;
                q->is_old = streq(version, MHD_HTTP_VERSION_1_0);

                r = router_find(q, url);
                if (r < 0) {
                        answer_no_route(q, r);
                        q->state = REQUEST_RUNNING;
                } else
                        q->state = REQUEST_BODY;
                return MHD_YES;
        }

        if (q->state == REQUEST_ANSWERED)
                return MHD_YES;

        if (q->state == REQUEST_BODY && !q->authorized) {
                r = authorize(q);
                if (r == 0)
                        return MHD_YES;
                if (r < 0) {
                        answer_error(q, r, 403);
                        q->state = REQUEST_RUNNING;
                }
        }

        if (*size > 0) {
                if (!q->route) {
                        *size = 0;
                        return MHD_YES;
                }
                r = take_body(q, data, size);
                return r < 0 ? MHD_NO : MHD_YES;
        }

        if (q->state == REQUEST_BODY) {
                if (q->route->flags & ROUTE_BODY_STREAM) {
                        r = open_body_pipe(q);
                        if (r < 0)
                                return MHD_NO;
                }
                run_handler(q);
        }

        end_body(q);
        if (is_answerable(q))
                return http_send_response(q);

        http_suspend(q);
        return MHD_YES;
}

void http_on_completed(void *userdata, struct MHD_Connection *connection, void **con_cls,
        enum MHD_RequestTerminationCode how) {
        *con_cls = request_free(*con_cls);
}
