/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rest-client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define DEFAULT_SOCKET "/run/docker.sock"
#define ANSWER_MAX     (256U * 1024 * 1024)
#define ERROR_BODY_MAX (64U * 1024)

struct RestClient {
        CURL *curl;
        char *socket;
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

int rest_client_new(const char *host, RestClient **ret, Error *reterr) {
        _cleanup_(rest_client_freep) RestClient *c = NULL;
        const char *path = DEFAULT_SOCKET;

        if (!str_empty(host)) {
                path = str_starts(host, "unix://");
                if (str_empty(path))
                        return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                                "host \"%s\": only unix:// is supported", host);
        }

        c = new0(RestClient, 1);
        if (!c || str_copy(&c->socket, path) < 0)
                return -ENOMEM;

        /* No TLS: nothing of it needs to be set up. */
        if (curl_global_init(CURL_GLOBAL_NOTHING) != 0)
                return -ENOMEM;
        c->curl = curl_easy_init();
        if (!c->curl)
                return -ENOMEM;

        *ret = TAKE_PTR(c);
        return 0;
}

RestClient *rest_client_free(RestClient *c) {
        if (!c)
                return NULL;

        if (c->curl)
                curl_easy_cleanup(c->curl);
        free(c->socket);
        return mfree(c);
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

        r = buffer_append_string(&b, "/" REST_CLIENT_API);
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

static int perform(RestClient *c, Exchange *x, const char *path, Error *reterr) {
        _cleanup_(freep) char *url = NULL;
        CURLcode code;
        long status;

        url = str_concat("http://localhost", path);
        if (!url)
                return -ENOMEM;

        (void) curl_easy_setopt(c->curl, CURLOPT_URL, url);
        (void) curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L); /* a name with ".." stays one */
        (void) curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
        (void) curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_write);
        (void) curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, x);
        (void) curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "Stauer-Client");

        code = curl_easy_perform(c->curl);
        if (code == CURLE_COULDNT_CONNECT)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "Cannot connect to the engine at unix://%s. Is stauer.socket active? (%s)",
                        c->socket,
                        access(c->socket, F_OK) < 0 ? "there is no such socket"
                        : access(c->socket, R_OK | W_OK) < 0
                                ? "permission denied: be root or in group docker"
                                : "nobody listens");
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

static int append_answer(const char *data, size_t size, void *userdata) {
        return buffer_append(userdata, data, size);
}

int rest_call(RestClient *c, const char *method, const char *path, Json *body, Json **ret,
        Error *reterr) {
        _cleanup_(buffer_done) Buffer answer = { .max = ANSWER_MAX };
        _cleanup_(freep) char *text = NULL;
        struct curl_slist *headers = NULL;
        Exchange x = {
                .curl = c->curl, .on_data = append_answer, .userdata = &answer, .body_fd = -EBADF
        };
        int r;

        curl_easy_reset(c->curl);
        if (body) {
                r = json_print(body, JSON_COMPACT, &text);
                if (r < 0)
                        return r;
                headers = curl_slist_append(NULL, "Content-Type: application/json");
                (void) curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, text);
                (void) curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
        } else if (streq(method, "POST"))
                (void) curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, "");
        if (!streq(method, "GET"))
                (void) curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);

        r = perform(c, &x, path, reterr);
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
        int r;

        curl_easy_reset(c->curl);
        if (body_fd >= 0) {
                headers = curl_slist_append(NULL, "Transfer-Encoding: chunked");
                headers = curl_slist_append(headers, "Content-Type: application/x-tar");
                headers = curl_slist_append(headers, "Expect:");
                (void) curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
                (void) curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
                (void) curl_easy_setopt(c->curl, CURLOPT_READFUNCTION, on_read);
                (void) curl_easy_setopt(c->curl, CURLOPT_READDATA, &x);
                (void) curl_easy_setopt(c->curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
        } else if (streq(method, "POST"))
                (void) curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, "");

        r = perform(c, &x, path, reterr);
        curl_slist_free_all(headers);
        buffer_done(&x.error_body);
        return r;
}
