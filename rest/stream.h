/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Stream is a chunked answer that is fed from the event loop for as long as somebody has something to say: logs, events, progress, wait.
 * Reference counted: the handler's side holds one reference and http.c one. Headers are sent at once. What is written waits in a
 * buffer until the client takes it; a writer that can wait asks stream_is_full() and goes on when on_drain is called. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/macro.h"

#define STREAM_BUFFER_HIGH (256U * 1024)       /* full beyond */
#define STREAM_BUFFER_LOW  (64U * 1024)        /* on_drain below */
#define STREAM_BUFFER_MAX  (16U * 1024 * 1024) /* a client that does not read is dropped beyond */

typedef struct Request Request;
typedef struct Stream Stream;

typedef void (*stream_callback_t)(Stream *s, void *userdata);

/* Makes the response of q a stream with status 200. content_type is static text. */
int stream_new(Request *q, const char *content_type, Stream **ret);
Stream *stream_ref(Stream *s);
Stream *stream_unref(Stream *s);
DEFINE_CLEANUP(Stream *, stream_unref);

/* on_gone: the client left or was dropped (not called after stream_end()); on_drain: there is room again. Either may be NULL. */
void stream_set_callbacks(
        Stream *s, stream_callback_t on_drain, stream_callback_t on_gone, void *userdata);

/* -EPIPE: the client is gone. -ENOBUFS: it does not read, it is dropped. */
int stream_write(Stream *s, const void *data, size_t size);
int stream_write_string(Stream *s, const char *text);
bool stream_is_full(const Stream *s);
bool stream_is_gone(const Stream *s); /* no callback comes any more */
/* Nothing more comes; what is buffered is still sent. */
void stream_end(Stream *s);

/* The same for an answer that failed: the connection breaks off behind what is buffered, so that nobody takes it for whole. */
void stream_cut(Stream *s);

/* For http.c: takes up to max bytes; 0: nothing there now (the connection was suspended), -1: end, -2: end of one that failed. */
ptrdiff_t stream_read(Stream *s, char *data, size_t max);
void stream_gone(Stream *s);
void stream_set_wake(Stream *s, void (*wake)(void *userdata), void *userdata);
