/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/hijack.h"

#include "cli/http.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

struct Hijack {
        Http *http;
};

int hijack_open(RestClient *c, const char *method, const char *path, Json *body, Hijack **ret,
        Error *reterr) {
        _cleanup_(hijack_freep) Hijack *h = NULL;
        int r;

        h = new0(Hijack, 1);
        if (!h)
                return -ENOMEM;
        r = rest_open(c, method, path, body, /* upgrade= */ true, &h->http, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(h);
        return 0;
}

Hijack *hijack_free(Hijack *h) {
        if (!h)
                return NULL;

        http_free(h->http);
        return mfree(h);
}

int hijack_fd(const Hijack *h) {
        return http_fd(h->http);
}

ssize_t hijack_read(Hijack *h, void *buffer, size_t size) {
        return http_read(h->http, buffer, size, /* wait= */ false);
}

ssize_t hijack_write(Hijack *h, const void *data, size_t size) {
        return http_write(h->http, data, size);
}

int hijack_end_write(Hijack *h) {
        return http_end_write(h->http);
}

/* An engine says "raw-stream" for 200, whatever it sends: only the other word is certain. */
bool hijack_is_multiplexed(const Hijack *h, bool otherwise) {
        const char *type = http_header(h->http, "content-type");

        return str_equal(type, "application/vnd.docker.multiplexed-stream") || otherwise;
}
