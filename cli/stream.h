/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The foreground of attach, exec and run: one loop over our stdin, stdout and stderr, the hijacked connection, the answer of a waiting request, and the
 * signals of our own process, which go to the container or end us with the terminal restored. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/detach-keys.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"

typedef struct Hijack Hijack;
typedef struct Http Http;
typedef struct RestClient RestClient;

/* Frames of the multiplexed stream, taken apart as bytes come. Pure. */
typedef struct Demux {
        uint8_t head[8];
        size_t n_head;
        uint32_t left;
} Demux;

#define DEMUX_STDOUT 1
#define DEMUX_STDERR 2
#define DEMUX_ERROR  3 /* text of the engine, not of the container */

/* The next piece of a frame's payload inside *data, which moves on. The stream it belongs to; 0: *data is used up; -EPROTO. */
int demux_next(Demux *d, const char **data, size_t *size, const char **ret, size_t *ret_size);

typedef struct Stream {
        RestClient *client;
        const char *object; /* "/containers/ID" or "/exec/ID": resized, killed */
        Hijack *hijack;     /* NULL: only wait */
        Http *wait;         /* NULL: the end of the hijacked connection is the end */
        bool input, output; /* our stdin is read; anything is written */
        bool tty;
        bool proxy; /* signals go to the object */
        DetachKeys keys;
        bool no_detach;

        /* of the loop */
        int signal_fd;
        Demux demux;
        Buffer to_engine, to_stdout, to_stderr, answer;
        bool input_ended, sent_end, hijack_ended, wait_ended;
} Stream;

#define STREAM_INIT ((Stream) { .signal_fd = -EBADF })

/* From here on signals wait for the loop. */
int stream_catch_signals(Stream *s);
/* Tells the object how big our terminal is; 1 told, 0 we have none. */
int stream_resize(Stream *s);
/* 0: all is over; 1: the user detached. ERROR_* otherwise. */
int stream_run(Stream *s, Error *reterr);
/* The exit status in the answer of wait, after stream_run(); an error in it is an Error. */
int stream_exit_status(const Stream *s, Error *reterr);
void stream_done(Stream *s);
