/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/http.h"

#include <microhttpd.h>
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
#include "lib/json/pairs.h"
#include "rest/object.h"
#include "rest/relay.h"
#include "rest/request.h"
#include "rest/router.h"
#include "rest/status.h"
#include "rest/stream.h"
#include "rest/tls.h"
#include "stauer-config.h"

#define BODY_PIPE_SIZE (1024 * 1024)
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* A request walks these in order; libmicrohttpd calls us again and again with what it has. */
enum {
        REQUEST_HEAD,    /* headers are there, route is known */
        REQUEST_BODY,    /* body is coming, or the caller's right is being asked for */
        REQUEST_RUNNING, /* the handler has run, its answer may be under way */
        REQUEST_ANSWERED /* the response is libmicrohttpd's */
};

struct Http {
        Engine *engine;
        Auth *auth;
        const Tls *tls;
        bool is_tcp;
        struct MHD_Daemon *daemon;
        sd_event_source *io;
        sd_event_source *timer;
        sd_event_source *kick; /* runs libmicrohttpd in the loop's next turn */
        List requests;
        List upgrades; /* connections with TLS that were handed over */
};

Auth *http_auth(Http *h) {
        return h->auth;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void http_run(Http *h) {
        MHD_UNSIGNED_LONG_LONG msec;

        (void) MHD_run(h->daemon);

        if (MHD_get_timeout(h->daemon, &msec) != MHD_YES)
                (void) loop_timer_stop(h->timer);
        else if (msec == 0)
                (void) sd_event_source_set_enabled(h->kick, SD_EVENT_ONESHOT);
        else
                (void) loop_timer(h->engine->event, (uint64_t) msec * 1000, LOOP_REQUEST,
                        "rest-timer", on_timer, h, &h->timer);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        http_run(userdata);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        http_run(userdata);
        return 0;
}

static int on_kick(sd_event_source *source, void *userdata) {
        http_run(userdata);
        return 0;
}

/* ---- suspending and the client that leaves meanwhile ---- */

static int on_client_event(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Request *q = userdata;

        /* While a connection is suspended libmicrohttpd does not look at its socket; this is how we learn that nobody waits for
         * the answer any more. A finite answer is still made and thrown away: what was asked for is done all the same. */
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (q->response.stream) {
                stream_gone(q->response.stream);
                http_resume(q);
        }
        return 0;
}

static int watch_client(Request *q) {
        const union MHD_ConnectionInfo *info;

        if (q->gone_source)
                return sd_event_source_set_enabled(q->gone_source, SD_EVENT_ON);

        info = MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (!info)
                return -EIO;

        q->gone_fd = fd_dup(info->connect_fd);
        if (q->gone_fd < 0)
                return q->gone_fd;

        return loop_io(q->http->engine->event, q->gone_fd, EPOLLRDHUP, LOOP_REQUEST, "rest-client",
                on_client_event, q, &q->gone_source);
}

static void suspend(Request *q) {
        if (q->suspended)
                return;

        q->suspended = true;
        MHD_suspend_connection(q->connection);
        if (q->response.stream)
                (void) watch_client(q);
}

void http_resume(Request *q) {
        assert(q);

        if (!q->suspended)
                return;

        q->suspended = false;
        if (q->gone_source)
                (void) sd_event_source_set_enabled(q->gone_source, SD_EVENT_OFF);
        MHD_resume_connection(q->connection);
        (void) sd_event_source_set_enabled(q->http->kick, SD_EVENT_ONESHOT);
}

static void hijack_done(Request *q, int fd, const void *early, size_t early_size) {
        HijackReady ready = TAKE_PTR(q->response.hijack);

        ready(q->response.hijack_userdata, fd, early, early_size);
}

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
                hijack_done(q, -EBADF, NULL, 0);
        response_done(&q->response);
        loop_source_free(q->gone_source);
        loop_source_free(q->drain_source);
        fd_close(q->gone_fd);
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

/* ---- sending ---- */

static void wake_request(void *userdata) {
        http_resume(userdata);
}

static ssize_t read_stream(void *userdata, uint64_t position, char *data, size_t max) {
        Request *q = userdata;
        ptrdiff_t n;

        n = stream_read(q->response.stream, data, max);
        if (n < 0)
                return n == -1 ? MHD_CONTENT_READER_END_OF_STREAM
                               : MHD_CONTENT_READER_END_WITH_ERROR;
        if (n == 0) {
                stream_set_wake(q->response.stream, wake_request, q);
                suspend(q);
        }
        return n;
}

static int add_headers(struct MHD_Response *response, const Response *a, bool matched) {
        const char *name, *value;
        bool ok = true;

        if (a->content_type)
                ok = MHD_add_response_header(response, "Content-Type", a->content_type) == MHD_YES;
        PAIRS_FOREACH(name, value, a->headers)
        ok = MHD_add_response_header(response, name, value) == MHD_YES && ok;

        if (matched) {
                ok = MHD_add_response_header(
                             response, "Server", "Stauer/" STAUER_VERSION " (linux)") == MHD_YES &&
                     ok;
                ok = MHD_add_response_header(response, "Api-Version", "1.51") == MHD_YES && ok;
                ok = MHD_add_response_header(response, "Ostype", "linux") == MHD_YES && ok;
                ok = MHD_add_response_header(response, "Docker-Experimental", "false") == MHD_YES &&
                     ok;
        }
        return ok ? 0 : -ENOMEM;
}

/* ---- handing the connection over ---- */

/* A connection with TLS that was handed over: it is en- and decrypted here until its receiver is done. */
typedef struct Upgrade {
        ListNode by_http;
        Http *http;
        struct MHD_UpgradeResponseHandle *handle;
        Relay *relay;
} Upgrade;

static void upgrade_free(Upgrade *u) {
        relay_free(u->relay);
        (void) MHD_upgrade_action(u->handle, MHD_UPGRADE_ACTION_CLOSE);
        list_remove(&u->by_http);
        free(u);
}

static void on_relayed(void *userdata) {
        Upgrade *u = userdata;
        sd_event_source *kick = u->http->kick;

        upgrade_free(u);
        (void) sd_event_source_set_enabled(kick, SD_EVENT_ONESHOT);
}

/* The receiver's descriptor. */
static int upgrade_new(Http *h, int fd, struct MHD_UpgradeResponseHandle *handle) {
        int own, r;
        Upgrade *u;

        u = new0(Upgrade, 1);
        if (!u)
                return -ENOMEM;
        u->http = h;
        u->handle = handle;
        r = relay_new(h->engine->event, fd, on_relayed, u, &u->relay, &own);
        if (r < 0) {
                free(u);
                return r;
        }
        list_append(&h->upgrades, &u->by_http);
        return own;
}

/* The head is sent. The socket goes on as the receiver's copy; libmicrohttpd closes its own. */
static void on_upgraded(void *userdata, struct MHD_Connection *connection, void *con_cls,
        const char *early, size_t early_size, MHD_socket fd,
        struct MHD_UpgradeResponseHandle *handle) {
        Request *q = con_cls;
        Http *h = q->http;
        int own;

        own = h->tls ? upgrade_new(h, fd, handle) : fd_dup(fd);
        hijack_done(q, own, early, early_size);
        if (h->tls && own >= 0)
                return;
        (void) MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
        /* It closes in its next turn, which on an idle daemon nobody else brings about: until then the client would see no end. */
        (void) sd_event_source_set_enabled(h->kick, SD_EVENT_ONESHOT);
}

static enum MHD_Result send_upgrade(Request *q) {
        struct MHD_Response *response;
        enum MHD_Result result = MHD_NO;

        response = MHD_create_response_for_upgrade(on_upgraded, NULL);
        if (!response)
                return MHD_NO;
        if (add_headers(response, &q->response, !!q->route) >= 0 &&
                MHD_add_response_header(response, "Upgrade", "tcp") == MHD_YES)
                result = MHD_queue_response(q->connection, q->response.status, response);
        MHD_destroy_response(response);
        return result;
}

/* A client that did not ask for an upgrade: libmicrohttpd knows no such answer, so the head is written past it, and for it the connection
 * ends here. */
static enum MHD_Result send_bare(Request *q) {
        _cleanup_(freep) char *head = NULL;
        const union MHD_ConnectionInfo *info;
        int fd = -EBADF;

        info = MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info)
                fd = fd_dup(info->connect_fd);
        if (fd < 0 ||
                str_printf(&head, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n",
                        q->response.content_type) < 0 ||
                fd_write_string(fd, head) < 0)
                fd = fd_close(fd);
        hijack_done(q, fd, NULL, 0);
        return MHD_NO;
}

static enum MHD_Result send_response(Request *q) {
        Response *a = &q->response;
        struct MHD_Response *response;
        enum MHD_Result result;

        q->state = REQUEST_ANSWERED;

        if (a->hijack && a->status != 101 && q->http->tls) {
                (void) error_set(&q->error, ERROR_INVALID,
                        "over TLS a stream needs \"Connection: Upgrade\" and \"Upgrade: tcp\"");
                hijack_done(q, -EBADF, NULL, 0);
                if (response_error(a, -EINVAL, &q->error) < 0)
                        return MHD_NO;
        }
        if (a->hijack)
                return a->status == 101 ? send_upgrade(q) : send_bare(q);
        if (a->stream)
                response = MHD_create_response_from_callback(
                        MHD_SIZE_UNKNOWN, 16 * 1024, read_stream, q, NULL);
        else {
                response = MHD_create_response_from_buffer(a->size, a->body, MHD_RESPMEM_MUST_FREE);
                if (response)
                        a->body = NULL;
        }
        if (!response)
                return MHD_NO;

        if (add_headers(response, a, !!q->route) < 0) {
                MHD_destroy_response(response);
                return MHD_NO;
        }

        result = MHD_queue_response(q->connection, a->status, response);
        MHD_destroy_response(response);
        return result;
}

/* ---- receiving ---- */

static void *tls_session(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        return info ? (void *) info->tls_session : NULL;
}

/* Before the handshake of a new connection. */
static void on_connection(void *userdata, struct MHD_Connection *connection, void **socket_context,
        enum MHD_ConnectionNotificationCode what) {
        Http *h = userdata;
        void *session;

        if (what != MHD_CONNECTION_NOTIFY_STARTED || !h->tls)
                return;
        session = tls_session(connection);
        if (session)
                tls_prepare(h->tls, session);
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

static void on_auth_answer(int r, const Error *e, void *userdata) {
        Request *q = userdata;

        if (r < 0)
                (void) error_copy(&q->error, e); /* e is the query's */
        q->auth_query = auth_query_free(q->auth_query);
        q->authorized = true;
        if (r < 0) {
                if (response_error(&q->response, r, &q->error) < 0)
                        (void) response_empty(&q->response, 403);
                q->state = REQUEST_RUNNING;
        }
        http_resume(q);
}

/* 1: go on. 0: asked, the connection is suspended. */
static int authorize(Request *q) {
        RequestObject o;
        int r;

        r = read_peer(q);
        if (r < 0)
                return error_set_errno(&q->error, r, "cannot tell who asks");
        r = request_object(q, &o);
        if (r < 0)
                return r;

        r = auth_check_peer(q->http->auth, &q->peer, q->route->action, o.object, o.details,
                on_auth_answer, q, &q->auth_query, &q->error);
        if (r == 0)
                suspend(q);
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
                if (response_error(&q->response, r, &q->error) < 0)
                        (void) response_empty(&q->response, 500);
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
        suspend(q);
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
                (void) response_error(&q->response, r, &q->error);
                q->state = REQUEST_RUNNING;
        } else if (r < 0)
                return r;

        *size = 0;
        return 0;
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
        q->method = strdup(method);
        if (!q->method) {
                request_free(q);
                return -ENOMEM;
        }

        list_append(&h->requests, &q->by_http);
        *ret = q;
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
        if (response_error(&q->response, r, &q->error) < 0)
                (void) response_empty(&q->response, 500);
}

static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection,
        const char *url, const char *method, const char *version, const char *data, size_t *size,
        void **con_cls) {
        Request *q = *con_cls;
        int r;

        if (!q) {
                r = new_request(userdata, connection, method, &q);
                if (r < 0)
                        return MHD_NO;
                *con_cls = q;

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
                        (void) response_error(&q->response, r, &q->error);
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
                return send_response(q);

        suspend(q);
        return MHD_YES;
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **con_cls,
        enum MHD_RequestTerminationCode how) {
        *con_cls = request_free(*con_cls);
}

_printf_(2, 0) static void on_log(void *userdata, const char *format, va_list ap) {
        _cleanup_(freep) char *text = NULL;

        if (vasprintf(&text, format, ap) < 0) {
                text = NULL;
                return;
        }
        log_debug("libmicrohttpd: %s", str_chomp(text));
}

/* ---- making and ending ---- */

static int add_sources(Http *h) {
        const union MHD_DaemonInfo *info;
        sd_event *event = h->engine->event;
        int r;

        info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        if (!info)
                return -EIO;

        r = loop_io(event, info->epoll_fd, EPOLLIN, LOOP_REQUEST, "rest-http", on_io, h, &h->io);
        if (r < 0)
                return r;

        return loop_defer(event, LOOP_REQUEST, "rest-kick", on_kick, h, &h->kick);
}

static bool is_tcp(int fd) {
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);

        return getsockname(fd, (struct sockaddr *) &address, &size) < 0 ||
               address.ss_family != AF_UNIX;
}

static struct MHD_Daemon *start_server(Http *h, int listen_fd) {
        const struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
        struct MHD_OptionItem tls[5] = {};
        unsigned flags =
                MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG |
                MHD_USE_TURBO; /* no shutdown() at the end: a hijacked connection has copies */
        size_t n = 0;

        if (h->tls) {
                flags |= MHD_USE_TLS;
                tls[n++] = (struct MHD_OptionItem) { MHD_OPTION_HTTPS_MEM_KEY, 0, h->tls->key };
                tls[n++] = (struct MHD_OptionItem) { MHD_OPTION_HTTPS_MEM_CERT, 0,
                        h->tls->certificate };
                tls[n++] = (struct MHD_OptionItem) { MHD_OPTION_HTTPS_PRIORITIES, 0,
                        (char *) TLS_PRIORITIES };
                if (h->tls->authorities)
                        tls[n++] = (struct MHD_OptionItem) { MHD_OPTION_HTTPS_MEM_TRUST, 0,
                                h->tls->authorities };
                tls[n] = (struct MHD_OptionItem) { MHD_OPTION_END, 0, NULL };
        }

        return MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER,
                on_log, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_NOTIFY_COMPLETED,
                on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
                MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HTTP_MEMORY_PER_CONNECTION,
                MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_TIMEOUT_SEC,
                MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, h->tls ? tls : none,
                MHD_OPTION_END);
}

int http_new(Engine *e, Auth *auth, int listen_fd, const Tls *tls, Http **ret, Error *reterr) {
        _cleanup_(http_freep) Http *h = NULL;
        int r;

        assert(e);
        assert(auth);
        assert(listen_fd >= 0);
        assert(ret);

        h = new0(Http, 1);
        if (!h) {
                fd_close(listen_fd);
                return -ENOMEM;
        }
        h->engine = e;
        h->auth = auth;
        list_init(&h->upgrades);

        h->is_tcp = is_tcp(listen_fd);
        h->tls = h->is_tcp ? tls : NULL;

        (void) fd_set_nonblock(listen_fd, true);
        h->daemon = start_server(h, listen_fd);
        if (!h->daemon) {
                fd_close(listen_fd);
                return error_set(reterr, ERROR_INTERNAL, "cannot start the HTTP server");
        }

        r = add_sources(h);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start the HTTP server");

        *ret = TAKE_PTR(h);
        return 0;
}

Http *http_free(Http *h) {
        Request *q;
        Upgrade *u;

        if (!h)
                return NULL;

        /* libmicrohttpd cannot end while a connection is suspended. */
        LIST_FOREACH (q, &h->requests, by_http) {
                if (q->response.stream)
                        stream_gone(q->response.stream);
                http_resume(q);
        }

        LIST_FOREACH_SAFE (u, &h->upgrades, by_http)
                upgrade_free(u);

        h->io = loop_source_free(h->io);
        h->timer = loop_source_free(h->timer);
        h->kick = loop_source_free(h->kick);
        if (h->daemon)
                MHD_stop_daemon(h->daemon);
        return mfree(h);
}
