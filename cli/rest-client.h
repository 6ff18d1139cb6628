/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The REST side of the command line: one connection to the engine, kept for all requests of a command. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Endpoint Endpoint;
typedef struct Http Http;
typedef struct Json Json;
typedef struct RestClient RestClient;

/* What we know of the API, and the oldest that we still speak; in between the engine's answer to /_ping decides. */
#define REST_CLIENT_API     "1.51"
#define REST_CLIENT_API_MIN "1.24"

/* Takes what *endpoint holds. headers (strv, "Name: value", copied): sent with every request. api: "1.41": that and no other; NULL: negotiated
 * with the first request. Nothing is connected yet. */
int rest_client_new(
        Endpoint *endpoint, char *const *headers, const char *api, RestClient **ret, Error *reterr);
RestClient *rest_client_free(RestClient *c);
DEFINE_CLEANUP(RestClient *, rest_client_free);

/* A header for the requests that follow: "Name: value"; NULL: no more. For one at a time. */
int rest_client_set_header(RestClient *c, const char *line);

const Endpoint *rest_client_endpoint(const RestClient *c);
char *const *rest_client_headers(const RestClient *c);
/* The version in use, "1.51"; asks the engine when nothing was asked before. Lives as long as the client. */
int rest_client_api(RestClient *c, const char **ret, Error *reterr);
/* Version a is older than b: "1.9" < "1.24". */
bool rest_api_older(const char *a, const char *b) _pure_;

/* "/containers/" … without the version, with query pairs (name, value, …, NULL; a NULL value is left out) escaped. NULL when out of memory. */
char *rest_path(const char *const *parts, const char *const *query);
#define REST_PATH(...)  ((const char *const[]) { __VA_ARGS__, NULL })
#define REST_QUERY(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* One exchange with JSON both ways; body and ret may be NULL. An answer of 400 and above becomes an Error of its kind with the engine's text;
 * 304 gives 1. */
int rest_call(
        RestClient *c, const char *method, const char *path, Json *body, Json **ret, Error *reterr);

/* The answer's bytes as they come. A negative return of on_data ends the exchange with it. */
typedef int (*rest_data_t)(const char *data, size_t size, void *userdata);

/* body_fd: sent as the request's body (chunked) when >= 0; an engine that refuses early is heard. */
int rest_stream(RestClient *c, const char *method, const char *path, int body_fd,
        rest_data_t on_data, void *userdata, Error *reterr);

/* The request's body is what make() writes, to its end; a negative return of it ends the exchange with it, unless the engine has answered before:
 * then write() gives -EPIPE, and the engine's word counts. */
typedef int (*rest_write_t)(void *to, const void *data, size_t size);
typedef int (*rest_make_t)(rest_write_t write, void *to, void *userdata, Error *reterr);
int rest_upload(RestClient *c, const char *method, const char *path, rest_make_t make,
        void *userdata, Error *reterr);

/* One header of the answer to HEAD, name in lower case; *ret NULL: it has none. */
int rest_head(RestClient *c, const char *path, const char *header, char **ret, Error *reterr);

/* A connection of its own for one request, after the head of its answer: the rest is read by http_read() while other calls go on. upgrade: asks for
 * the raw connection, and has it afterwards, whether the engine said 101 or 200. An answer of 400 and above is an Error. */
int rest_open(RestClient *c, const char *method, const char *path, Json *body, bool upgrade,
        Http **ret, Error *reterr);
