/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS by libcurl's "connect only": it makes the connection and checks the certificates, the bytes are ours. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

#include "cli/endpoint.h"
#include "cli/transport.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

struct TransportTls {
        CURL *curl;
};

/* clang-format off */
static struct {
        void *library;
        CURLcode (*global_init)(long flags);
        CURL *(*easy_init)(void);
        void (*easy_cleanup)(CURL *curl);
        CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
        CURLcode (*easy_perform)(CURL *curl);
        CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
        CURLcode (*easy_send)(CURL *curl, const void *data, size_t size, size_t *ret);
        CURLcode (*easy_recv)(CURL *curl, void *buffer, size_t size, size_t *ret);
        const char *(*easy_strerror)(CURLcode code);
} api;

static const struct { const char *name; void *function; } symbols[] = {
        { "curl_global_init",   &api.global_init   },
        { "curl_easy_init",     &api.easy_init     },
        { "curl_easy_cleanup",  &api.easy_cleanup  },
        { "curl_easy_setopt",   &api.easy_setopt   },
        { "curl_easy_perform",  &api.easy_perform  },
        { "curl_easy_getinfo",  &api.easy_getinfo  },
        { "curl_easy_send",     &api.easy_send     },
        { "curl_easy_recv",     &api.easy_recv     },
        { "curl_easy_strerror", &api.easy_strerror },
};
/* clang-format on */

/* Debian's two builds of the same interface. */
static const char *const libraries[] = { "libcurl-gnutls.so.4", "libcurl.so.4" };

static int load(Error *reterr) {
        if (api.library)
                return 0;

        for (size_t i = 0; i < ARRAY_SIZE(libraries) && !api.library; i++)
                api.library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
        if (!api.library)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "TLS needs libcurl, which is not here: %s", dlerror());

        for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
                *(void **) symbols[i].function = dlsym(api.library, symbols[i].name);
                if (!*(void **) symbols[i].function)
                        return error_set(
                                reterr, ERROR_UNAVAILABLE, "libcurl has no %s", symbols[i].name);
        }
        return api.global_init(CURL_GLOBAL_SSL) == CURLE_OK ? 0 : -ENOMEM;
}

static int set_options(TransportTls *t, const Endpoint *e) {
        _cleanup_(freep) char *url = NULL;
        bool v6 = strchr(e->host, ':');
        CURL *c = t->curl;
        int r;

        r = str_printf(&url, "https://%s%s%s:%s", v6 ? "[" : "", e->host, v6 ? "]" : "",
                str_or(e->port, "2376"));
        if (r < 0)
                return r;
        (void) api.easy_setopt(c, CURLOPT_URL, url);
        (void) api.easy_setopt(c, CURLOPT_PROXY, "");
        (void) api.easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
        (void) api.easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
        (void) api.easy_setopt(c, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        (void) api.easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
        (void) api.easy_setopt(c, CURLOPT_SSL_VERIFYPEER, e->verify ? 1L : 0L);
        (void) api.easy_setopt(c, CURLOPT_SSL_VERIFYHOST, e->verify ? 2L : 0L);
        (void) api.easy_setopt(c, CURLOPT_CAINFO, e->ca);
        (void) api.easy_setopt(c, CURLOPT_SSLCERT, e->cert);
        (void) api.easy_setopt(c, CURLOPT_SSLKEY, e->key);
        return 0;
}

int transport_tls_open(const Endpoint *e, TransportTls **ret, int *ret_fd, Error *reterr) {
        curl_socket_t fd = CURL_SOCKET_BAD;
        TransportTls *t;
        CURLcode code;
        int r;

        r = load(reterr);
        if (r < 0)
                return r;

        t = new0(TransportTls, 1);
        if (!t)
                return -ENOMEM;
        t->curl = api.easy_init();
        r = t->curl ? set_options(t, e) : -ENOMEM;
        if (r < 0) {
                transport_tls_free(t);
                return r;
        }

        code = api.easy_perform(t->curl);
        if (code == CURLE_OK)
                code = api.easy_getinfo(t->curl, CURLINFO_ACTIVESOCKET, &fd);
        if (code != CURLE_OK || fd == CURL_SOCKET_BAD) {
                transport_tls_free(t);
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "Cannot connect to the Docker daemon at %s. Is the docker daemon running? "
                        "(%s)",
                        e->shown, api.easy_strerror(code));
        }

        *ret_fd = fd;
        *ret = t;
        return 0;
}

TransportTls *transport_tls_free(TransportTls *t) {
        if (t->curl)
                api.easy_cleanup(t->curl);
        return mfree(t);
}

static ssize_t answer(CURLcode code, const size_t *n) {
        if (code == CURLE_AGAIN)
                return -EAGAIN;
        return code == CURLE_OK ? (ssize_t) *n : -EIO;
}

ssize_t transport_tls_read(TransportTls *t, void *buffer, size_t size) {
        size_t n = 0;

        return answer(api.easy_recv(t->curl, buffer, size, &n), &n);
}

ssize_t transport_tls_write(TransportTls *t, const void *data, size_t size) {
        size_t n = 0;

        return answer(api.easy_send(t->curl, data, size, &n), &n);
}

/* The libraries below libcurl are found through it. */
static int say_farewell(const struct curl_tlssessioninfo *session) {
        enum { GNUTLS_SHUT_WR_ = 1 }; /* the ABI's value */
        int (*bye)(void *session, int how), (*shut)(void *ssl);

        if (session->backend == CURLSSLBACKEND_GNUTLS) {
                *(void **) &bye = dlsym(api.library, "gnutls_bye");
                return bye && bye(session->internals, GNUTLS_SHUT_WR_) == 0 ? 0 : -EIO;
        }
        if (session->backend == CURLSSLBACKEND_OPENSSL) {
                *(void **) &shut = dlsym(api.library, "SSL_shutdown");
                return shut && shut(session->internals) >= 0 ? 0 : -EIO;
        }
        return -EOPNOTSUPP;
}

int transport_tls_end_write(TransportTls *t) {
        struct curl_tlssessioninfo *session = NULL;
        curl_socket_t fd = CURL_SOCKET_BAD;

        if (api.easy_getinfo(t->curl, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session &&
                session->internals && say_farewell(session) >= 0)
                return 0;

        /* Without the farewell an engine may take the end for a broken connection. */
        if (api.easy_getinfo(t->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK)
                return -EIO;
        return shutdown(fd, SHUT_WR) < 0 ? -errno : 0;
}
