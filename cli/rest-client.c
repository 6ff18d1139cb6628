/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rest-client.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/endpoint.h"
#include "cli/http.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define ANSWER_MAX     (256U * 1024 * 1024)
#define ERROR_BODY_MAX (64U * 1024)
#define READ_CHUNK     (64U * 1024)

struct RestClient {
        Http *http; /* NULL: not connected, or given up after the last answer */
        Endpoint endpoint;
        char **headers;
        char *header; /* of the present requests only */
        char *api;    /* NULL: not negotiated yet */
};

/* What is sent: JSON text, or bytes of a descriptor, or nothing. */
typedef struct Request {
        const char *method;
        const char *path;
        const char *text;
        int body_fd;
        bool upgrade;
} Request;

int rest_client_new(Endpoint *endpoint, char *const *headers, const char *api, RestClient **ret,
        Error *reterr) {
        _cleanup_(rest_client_freep) RestClient *c = NULL;

        (void) reterr;
        c = new0(RestClient, 1);
        if (!c || strv_set(&c->headers, headers) < 0 || str_copy(&c->api, api) < 0)
                return -ENOMEM;

        c->endpoint = TAKE_STRUCT(*endpoint);
        *ret = TAKE_PTR(c);
        return 0;
}

RestClient *rest_client_free(RestClient *c) {
        if (!c)
                return NULL;

        http_free(c->http);
        endpoint_done(&c->endpoint);
        strv_free(c->headers);
        free(c->header);
        free(c->api);
        return mfree(c);
}

int rest_client_set_header(RestClient *c, const char *line) {
        if (c->header)
                explicit_bzero(c->header, strlen(c->header));
        return str_copy(&c->header, line);
}

const Endpoint *rest_client_endpoint(const RestClient *c) {
        return &c->endpoint;
}

char *const *rest_client_headers(const RestClient *c) {
        return c->headers;
}

static int append_escaped(Buffer *b, const char *s, const char *safe) {
        int r = 0;

        for (; r >= 0 && *s; s++) {
                unsigned char ch = (unsigned char) *s;

                if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                        (ch >= '0' && ch <= '9') || strchr("-._~", ch) || strchr(safe, ch))
                        r = buffer_append_char(b, *s);
                else
                        r = buffer_printf(b, "%%%02X", ch);
        }
        return r;
}

char *rest_path(const char *const *parts, const char *const *query) {
        _cleanup_(buffer_done) Buffer b = {};
        char separator = '?';
        int r;

        r = 0;
        for (; r >= 0 && *parts; parts++)
                r = append_escaped(&b, *parts, "/:@");

        for (; r >= 0 && query && query[0]; query += 2) {
                if (!query[1])
                        continue;
                r = buffer_append_char(&b, separator);
                if (r >= 0)
                        r = append_escaped(&b, query[0], "");
                if (r >= 0)
                        r = buffer_append_char(&b, '=');
                if (r >= 0)
                        r = append_escaped(&b, query[1], "");
                separator = '&';
        }

        return r < 0 ? NULL : buffer_take_string(&b, NULL);
}

static ErrorKind kind_of_status(long status) {
        switch (status) {
        case 400:
                return ERROR_INVALID;
        case 401:
                return ERROR_UNAUTHORIZED;
        case 403:
                return ERROR_FORBIDDEN;
        case 404:
                return ERROR_NOT_FOUND;
        case 409:
                return ERROR_CONFLICT;
        case 413:
                return ERROR_TOO_LARGE;
        case 501:
                return ERROR_NOT_IMPLEMENTED;
        case 503:
                return ERROR_UNAVAILABLE;
        default:
                return ERROR_INTERNAL;
        }
}

/* ---- one exchange ---- */

static int lost(int r, Error *reterr) {
        if (r == -ENOMEM)
                return r;
        return error_set(reterr, ERROR_UNAVAILABLE, "lost the engine: %s",
                r == -EPROTO ? "its answer is no HTTP" : strerror(-r));
}

static int request_headers(const RestClient *c, const Request *q, char ***ret) {
        int r;

        r = strv_set(ret, c->headers);
        if (r >= 0 && c->header)
                r = strv_add(ret, c->header);
        if (r >= 0 && q->text)
                r = strv_add(ret, "Content-Type: application/json");
        if (r >= 0 && q->body_fd >= 0)
                r = strv_add(ret, "Content-Type: application/x-tar");
        if (r >= 0 && q->upgrade)
                r = strv_add(ret, "Connection: Upgrade");
        if (r >= 0 && q->upgrade)
                r = strv_add(ret, "Upgrade: tcp");
        return r;
}

/* The status, with the body still to be read. A kept connection that the engine closed meanwhile is opened again once. */
static int ask(RestClient *c, Http **http, const Request *q, Error *reterr) {
        _cleanup_(strv_freep) char **headers = NULL;
        bool kept = *http, head = streq(q->method, "HEAD");
        int r;

        r = request_headers(c, q, &headers);
        if (r < 0)
                return r;

        for (;;) {
                if (!*http) {
                        r = http_open(&c->endpoint, http, reterr);
                        if (r < 0)
                                return r;
                }
                if (q->body_fd >= 0)
                        r = http_request_from(*http, q->method, q->path, headers, q->body_fd);
                else
                        r = http_request(*http, q->method, q->path, headers, q->text,
                                q->text ? strlen(q->text) : 0);
                if (r >= 0 || r == -EPIPE || r == -ECONNRESET)
                        r = http_answer(*http, head);
                if (r >= 0)
                        return r;

                *http = http_free(*http);
                if (!kept || (r != -ECONNRESET && r != -EPIPE) || q->body_fd >= 0)
                        return lost(r, reterr);
                kept = false;
        }
}

static int read_body(Http *h, rest_data_t on_data, void *userdata, Error *reterr) {
        _cleanup_(freep) char *data = NULL;
        ssize_t n;
        int r;

        data = new (char, READ_CHUNK);
        if (!data)
                return -ENOMEM;
        while ((n = http_read(h, data, READ_CHUNK, /* wait= */ true)) > 0) {
                r = on_data ? on_data(data, (size_t) n, userdata) : 0;
                if (r < 0)
                        return r;
        }
        return n < 0 ? lost((int) n, reterr) : 0;
}

static int append_answer(const char *data, size_t size, void *userdata) {
        return buffer_append(userdata, data, size);
}

static int append_error(const char *data, size_t size, void *userdata) {
        Buffer *b = userdata;

        return buffer_size(b) + size <= ERROR_BODY_MAX ? buffer_append(b, data, size) : 0;
}

static int status_error(Http *h, int status, Error *reterr) {
        _cleanup_(buffer_done) Buffer body = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *text = NULL;

        if (read_body(h, append_error, &body, NULL) >= 0 &&
                json_parse(buffer_head(&body), buffer_size(&body), ERROR_BODY_MAX, &v, NULL) >= 0)
                text = json_get_text(v, "message");

        return error_set(reterr, kind_of_status(status), "Error response from daemon: %s",
                text ? text : "(no text)");
}

/* Closes a connection that cannot carry another request. */
static void settle(RestClient *c) {
        if (c->http && !http_is_reusable(c->http))
                c->http = http_free(c->http);
}

static int exchange(
        RestClient *c, const Request *q, rest_data_t on_data, void *userdata, Error *reterr) {
        int status, r;

        status = ask(c, &c->http, q, reterr);
        if (status < 0)
                return status;
        if (status >= 400)
                r = status_error(c->http, status, reterr);
        else {
                r = read_body(c->http, on_data, userdata, reterr);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "%s", q->path);
        }
        settle(c);
        return r < 0 ? r : status == 304;
}

/* ---- version ---- */

bool rest_api_older(const char *a, const char *b) {
        unsigned a_major = 0, a_minor = 0, b_major = 0, b_minor = 0;

        (void) sscanf(a, "%u.%u", &a_major, &a_minor);
        (void) sscanf(b, "%u.%u", &b_major, &b_minor);
        return a_major != b_major ? a_major < b_major : a_minor < b_minor;
}

/* An engine too old to say its version gets the oldest one. */
static int negotiate(RestClient *c, Error *reterr) {
        const Request q = { .method = "HEAD", .path = "/_ping", .body_fd = -EBADF };
        int r;

        if (c->api)
                return 0;

        r = ask(c, &c->http, &q, reterr);
        if (r < 0)
                return r;
        if (r >= 400)
                return error_set(
                        reterr, kind_of_status(r), "Error response from daemon: %d to a ping", r);

        r = str_copy(&c->api, http_header(c->http, "api-version"));
        settle(c);
        if (r < 0)
                return r;
        if (str_empty(c->api))
                return str_copy(&c->api, REST_CLIENT_API_MIN);
        return rest_api_older(REST_CLIENT_API, c->api) ? str_copy(&c->api, REST_CLIENT_API) : 0;
}

int rest_client_api(RestClient *c, const char **ret, Error *reterr) {
        int r;

        r = negotiate(c, reterr);
        if (r < 0)
                return r;
        *ret = c->api;
        return 0;
}

static int versioned(RestClient *c, const char *path, char **ret, Error *reterr) {
        int r;

        r = negotiate(c, reterr);
        if (r < 0)
                return r;
        *ret = str_concat("/v", c->api, path);
        return *ret ? 0 : -ENOMEM;
}

/* ---- what commands call ---- */

int rest_call(RestClient *c, const char *method, const char *path, Json *body, Json **ret,
        Error *reterr) {
        _cleanup_(buffer_done) Buffer answer = { .max = ANSWER_MAX };
        _cleanup_(freep) char *text = NULL, *full = NULL;
        Request q = { .method = method, .body_fd = -EBADF };
        int r;

        r = body ? json_print(body, JSON_COMPACT, &text) : 0;
        if (r >= 0)
                r = versioned(c, path, &full, reterr);
        if (r < 0)
                return r;

        q.path = full;
        q.text = text;
        r = exchange(c, &q, append_answer, &answer, reterr);
        if (r < 0 || !ret)
                return r;

        return json_parse(buffer_head(&answer), buffer_size(&answer), ANSWER_MAX, ret, reterr);
}

int rest_stream(RestClient *c, const char *method, const char *path, int body_fd,
        rest_data_t on_data, void *userdata, Error *reterr) {
        _cleanup_(freep) char *full = NULL;
        Request q = { .method = method, .body_fd = body_fd };
        int r;

        r = versioned(c, path, &full, reterr);
        if (r < 0)
                return r;
        q.path = full;
        return exchange(c, &q, on_data, userdata, reterr);
}

typedef struct Upload {
        Http *http;
        bool refused; /* the engine has answered, or is gone */
} Upload;

static int upload_write(void *to, const void *data, size_t size) {
        Upload *u = to;
        int r;

        r = u->refused ? 1 : http_upload(u->http, data, size);
        u->refused = r > 0;
        return r > 0 ? -EPIPE : r;
}

int rest_upload(RestClient *c, const char *method, const char *path, rest_make_t make,
        void *userdata, Error *reterr) {
        _cleanup_(strv_freep) char **headers = NULL;
        _cleanup_(freep) char *full = NULL;
        const Request q = { .method = method, .body_fd = 0 }; /* as far as headers go */
        int status, r;
        Upload u = {};

        r = versioned(c, path, &full, reterr);
        if (r >= 0)
                r = request_headers(c, &q, &headers);
        if (r < 0)
                return r;

        /* A body is made once: on a connection that the engine cannot have closed meanwhile. */
        c->http = http_free(c->http);
        r = http_open(&c->endpoint, &c->http, reterr);
        if (r < 0)
                return r;
        u.http = c->http;
        r = http_upload_begin(c->http, method, full, headers);
        u.refused = r > 0;
        if (r >= 0)
                r = make(upload_write, &u, userdata, reterr);
        if (r >= 0 && !u.refused)
                r = http_upload_end(c->http);
        if (r < 0 && !u.refused) {
                c->http = http_free(c->http);
                return r;
        }
        if (r < 0) /* that it reads no more, which its answer explains */
                error_done(reterr);

        status = http_answer(c->http, /* head= */ false);
        if (status < 0)
                r = lost(status, reterr);
        else
                r = status >= 400 ? status_error(c->http, status, reterr)
                                  : read_body(c->http, NULL, NULL, reterr);
        settle(c);
        return r;
}

int rest_head(RestClient *c, const char *path, const char *header, char **ret, Error *reterr) {
        _cleanup_(freep) char *full = NULL;
        Request q = { .method = "HEAD", .body_fd = -EBADF };
        int status, r;

        r = versioned(c, path, &full, reterr);
        if (r < 0)
                return r;
        q.path = full;
        status = ask(c, &c->http, &q, reterr);
        if (status < 0)
                return status;
        r = str_copy(ret, http_header(c->http, header));
        settle(c);
        if (status >= 400)
                return error_set(reterr, kind_of_status(status), "Error response from daemon: %s",
                        status == 404 ? "not found" : "the request failed");
        return r;
}

int rest_open(RestClient *c, const char *method, const char *path, Json *body, bool upgrade,
        Http **ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL, *full = NULL;
        Request q = { .method = method, .body_fd = -EBADF, .upgrade = upgrade };
        _cleanup_(http_freep) Http *h = NULL;
        int status, r;

        r = body ? json_print(body, JSON_COMPACT, &text) : 0;
        if (r >= 0)
                r = versioned(c, path, &full, reterr);
        if (r < 0)
                return r;

        q.path = full;
        q.text = text;
        status = ask(c, &h, &q, reterr);
        if (status < 0)
                return status;
        if (status >= 400)
                return status_error(h, status, reterr);
        if (upgrade)
                http_upgrade(h);
        *ret = TAKE_PTR(h);
        return 0;
}
