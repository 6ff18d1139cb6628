/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rest-client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/endpoint.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define ANSWER_MAX     (256U * 1024 * 1024)
#define ERROR_BODY_MAX (64U * 1024)

struct RestClient {
        CURL *curl;
        Endpoint endpoint;
        char **headers;
        char *api; /* NULL: not negotiated yet */
};

/* One exchange: good answers go to on_data, an error's body is kept for its text. */
typedef struct Exchange {
        CURL *curl;
        rest_data_t on_data;
        void *userdata;
        Buffer error_body;
        int body_fd;
        int r;
} Exchange;

int rest_client_new(Endpoint *endpoint, char *const *headers, const char *api, RestClient **ret,
        Error *reterr) {
        _cleanup_(rest_client_freep) RestClient *c = NULL;

        c = new0(RestClient, 1);
        if (!c || strv_set(&c->headers, headers) < 0 || str_copy(&c->api, api) < 0)
                return -ENOMEM;

        if (curl_global_init(endpoint->tls ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING) != 0)
                return -ENOMEM;
        c->curl = curl_easy_init();
        if (!c->curl)
                return -ENOMEM;

        c->endpoint = TAKE_STRUCT(*endpoint);
        *ret = TAKE_PTR(c);
        return 0;
}

RestClient *rest_client_free(RestClient *c) {
        if (!c)
                return NULL;

        if (c->curl)
                curl_easy_cleanup(c->curl);
        endpoint_done(&c->endpoint);
        strv_free(c->headers);
        free(c->api);
        return mfree(c);
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

static long exchange_status(const Exchange *x) {
        long status = 0;

        (void) curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
        return status;
}

static size_t on_write(char *data, size_t size, size_t n, void *userdata) {
        Exchange *x = userdata;
        size_t bytes = size * n;

        if (exchange_status(x) >= 400) {
                if (buffer_size(&x->error_body) + bytes <= ERROR_BODY_MAX)
                        (void) buffer_append(&x->error_body, data, bytes);
                return bytes;
        }

        x->r = x->on_data ? x->on_data(data, bytes, x->userdata) : 0;
        return x->r < 0 ? 0 : bytes;
}

static size_t on_read(char *data, size_t size, size_t n, void *userdata) {
        Exchange *x = userdata;
        ssize_t bytes;

        do
                bytes = read(x->body_fd, data, size * n);
        while (bytes < 0 && errno == EINTR);

        if (bytes < 0) {
                x->r = -errno;
                return CURL_READFUNC_ABORT;
        }
        return (size_t) bytes;
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

static int status_error(Exchange *x, long status, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *text = NULL;

        if (json_parse(buffer_head(&x->error_body), buffer_size(&x->error_body), ERROR_BODY_MAX, &v,
                    NULL) >= 0)
                text = json_get_text(v, "message");

        return error_set(reterr, kind_of_status(status), "Error response from daemon: %s",
                text ? text : "(no text)");
}

static int cannot_connect(const RestClient *c, Error *reterr) {
        const char *why = "nobody listens", *path = c->endpoint.host;

        if (c->endpoint.scheme != ENDPOINT_UNIX)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "Cannot connect to the Docker daemon at %s. Is the docker daemon running?",
                        c->endpoint.shown);
        if (access(path, F_OK) < 0)
                why = "there is no such socket";
        else if (access(path, R_OK | W_OK) < 0)
                why = "permission denied: be root or in group docker";
        return error_set(reterr, ERROR_UNAVAILABLE,
                "Cannot connect to the Docker daemon at %s. Is the docker daemon running? (%s)",
                c->endpoint.shown, why);
}

static int set_target(RestClient *c, const char *path) {
        const Endpoint *e = &c->endpoint;
        bool v6 = e->scheme == ENDPOINT_TCP && strchr(e->host, ':');
        _cleanup_(freep) char *url = NULL;
        int r;

        if (e->scheme == ENDPOINT_UNIX) {
                (void) curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, e->host);
                url = str_concat("http://localhost", path);
                r = url ? 0 : -ENOMEM;
        } else
                r = str_printf(&url, "%s://%s%s%s:%s%s", e->tls ? "https" : "http", v6 ? "[" : "",
                        e->host, v6 ? "]" : "", str_or(e->port, "0"), path);
        if (r < 0)
                return r;

        (void) curl_easy_setopt(c->curl, CURLOPT_URL, url);
        if (e->tls) {
                (void) curl_easy_setopt(c->curl, CURLOPT_SSL_VERIFYPEER, e->verify ? 1L : 0L);
                (void) curl_easy_setopt(c->curl, CURLOPT_SSL_VERIFYHOST, e->verify ? 2L : 0L);
                (void) curl_easy_setopt(c->curl, CURLOPT_CAINFO, e->ca);
                (void) curl_easy_setopt(c->curl, CURLOPT_SSLCERT, e->cert);
                (void) curl_easy_setopt(c->curl, CURLOPT_SSLKEY, e->key);
        }
        return 0;
}

static int perform(RestClient *c, Exchange *x, const char *path, Error *reterr) {
        CURLcode code;
        long status;
        int r;

        r = set_target(c, path);
        if (r < 0)
                return r;

        (void) curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L); /* a name with ".." stays one */
        (void) curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_write);
        (void) curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, x);
        (void) curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "Stauer-Client");

        code = curl_easy_perform(c->curl);
        if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
                return cannot_connect(c, reterr);
        if (x->r < 0)
                return error_set_errno(reterr, x->r, "%s", path);
        if (code != CURLE_OK)
                return error_set(
                        reterr, ERROR_UNAVAILABLE, "lost the engine: %s", curl_easy_strerror(code));

        status = exchange_status(x);
        if (status >= 400)
                return status_error(x, status, reterr);
        return status == 304;
}

/* ---- version ---- */

bool rest_api_older(const char *a, const char *b) {
        unsigned a_major = 0, a_minor = 0, b_major = 0, b_minor = 0;

        (void) sscanf(a, "%u.%u", &a_major, &a_minor);
        (void) sscanf(b, "%u.%u", &b_major, &b_minor);
        return a_major != b_major ? a_major < b_major : a_minor < b_minor;
}

static size_t on_ping_header(char *data, size_t size, size_t n, void *userdata) {
        const size_t name = STRLEN("Api-Version:");
        RestClient *c = userdata;

        if (size * n > name && strncasecmp(data, "Api-Version:", name) == 0) {
                _cleanup_(freep) char *value = NULL;

                if (str_copy_n(&value, data + name, size * n - name) >= 0)
                        (void) str_copy(&c->api, str_strip(value));
        }
        return size * n;
}

/* An engine too old to say its version gets the oldest one. */
static int negotiate(RestClient *c, Error *reterr) {
        Exchange x = { .curl = c->curl, .body_fd = -EBADF };
        int r;

        if (c->api)
                return 0;

        curl_easy_reset(c->curl);
        (void) curl_easy_setopt(c->curl, CURLOPT_NOBODY, 1L);
        (void) curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_ping_header);
        (void) curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
        r = perform(c, &x, "/_ping", reterr);
        buffer_done(&x.error_body);
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

/* Makes the handle ready for a request: its path with the version, the headers of the user. */
static int prepare(RestClient *c, const char *path, char **ret_path, struct curl_slist **headers,
        Error *reterr) {
        int r;

        r = negotiate(c, reterr);
        if (r < 0)
                return r;
        *ret_path = str_concat("/v", c->api, path);
        if (!*ret_path)
                return -ENOMEM;

        curl_easy_reset(c->curl);
        STRV_FOREACH (header, c->headers)
                *headers = curl_slist_append(*headers, *header);
        return 0;
}

static int append_answer(const char *data, size_t size, void *userdata) {
        return buffer_append(userdata, data, size);
}

int rest_call(RestClient *c, const char *method, const char *path, Json *body, Json **ret,
        Error *reterr) {
        _cleanup_(buffer_done) Buffer answer = { .max = ANSWER_MAX };
        _cleanup_(freep) char *text = NULL, *full = NULL;
        struct curl_slist *headers = NULL;
        Exchange x = {
                .curl = c->curl, .on_data = append_answer, .userdata = &answer, .body_fd = -EBADF
        };
        int r;

        r = body ? json_print(body, JSON_COMPACT, &text) : 0;
        if (r >= 0)
                r = prepare(c, path, &full, &headers, reterr);
        if (r < 0)
                return r;

        if (body) {
                headers = curl_slist_append(headers, "Content-Type: application/json");
                (void) curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, text);
        } else if (streq(method, "POST"))
                (void) curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, "");
        if (!streq(method, "GET"))
                (void) curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);

        (void) curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
        r = perform(c, &x, full, reterr);
        curl_slist_free_all(headers);
        buffer_done(&x.error_body);
        if (r < 0 || !ret)
                return r;

        return json_parse(buffer_head(&answer), buffer_size(&answer), ANSWER_MAX, ret, reterr);
}

int rest_stream(RestClient *c, const char *method, const char *path, int body_fd,
        rest_data_t on_data, void *userdata, Error *reterr) {
        struct curl_slist *headers = NULL;
        Exchange x = {
                .curl = c->curl, .on_data = on_data, .userdata = userdata, .body_fd = body_fd
        };
        _cleanup_(freep) char *full = NULL;
        int r;

        r = prepare(c, path, &full, &headers, reterr);
        if (r < 0)
                return r;
        if (body_fd >= 0) {
                headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
                headers = curl_slist_append(headers, "Content-Type: application/x-tar");
                headers = curl_slist_append(headers, "Expect:");
                (void) curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
                (void) curl_easy_setopt(c->curl, CURLOPT_READFUNCTION, on_read);
                (void) curl_easy_setopt(c->curl, CURLOPT_READDATA, &x);
                (void) curl_easy_setopt(c->curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
        } else if (streq(method, "POST"))
                (void) curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, "");
        if (!streq(method, "GET"))
                (void) curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);

        (void) curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
        r = perform(c, &x, full, reterr);
        curl_slist_free_all(headers);
        buffer_done(&x.error_body);
        return r;
}
