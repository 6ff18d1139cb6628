/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Request is one HTTP exchange from its first header to its last byte; it carries its Response. Made and freed by http.c; a handler
 * borrows it. A handler reads, calls one engine function, and then
 *   - fills the response and returns 0, or
 *   - returns negative with q->error filled (the router turns it into status and body), or
 *   - returns request_defer(q): the answer comes later, by request_finish() out of a Pending's callback.
 * When the client goes away first, q->on_gone is called and the request is freed: it must detach what it started. */

#include <stdbool.h>
#include <stdint.h>

#include "dbus/bus-auth.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/list.h"
#include "lib/base/macro.h"

typedef struct Engine Engine;
typedef struct Http Http;
typedef struct Json Json;
typedef struct JsonField JsonField;
typedef struct Request Request;
typedef struct Response Response;
typedef struct Route Route;
typedef struct Stream Stream;
typedef struct sd_event_source sd_event_source;

#define REQUEST_BODY_MAX (4U * 1024 * 1024) /* JSON bodies */
#define REQUEST_VARS_MAX 4
#define REQUEST_DEFERRED 1

/* fd belongs to the callee, -EBADF: the client has gone before; early: what it had sent behind its request. */
typedef void (*HijackReady)(void *userdata, int fd, const void *early, size_t early_size);

struct Response {
        unsigned status;
        const char *content_type; /* static text */
        char *body;               /* owned */
        size_t size;
        Stream *stream;      /* instead of body */
        const char *upgrade; /* of a hijack with status 101, static: what the connection becomes */
        HijackReady hijack;  /* the same: see rest/hijack.h */
        void *hijack_userdata;
        char **headers; /* "Name", "value", … */
};

typedef struct RequestVar {
        const char *name; /* from the route's pattern, without braces */
        size_t name_size;
        char *value;
} RequestVar;

struct Request {
        Http *http;
        Engine *engine;
        void *connection; /* struct MHD_Connection */
        char *method;
        char *path;   /* decoded, without the version prefix */
        unsigned api; /* MAJOR * 1000 + MINOR */
        const Route *route;
        RequestVar vars[REQUEST_VARS_MAX];
        size_t n_vars;
        Buffer body;
        int body_fd; /* ROUTE_BODY_STREAM: read end of a pipe with the body; the handler may take it */
        AuthPeer peer;
        Error error;
        Response response;

        void (*on_gone)(Request *q); /* set by a handler that deferred */
        void *data;                  /* of the handler */

        /* http.c only */
        ListNode by_http;
        int state;
        bool suspended;
        bool is_old; /* HTTP/1.0 */
        int bare_fd; /* the client, when its 200 is written past libmicrohttpd, */
        int sink_fd; /* and where that writes to instead */
        bool authorized;
        int body_write_fd;
        int gone_fd; /* dup of the socket, watched for the client leaving */
        sd_event_source *gone_source;
        sd_event_source *drain_source;
        AuthQuery *auth_query;
};

/* Answers. Return 0, or -ENOMEM. */
int response_empty(Response *a, unsigned status);
int response_text(Response *a, unsigned status, const char *text); /* text/plain */
int response_json(Response *a, unsigned status, Json *v); /* takes no reference; prints at once */
int response_header(Response *a, const char *name, const char *value);
void response_done(Response *a);

/* The answer comes later. Returns REQUEST_DEFERRED for the handler to return. */
int request_defer(Request *q);
/* r < 0: q->error says why. Otherwise q->response must be filled. */
void request_finish(Request *q, int r);

/* "{id}" of the route's pattern; never NULL. */
const char *request_var(Request *q, const char *name);
int request_set_var(Request *q, const char *name, const char *value);

/* Query parameters. NULL when absent. */
const char *request_query(Request *q, const char *name);
/* Docker's booleans: "", 0, no, false, none (any case) are false, everything else is true. */
bool request_query_bool(Request *q, const char *name, bool otherwise);
/* Strict: ERROR_INVALID when it is there and no integer. Absent or empty: otherwise. */
int request_query_int64(Request *q, const char *name, int64_t otherwise, int64_t *ret);
/* A point in time as Docker's clients write it → nanoseconds since the epoch; absent, empty or 0: otherwise. */
int request_query_time(Request *q, const char *name, uint64_t otherwise, uint64_t *ret);
/* All values of a repeated parameter; strv for the caller. */
int request_query_all(Request *q, const char *name, char ***ret);
/* h and w of a terminal, both needed: ERROR_INVALID with Docker's text. */
int request_query_size(Request *q, uint32_t *ret_height, uint32_t *ret_width);
const char *request_header(Request *q, const char *name);

/* The body as JSON; checks Content-Type, size and depth. ERROR_INVALID with Docker's texts. An empty body gives NULL when
 * it may be empty. */
int request_body_json(Request *q, bool may_be_empty, Json **ret);
