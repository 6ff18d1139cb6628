/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/http.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/transport.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/fd.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define HEAD_MAX   (256U * 1024)
#define READ_CHUNK (64U * 1024)

typedef enum Body {
        BODY_NONE, /* read to its end */
        BODY_LENGTH,
        BODY_CHUNKED,
        BODY_CLOSE, /* until the engine closes */
} Body;

struct Http {
        Transport *transport;
        Buffer in;
        char **headers; /* "name: value" with the name in lower case */
        Body body;
        uint64_t left; /* of the body or of its chunk */
        bool in_chunk; /* its data was not read to the end, or the line end behind it */
        bool closes;
        bool ended;
};

int http_open(const Endpoint *e, Http **ret, Error *reterr) {
        _cleanup_(http_freep) Http *h = NULL;
        int r;

        h = new0(Http, 1);
        if (!h)
                return -ENOMEM;
        h->in.max = HEAD_MAX;
        r = transport_open(e, &h->transport, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(h);
        return 0;
}

Http *http_free(Http *h) {
        if (!h)
                return NULL;

        transport_free(h->transport);
        buffer_done(&h->in);
        strv_free(h->headers);
        return mfree(h);
}

int http_fd(const Http *h) {
        return transport_fd(h->transport);
}

ssize_t http_write(Http *h, const void *data, size_t size) {
        return transport_write(h->transport, data, size);
}

int http_end_write(Http *h) {
        return transport_end_write(h->transport);
}

static int write_all(Http *h, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = transport_write(h->transport, data, size);

                if (n == -EAGAIN) {
                        n = fd_wait(http_fd(h), POLLOUT, UINT64_MAX);
                        if (n < 0 && n != -EINTR)
                                return (int) n;
                        continue;
                }
                if (n < 0)
                        return (int) n;
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

static int append_head(Buffer *b, const char *method, const char *path, char *const *headers) {
        int r;

        r = buffer_printf(
                b, "%s %s HTTP/1.1\r\nHost: docker\r\nUser-Agent: Stauer-Client\r\n", method, path);
        STRV_FOREACH (header, headers)
                if (r >= 0)
                        r = buffer_printf(b, "%s\r\n", *header);
        return r;
}

int http_request(Http *h, const char *method, const char *path, char *const *headers,
        const char *content, size_t size) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        h->headers = strv_free(h->headers);
        r = append_head(&b, method, path, headers);
        if (r >= 0 && (content || streq(method, "POST") || streq(method, "PUT")))
                r = buffer_printf(&b, "Content-Length: %zu\r\n", size);
        if (r >= 0)
                r = buffer_append_string(&b, "\r\n");
        if (r >= 0 && content)
                r = buffer_append(&b, content, size);
        return r < 0 ? r : write_all(h, buffer_head(&b), buffer_size(&b));
}

/* An engine that answers already will not read the rest. */
static bool answers_already(Http *h) {
        struct pollfd p = { .fd = http_fd(h), .events = POLLIN };

        return poll(&p, 1, 0) > 0;
}

static int upload_piece(Http *h, const void *data, size_t size) {
        int r;

        r = write_all(h, data, size);
        if (r == -EPIPE || r == -ECONNRESET || (r >= 0 && answers_already(h))) {
                h->closes = true;
                return 1; /* what it says is in the answer */
        }
        return r;
}

int http_upload_begin(Http *h, const char *method, const char *path, char *const *headers) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        h->headers = strv_free(h->headers);
        r = append_head(&b, method, path, headers);
        if (r >= 0)
                r = buffer_append_string(&b, "Transfer-Encoding: chunked\r\n\r\n");
        return r < 0 ? r : upload_piece(h, buffer_head(&b), buffer_size(&b));
}

int http_upload(Http *h, const void *data, size_t size) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        if (size == 0)
                return 0;
        r = buffer_printf(&b, "%zx\r\n", size);
        if (r >= 0)
                r = buffer_append(&b, data, size);
        if (r >= 0)
                r = buffer_append_string(&b, "\r\n");
        return r < 0 ? r : upload_piece(h, buffer_head(&b), buffer_size(&b));
}

int http_upload_end(Http *h) {
        int r;

        r = write_all(h, "0\r\n\r\n", STRLEN("0\r\n\r\n"));
        if (r != -EPIPE && r != -ECONNRESET)
                return r;
        h->closes = true;
        return 0; /* as in upload_piece() */
}

int http_request_from(
        Http *h, const char *method, const char *path, char *const *headers, int body_fd) {
        _cleanup_(freep) char *data = NULL;
        int r;

        data = new (char, READ_CHUNK);
        if (!data)
                return -ENOMEM;
        r = http_upload_begin(h, method, path, headers);

        while (r == 0) {
                ssize_t n;

                do
                        n = read(body_fd, data, READ_CHUNK);
                while (n < 0 && errno == EINTR);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return http_upload_end(h);
                r = http_upload(h, data, (size_t) n);
        }
        return r < 0 ? r : 0;
}

/* More bytes into .in: 1, 0 at the end, -EAGAIN. */
static int fill(Http *h, bool wait) {
        ssize_t n;
        char *space;
        int r;

        r = buffer_reserve(&h->in, READ_CHUNK / 4, &space);
        if (r < 0)
                return r;
        for (;;) {
                n = transport_read(h->transport, space, READ_CHUNK / 4);
                if (n != -EAGAIN || !wait)
                        break;
                r = fd_wait(http_fd(h), POLLIN, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        if (n < 0)
                return (int) n;
        buffer_commit(&h->in, (size_t) n);
        h->ended = n == 0;
        return n > 0;
}

/* The next line without its end; -EAGAIN. */
static int take_line(Http *h, bool wait, char **ret) {
        size_t n;
        int r;

        while ((n = buffer_line(&h->in)) == 0) {
                r = fill(h, wait);
                if (r < 0)
                        return r;
                if (r == 0)
                        return buffer_empty(&h->in) ? -ECONNRESET : -EPROTO;
        }
        r = str_copy_n(ret, buffer_head(&h->in), n);
        buffer_consume(&h->in, n);
        if (r >= 0) {
                n = strcspn(*ret, "\r\n");
                (*ret)[n] = '\0';
        }
        return r;
}

const char *http_header(const Http *h, const char *name) {
        STRV_FOREACH (header, h->headers) {
                const char *rest = str_starts(*header, name);

                if (rest && rest[0] == ':')
                        return rest + 1 + strspn(rest + 1, " \t");
        }
        return NULL;
}

static int take_headers(Http *h) {
        h->headers = strv_free(h->headers);
        for (;;) {
                _cleanup_(freep) char *line = NULL;
                char *colon;
                int r;

                r = take_line(h, /* wait= */ true, &line);
                if (r < 0 || line[0] == '\0')
                        return r;
                colon = strchr(line, ':');
                if (!colon)
                        return -EPROTO;
                *colon = '\0';
                str_lower(line);
                *colon = ':';
                r = strv_take(&h->headers, TAKE_PTR(line));
                if (r < 0)
                        return r;
        }
}

static int find_body(Http *h, int status, bool head) {
        const char *encoding = http_header(h, "transfer-encoding");
        const char *length = http_header(h, "content-length");
        const char *connection = http_header(h, "connection");

        h->left = 0;
        h->in_chunk = false;
        if (connection && strcasecmp(connection, "close") == 0)
                h->closes = true;

        if (head || status == 204 || status == 304)
                h->body = BODY_NONE;
        else if (encoding && strcasecmp(encoding, "chunked") == 0)
                h->body = BODY_CHUNKED;
        else if (length) {
                if (parse_u64(length, &h->left) < 0)
                        return -EPROTO;
                h->body = h->left > 0 ? BODY_LENGTH : BODY_NONE;
        } else
                h->body = BODY_CLOSE;
        return status;
}

int http_answer(Http *h, bool head) {
        for (;;) {
                _cleanup_(freep) char *line = NULL;
                const char *rest;
                int status, r;

                r = take_line(h, /* wait= */ true, &line);
                if (r < 0)
                        return r;
                rest = str_starts(line, "HTTP/1.");
                if (!rest || !rest[0] || rest[1] != ' ' || strlen(rest) < 5)
                        return -EPROTO;
                h->closes = h->closes || rest[0] == '0';
                status = atoi(rest + 2);
                if (status < 100 || status > 599)
                        return -EPROTO;
                r = take_headers(h);
                if (r < 0)
                        return r;
                if (status >= 200 || status == 101)
                        return find_body(h, status, head);
        }
}

/* *size bytes at most of what is there or comes. */
static ssize_t take_bytes(Http *h, void *buffer, size_t size, bool wait) {
        int r;

        if (buffer_empty(&h->in)) {
                if (h->ended)
                        return 0;
                r = fill(h, wait);
                if (r <= 0)
                        return r;
        }
        size = MIN(size, buffer_size(&h->in));
        memcpy(buffer, buffer_head(&h->in), size);
        buffer_consume(&h->in, size);
        return (ssize_t) size;
}

/* Up to the data of the next chunk: 0, or -EAGAIN with nothing lost. The last chunk ends the body. */
static int next_chunk(Http *h, bool wait) {
        int r;

        while (h->left == 0) {
                _cleanup_(freep) char *line = NULL;
                char *end;

                r = take_line(h, wait, &line);
                if (r < 0)
                        return r;
                if (h->in_chunk) { /* the line end behind the data */
                        if (line[0])
                                return -EPROTO;
                        h->in_chunk = false;
                        continue;
                }
                errno = 0;
                h->left = strtoull(line, &end, 16);
                if (end == line || errno)
                        return -EPROTO;
                if (h->left == 0) {
                        _cleanup_(freep) char *last = NULL;

                        h->body = BODY_NONE;
                        return take_line(h, /* wait= */ true, &last) < 0 ? -EPROTO : 0;
                }
                h->in_chunk = true;
        }
        return 0;
}

ssize_t http_read(Http *h, void *buffer, size_t size, bool wait) {
        ssize_t n;

        if (h->body == BODY_NONE)
                return 0;
        if (h->body == BODY_CHUNKED) {
                n = next_chunk(h, wait);
                if (n < 0 || h->body == BODY_NONE)
                        return n;
        }

        n = take_bytes(h, buffer, h->body == BODY_CLOSE ? size : MIN(size, h->left), wait);
        if (n < 0 || h->body == BODY_CLOSE)
                return n;
        if (n == 0)
                return -ECONNRESET;
        h->left -= (uint64_t) n;
        if (h->body == BODY_LENGTH && h->left == 0)
                h->body = BODY_NONE;
        return n;
}

bool http_is_reusable(const Http *h) {
        return h->body == BODY_NONE && !h->closes && !h->ended;
}

void http_upgrade(Http *h) {
        h->body = BODY_CLOSE;
        h->closes = true;
}
