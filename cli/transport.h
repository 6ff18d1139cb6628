/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A byte stream to the engine: a unix socket, TCP, TLS, or the pipe of an ssh client. Never blocks after it is open. One owner, who closes it. Only TLS
 * needs libcurl, which is loaded then and not before: with its thirty libraries it would cost each command more time than the command itself. */

#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Endpoint Endpoint;
typedef struct Transport Transport;
typedef struct TransportTls TransportTls;

/* Waits until it is connected. ERROR_UNAVAILABLE with docker's words. */
int transport_open(const Endpoint *e, Transport **ret, Error *reterr);
Transport *transport_free(Transport *t);
DEFINE_CLEANUP(Transport *, transport_free);

int transport_fd(const Transport *t); /* for poll(), after transport_read() said -EAGAIN */
/* 0: end; -EAGAIN: nothing now. */
ssize_t transport_read(Transport *t, void *buffer, size_t size);
ssize_t transport_write(Transport *t, const void *data, size_t size);
/* Half close: the engine reads an end, we still read its answer. */
int transport_end_write(Transport *t);

/* ---- transport-tls.c ---- */

/* ret_fd stays the property of the TransportTls. */
int transport_tls_open(const Endpoint *e, TransportTls **ret, int *ret_fd, Error *reterr);
TransportTls *transport_tls_free(TransportTls *t);
ssize_t transport_tls_read(TransportTls *t, void *buffer, size_t size);
ssize_t transport_tls_write(TransportTls *t, const void *data, size_t size);
int transport_tls_end_write(TransportTls *t); /* TLS's own farewell, as docker's client says it */
