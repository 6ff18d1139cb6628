/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/http-internal.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "engine/engine.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/pairs.h"
#include "rest/relay.h"
#include "rest/request.h"
#include "rest/status.h"
#include "rest/stream.h"
#include "stauer-config.h"

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
                http_suspend(q);
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

void http_hijack_done(Request *q, int fd, const void *early, size_t early_size) {
        HijackReady ready = TAKE_PTR(q->response.hijack);

        ready(q->response.hijack_userdata, fd, early, early_size);
}

Upgrade *http_upgrade_free(Upgrade *u) {
        relay_free(u->relay);
        (void) MHD_upgrade_action(u->handle, MHD_UPGRADE_ACTION_CLOSE);
        list_remove(&u->by_http);
        return mfree(u);
}

static void on_relayed(void *userdata) {
        Upgrade *u = userdata;
        sd_event_source *kick = u->http->kick;

        http_upgrade_free(u);
        (void) sd_event_source_set_enabled(kick, SD_EVENT_ONESHOT);
}

static int connection_fd(Request *q) {
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        return info ? info->connect_fd : -EBADF;
}

/* The receiver's descriptor. */
static int upgrade_new(Http *h, int fd, int tcp_fd, struct MHD_UpgradeResponseHandle *handle) {
        int own, r;
        Upgrade *u;

        u = new0(Upgrade, 1);
        if (!u)
                return -ENOMEM;
        u->http = h;
        u->handle = handle;
        r = relay_new(h->engine->event, fd, tcp_fd, on_relayed, u, &u->relay, &own);
        if (r < 0) {
                free(u);
                return r;
        }
        list_append(&h->upgrades, &u->by_http);
        return own;
}

/* A client that did not ask for an upgrade gets a head that libmicrohttpd does not know. */
static int write_bare_head(Request *q, int fd) {
        _cleanup_(freep) char *head = NULL;
        int r;

        r = str_printf(
                &head, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n", q->response.content_type);
        return r < 0 ? r : fd_write_string(fd, head);
}

/* What is handed on. */
static int take_over(Request *q, int fd, struct MHD_UpgradeResponseHandle *handle) {
        if (q->http->tls)
                return upgrade_new(q->http, fd, connection_fd(q), handle);
        if (q->bare_fd < 0)
                return fd_dup(fd);
        return write_bare_head(q, q->bare_fd) < 0 ? -EPIPE : TAKE_FD(q->bare_fd);
}

/* The head is sent. The socket goes on as the receiver's copy; libmicrohttpd closes its own. */
static void on_upgraded(void *userdata, struct MHD_Connection *connection, void *con_cls,
        const char *early, size_t early_size, MHD_socket fd,
        struct MHD_UpgradeResponseHandle *handle) {
        Request *q = con_cls;
        Http *h = q->http;
        int own;

        own = take_over(q, fd, handle);
        http_hijack_done(q, own, early, early_size);
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
                MHD_add_response_header(response, "Upgrade", q->response.upgrade) == MHD_YES)
                result = MHD_queue_response(q->connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
        MHD_destroy_response(response);
        return result;
}

/* An old client: it sends nothing behind its request. For libmicrohttpd the connection ends here. */
static enum MHD_Result send_bare_old(Request *q) {
        int fd = fd_dup(connection_fd(q));

        if (fd >= 0 && write_bare_head(q, fd) < 0)
                fd = fd_close(fd);
        http_hijack_done(q, fd, NULL, 0);
        return MHD_NO;
}

/* Only an upgrade gives us what came behind the request, so for libmicrohttpd it is one: its descriptor becomes one end of a pair, where its own
 * head goes to and is forgotten. While the connection is suspended nobody looks at the descriptor. */
static int divert(Request *q) {
        int fd = connection_fd(q), pair[2], r;

        r = fd_socketpair(SOCK_STREAM, pair);
        if (r < 0)
                return r;
        q->sink_fd = pair[1];
        q->bare_fd = fd_dup(fd);
        if (q->bare_fd < 0) {
                (void) fd_close(pair[0]);
                return q->bare_fd;
        }
        http_suspend(q);
        r = dup3(pair[0], fd, O_CLOEXEC) < 0 ? -errno : fd_set_nonblock(fd, true);
        (void) fd_close(pair[0]);
        http_resume(q);
        return r;
}

static enum MHD_Result send_bare(Request *q) {
        if (q->is_old)
                return send_bare_old(q);
        if (q->bare_fd >= 0)
                return send_upgrade(q);
        if (divert(q) < 0)
                return MHD_NO;
        q->state = REQUEST_RUNNING; /* we are called again */
        return MHD_YES;
}

enum MHD_Result http_send_response(Request *q) {
        Response *a = &q->response;
        struct MHD_Response *response;
        enum MHD_Result result;

        q->state = REQUEST_ANSWERED;

        if (a->hijack && a->status != 101 && q->http->tls) {
                (void) error_set(&q->error, ERROR_INVALID,
                        "over TLS a stream needs \"Connection: Upgrade\" and \"Upgrade: tcp\"");
                http_hijack_done(q, -EBADF, NULL, 0);
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
