/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/stream-frame.h"

#include <endian.h>
#include <string.h>

#include "lib/api/websocket.h"
#include "lib/base/buffer.h"

void frame_header(uint8_t header[static FRAME_HEADER_SIZE], uint8_t stream, uint32_t size) {
        uint32_t be = htobe32(size);

        memset(header, 0, FRAME_HEADER_SIZE);
        header[0] = stream;
        memcpy(header + 4, &be, sizeof be);
}

int stream_frame_append(
        Buffer *b, StreamFraming framing, uint8_t stream, const void *data, size_t size) {
        uint8_t head[FRAME_HEADER_SIZE];
        int r;

        if (stream_is_websocket(framing))
                return websocket_append(b,
                        framing == STREAM_WEBSOCKET ? WEBSOCKET_BINARY : WEBSOCKET_TEXT, data,
                        size);
        if (framing == STREAM_FRAMES) {
                frame_header(head, stream, (uint32_t) size);
                r = buffer_append(b, head, sizeof head);
                if (r < 0)
                        return r;
        }
        return buffer_append(b, data, size);
}

int stream_frame_append_end(Buffer *b, StreamFraming framing) {
        return stream_is_websocket(framing) ? websocket_append_close(b, WEBSOCKET_STATUS_NORMAL)
                                            : 0;
}
