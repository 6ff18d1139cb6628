/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The REST side of the command line: one connection to the engine, kept for all requests of a command. Hosts: unix:///path (DOCKER_HOST or -H);
 * without any, unix:///run/docker.sock. */

#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Json Json;
typedef struct RestClient RestClient;

#define REST_CLIENT_API "v1.51"

int rest_client_new(const char *host, RestClient **ret, Error *reterr);
RestClient *rest_client_free(RestClient *c);
DEFINE_CLEANUP(RestClient *, rest_client_free);

/* "/containers/" … with query pairs (name, value, …, NULL; a NULL value is left out) escaped. NULL when out of memory. */
char *rest_path(const char *const *parts, const char *const *query);
#define REST_PATH(...)  ((const char *const[]) { __VA_ARGS__, NULL })
#define REST_QUERY(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* One exchange with JSON both ways; body and ret may be NULL. An answer of 400 and above becomes an Error of its kind with the engine's text;
 * 304 gives 1. */
int rest_call(
        RestClient *c, const char *method, const char *path, Json *body, Json **ret, Error *reterr);

/* The answer's bytes as they come. A negative return of on_data ends the exchange with it. */
typedef int (*rest_data_t)(const char *data, size_t size, void *userdata);

/* body_fd: sent as the request's body (chunked) when >= 0. */
int rest_stream(RestClient *c, const char *method, const char *path, int body_fd,
        rest_data_t on_data, void *userdata, Error *reterr);
