/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* libcurl's transfers in our loop, and its reading of URLs: the only file that sees the library. No thread is ever made: who asks resolves the names
 * himself (resolve). Redirects are not followed, no compression is undone, no password is found in a URL or a file. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct HttpPool HttpPool;
typedef struct Transfer Transfer;
typedef struct TransferOps TransferOps;
typedef struct TransferSpec TransferSpec;
typedef struct Url Url;
typedef struct sd_event sd_event;

/* Everything is borrowed for the call. */
struct TransferSpec {
        const char *url;
        char *const *headers; /* "Name: value" */
        const char *post;     /* a form; NULL: GET */
        const char *proxy;    /* NULL or "": none */
        unsigned proxy_port;  /* 0: as the proxy's URL says */
        const char *resolve;  /* "host:port:address,…"; NULL: the host is an address */
        const char *ca_file;  /* NULL: the host's own list */
        const char *cert_file;
        const char *key_file;
        bool insecure;
        uint64_t timeout_ms; /* of all of it; 0: as long as bytes come */
        const char *user_agent;
};

struct TransferOps {
        /* A piece of the answer's body: how much was taken, all of it; -EAGAIN: it comes again after transfer_continue(); another negative errno ends
         * the transfer with it. The transfer may not be freed in here. */
        ssize_t (*on_data)(Transfer *t, const void *data, size_t size, void *userdata);
        /* Once, the last call. r < 0: it ended without a whole answer, e says why. */
        void (*on_done)(Transfer *t, int r, const Error *e, void *userdata);
};

int http_pool_new(sd_event *e, HttpPool **ret);
HttpPool *http_pool_free(HttpPool *c); /* after all transfers */
DEFINE_CLEANUP(HttpPool *, http_pool_free);

int transfer_start(HttpPool *c, const TransferSpec *spec, const TransferOps *ops, void *userdata,
        Transfer **ret);
Transfer *transfer_free(Transfer *t);
void transfer_continue(Transfer *t);
unsigned transfer_status(const Transfer *t); /* of HTTP; 0: no answer */
/* The i-th header of that name in the answer, NULL: there is none. Valid until the next call. */
const char *transfer_header(Transfer *t, const char *name, size_t i);

struct Url {
        char *scheme; /* http, https */
        char *host;   /* IPv6 addresses without brackets */
        unsigned port;
};

/* base may be NULL; else location is seen from there. Only http and https, without user and password: -EINVAL for others. */
int url_join(const char *base, const char *location, char **ret);
int url_parse(const char *url, Url *ret);
void url_done(Url *u);
bool url_same_origin(const Url *a, const Url *b);
/* url?name=value&…, escaped; pairs NULL-terminated, a NULL value is left out. */
int url_query(const char *url, const char *const *pairs, char **ret);
/* The same as a form's body. */
int url_form(const char *const *pairs, char **ret);
