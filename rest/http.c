/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/http-internal.h"
#include "rest/linger.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "engine/engine.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "rest/request.h"
#include "rest/stream.h"
#include "rest/tls.h"

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

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

void http_suspend(Request *q) {
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

/* ---- making and ending ---- */

_printf_(2, 0) static void on_log(void *userdata, const char *format, va_list ap) {
        _cleanup_(freep) char *text = NULL;

        if (vasprintf(&text, format, ap) < 0) {
                text = NULL;
                return;
        }
        log_debug("libmicrohttpd: %s", str_chomp(text));
}

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

        return MHD_start_daemon(flags, 0, NULL, NULL, http_on_request, h,
                MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
                MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
                http_on_connection, h, MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
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
        list_init(&h->lingers);

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
                http_upgrade_free(u);

        h->io = loop_source_free(h->io);
        h->timer = loop_source_free(h->timer);
        h->kick = loop_source_free(h->kick);
        if (h->daemon)
                MHD_stop_daemon(h->daemon);
        lingers_free(&h->lingers);
        return mfree(h);
}
