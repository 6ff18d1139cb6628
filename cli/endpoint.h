/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where an engine is: what -H, DOCKER_HOST and contexts say, taken apart. Pure: no connection is made here. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

#define ENDPOINT_DEFAULT "unix:///run/docker.sock"

typedef enum EndpointScheme {
        ENDPOINT_UNIX,
        ENDPOINT_TCP,
        ENDPOINT_SSH,
} EndpointScheme;

typedef struct Endpoint Endpoint;

struct Endpoint {
        EndpointScheme scheme;
        char *shown; /* for people: "unix:///run/docker.sock" */
        char *host;  /* unix: the socket's path; tcp, ssh: name or address, IPv6 without brackets */
        char *port;  /* tcp; ssh: NULL when not given */
        char *user;  /* ssh: NULL when not given */
        char *path;  /* ssh: the socket on the other side, NULL: its default */
        bool tls;    /* tcp only */
        bool verify; /* the server's certificate must be good for the name */
        char *ca, *cert, *key; /* files; NULL: none */
};

/* "unix:///path", "tcp://host:port", "host:port", "ssh://user@host:port/path"; "" and NULL: ENDPOINT_DEFAULT. tls chooses tcp's port when none is
 * given (2376, else 2375). *ret is empty memory; ERROR_INVALID with docker's words. */
int endpoint_parse(const char *text, bool tls, Endpoint *ret, Error *reterr);
void endpoint_done(Endpoint *e);

/* Command line of the ssh client that reaches the engine: ssh … docker system dial-stdio. */
int endpoint_ssh_command(const Endpoint *e, char ***ret);
