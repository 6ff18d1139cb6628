/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* HTTP/1.1 as a client, over one Transport: requests one after another, the body of an answer while it comes, and what is left of the connection when
 * the engine gives it away (101). Headers have limits. One owner. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Endpoint Endpoint;
typedef struct Http Http;

int http_open(const Endpoint *e, Http **ret, Error *reterr);
Http *http_free(Http *h);
DEFINE_CLEANUP(Http *, http_free);

/* "Name: value" each, NULL-terminated; content: the body, NULL for none. Waits until it is sent. -EPIPE and -ECONNRESET: the engine closed. */
int http_request(Http *h, const char *method, const char *path, char *const *headers,
        const char *content, size_t size);
/* The same with a body of unknown size from fd, to its end; stops early when the engine answers before. */
int http_request_from(
        Http *h, const char *method, const char *path, char *const *headers, int body_fd);

/* A body that is made piece by piece: begin, then each piece (1: the engine has answered already and reads no more; so has it for all that
 * follows), then the end. */
int http_upload_begin(Http *h, const char *method, const char *path, char *const *headers);
int http_upload(Http *h, const void *data, size_t size);
int http_upload_end(Http *h);

/* Waits for the head of the answer: its status. -ECONNRESET: the engine closed before a byte of it, -EPROTO: that is no HTTP. head: the method was HEAD. */
int http_answer(Http *h, bool head);
/* Of the last answer; NULL: not there. Name in lower case. */
const char *http_header(const Http *h, const char *name);
/* The body: how many, 0 at its end, -EAGAIN when nothing is there and wait is false. */
ssize_t http_read(Http *h, void *buffer, size_t size, bool wait);
/* The body was read to its end, and the engine keeps the connection. */
bool http_is_reusable(const Http *h);

/* From here on http_read() gives the raw bytes until the engine ends, and the following may be used. */
void http_upgrade(Http *h);
int http_fd(const Http *h);
ssize_t http_write(Http *h, const void *data, size_t size); /* -EAGAIN */
int http_end_write(Http *h);
