/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The server's side of WebSocket frames (RFC 6455, without extensions) around a stream of bytes: what messages carry is handed on as it comes,
 * so no frame or message is too large and none is kept; whether a client calls it text does not matter, since nobody here reads it as such.
 * Pure: no sockets. The handshake is rest/websocket.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Buffer Buffer;

#define WEBSOCKET_HEAD_MAX    14U
#define WEBSOCKET_CONTROL_MAX 125U /* bytes in a control frame */

typedef enum WebsocketOpcode {
        WEBSOCKET_CONTINUATION = 0,
        WEBSOCKET_TEXT = 1,
        WEBSOCKET_BINARY = 2,
        WEBSOCKET_CLOSE = 8,
        WEBSOCKET_PING = 9,
        WEBSOCKET_PONG = 10,
} WebsocketOpcode;

enum {
        WEBSOCKET_STATUS_NORMAL = 1000,
        WEBSOCKET_STATUS_PROTOCOL = 1002,
        WEBSOCKET_STATUS_NONE = 1005, /* never sent */
};

/* Zeroed memory is one at the beginning. */
typedef struct WebsocketReader {
        unsigned char head[WEBSOCKET_HEAD_MAX];
        size_t n_head;
        uint64_t left;     /* of the frame's payload */
        uint64_t position; /* in it, for the mask */
        bool in_payload;
        bool in_message; /* a message began and its last frame has not come */
        bool closed;
        unsigned char control[WEBSOCKET_CONTROL_MAX];
} WebsocketReader;

/* Takes what a client has sent. What its messages carry is appended to data; frames that must be sent to it (pongs, the answer to its close) to
 * answer, hardly more bytes than came. 1: it has closed, or did before: what comes behind is dropped. -EPROTO: it broke the rules (among them: a
 * client masks), answer has a close frame that says so, and it counts as closed. -ENOMEM, -EFBIG: as the buffers. */
int websocket_read(
        WebsocketReader *w, const void *data, size_t size, Buffer *ret_data, Buffer *answer);

/* A whole frame of ours; those are not masked. */
int websocket_append(Buffer *b, WebsocketOpcode opcode, const void *data, size_t size);
int websocket_append_close(Buffer *b, unsigned status);
