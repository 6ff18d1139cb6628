/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How the output of a container travels to a client: bare; in Docker's multiplexed stream, an 8 byte header (stream, 0, 0, 0, size as big-endian
 * uint32) before each piece; or in messages of a WebSocket, which do not tell the streams apart. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Buffer Buffer;

#define FRAME_HEADER_SIZE 8

enum {
        FRAME_STDIN = 0,
        FRAME_STDOUT = 1,
        FRAME_STDERR = 2,
        FRAME_SYSTEM_ERROR = 3, /* text of a failure on the daemon's side */
};

typedef enum StreamFraming {
        STREAM_BARE,
        STREAM_FRAMES,
        STREAM_WEBSOCKET,      /* binary messages */
        STREAM_WEBSOCKET_TEXT, /* what the API before 1.28 has */
} StreamFraming;

static inline bool stream_is_websocket(StreamFraming f) {
        return f == STREAM_WEBSOCKET || f == STREAM_WEBSOCKET_TEXT;
}

void frame_header(uint8_t header[static FRAME_HEADER_SIZE], uint8_t stream, uint32_t size);

/* A piece of a stream as the client gets it. size fits into 32 bits. -ENOMEM, -EFBIG. */
int stream_frame_append(
        Buffer *b, StreamFraming framing, uint8_t stream, const void *data, size_t size);
/* What comes before an end that is meant: a WebSocket is closed; nothing else has such a word. */
int stream_frame_append_end(Buffer *b, StreamFraming framing);
