/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/http-internal.h"

#include <systemd/sd-event.h>

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
        http_hijack_done(q, fd, NULL, 0);
        return MHD_NO;
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
