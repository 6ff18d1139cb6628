/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a stauer-fetcher is told, and what is said to it. The daemon sends one FetchSpec, with the credentials, as the first record on descriptor 3,
 * together with one end of a socket; the worker that unpacks has the other end and asks for documents and layers there. So who parses a
 * stranger's bytes has no network and no credentials, and who has both sees no disk: it writes what comes into the descriptor that was sent with the
 * question, and the answer follows when all of it has been written. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/registry-auth.h"
#include "lib/base/macro.h"
#include "lib/json/fields.h"

typedef struct FetchAnswer FetchAnswer;
typedef struct FetchRequest FetchRequest;
typedef struct FetchSpec FetchSpec;

#define FETCH_FD_CHANNEL 3

struct FetchSpec {
        char *domain; /* docker.io, registry.example:5000 */
        char *path;   /* library/alpine */
        char **mirrors;
        char **insecure; /* host[:port] or CIDR */
        char *certs_dir; /* /etc/docker/certs.d */
        char *http_proxy;
        char *https_proxy;
        char *no_proxy;
        unsigned attempts; /* per document or layer */
        char *user_agent;
        RegistryAuth auth;
};

typedef enum FetchKind {
        FETCH_MANIFEST, /* name: tag or digest */
        FETCH_BLOB,     /* name: digest */
        FETCH_TAGS,     /* name: the last tag of the page before, or empty */
        _FETCH_KIND_MAX,
        _FETCH_KIND_INVALID = -22,
} FetchKind;

/* With one descriptor: a pipe or a file, for the bytes. */
struct FetchRequest {
        uint32_t id;
        int kind; /* FetchKind */
        char *name;
        int64_t size; /* exactly so many must come; -1: not known */
        uint64_t max; /* and at most so many */
};

struct FetchAnswer {
        uint32_t id;
        char *note;       /* it goes on: "Retrying in 2 seconds" */
        char *media_type; /* Content-Type without parameters */
        char *digest;     /* Docker-Content-Digest, if it is a digest */
        bool more;        /* of tags: another page follows */
        char *error_kind; /* empty: done */
        char *error;
};

extern const JsonField fetch_spec_fields[];
extern const JsonField fetch_request_fields[];
extern const JsonField fetch_answer_fields[];

void fetch_spec_done(FetchSpec *s);
void fetch_request_done(FetchRequest *q);
void fetch_answer_done(FetchAnswer *a);
