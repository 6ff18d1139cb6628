/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the three files of the HTTP server share: http.c (the server and its place in the loop), http-receive.c (from the first header to the
 * handler) and http-send.c (the answer, and handing the connection over). For them only. */

#include <microhttpd.h>
#include <stdarg.h>
#include <stdbool.h>

#include "lib/base/list.h"
#include "lib/base/macro.h"
#include "rest/http.h"
#include "rest/request.h"

typedef struct Relay Relay;

/* A request walks these in order; libmicrohttpd calls us again and again with what it has. */
typedef enum RequestState {
        REQUEST_HEAD,    /* headers are there, route is known */
        REQUEST_BODY,    /* body is coming, or the caller's right is being asked for */
        REQUEST_RUNNING, /* the handler has run, its answer may be under way */
        REQUEST_ANSWERED /* the response is libmicrohttpd's */
} RequestState;

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
        List lingers;  /* connections whose client is being told that it is refused */
        List upgrades; /* connections with TLS that were handed over */
};

/* A connection with TLS that was handed over: it is en- and decrypted here until its receiver is done. */
typedef struct Upgrade {
        ListNode by_http;
        Http *http;
        struct MHD_UpgradeResponseHandle *handle;
        Relay *relay;
} Upgrade;

/* ---- http.c ---- */

/* The connection rests until http_resume(). */
void http_suspend(Request *q);

/* ---- http-receive.c: callbacks of libmicrohttpd ---- */

enum MHD_Result http_on_request(void *userdata, struct MHD_Connection *connection, const char *url,
        const char *method, const char *version, const char *data, size_t *size, void **con_cls);
void http_on_completed(void *userdata, struct MHD_Connection *connection, void **con_cls,
        enum MHD_RequestTerminationCode how);
void http_on_connection(void *userdata, struct MHD_Connection *connection, void **socket_context,
        enum MHD_ConnectionNotificationCode what);

/* ---- http-send.c ---- */

/* The response of q, which is complete, becomes libmicrohttpd's. */
enum MHD_Result http_send_response(Request *q);
/* Whoever waits for the connection to be handed over gets it, or -EBADF. */
void http_hijack_done(Request *q, int fd, const void *early, size_t early_size);
Upgrade *http_upgrade_free(Upgrade *u);
