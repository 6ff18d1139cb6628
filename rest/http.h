/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* libmicrohttpd inside our event loop: one daemon per listening socket, driven by its epoll fd, no thread. Connections are suspended
 * while their answer is under way. Owned by Rest. */

#include "lib/base/error.h"
#include "lib/base/macro.h"

#define HTTP_CONNECTIONS_MAX       1024U
#define HTTP_MEMORY_PER_CONNECTION (64U * 1024)
#define HTTP_IDLE_TIMEOUT_SEC      300U

typedef struct Auth Auth;
typedef struct Engine Engine;
typedef struct Http Http;
typedef struct Request Request;
typedef struct Tls Tls;

/* listen_fd: a listening stream socket; moved. tls (borrowed, or NULL) is for TCP sockets only. Whoever comes by TCP is as good as root: with
 * tls->verify he has shown a certificate, without it the administrator has left the door open. */
int http_new(Engine *e, Auth *auth, int listen_fd, const Tls *tls, Http **ret, Error *reterr);
Http *http_free(Http *h);
DEFINE_CLEANUP(Http *, http_free);

/* For request.c and stream.c: the connection may go on. */
void http_resume(Request *q);
Auth *http_auth(Http *h);
