/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/websocket.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"

#define BIT_FIN     0x80U
#define BITS_RSV    0x70U
#define BITS_OPCODE 0x0fU
#define BIT_CONTROL 0x08U /* in an opcode */
#define BIT_MASK    0x80U
#define BITS_SIZE   0x7fU
#define SIZE_16     126U
#define SIZE_64     127U
#define MASK_SIZE   4U

/* ---- writing ---- */

int websocket_append(Buffer *b, WebsocketOpcode opcode, const void *data, size_t size) {
        unsigned char head[WEBSOCKET_HEAD_MAX];
        size_t n = 2;
        int r;

        head[0] = (unsigned char) (BIT_FIN | (unsigned) opcode);
        if (size < SIZE_16)
                head[1] = (unsigned char) size;
        else if (size <= UINT16_MAX) {
                uint16_t be = htobe16((uint16_t) size);

                head[1] = SIZE_16;
                memcpy(head + n, &be, sizeof be);
                n += sizeof be;
        } else {
                uint64_t be = htobe64(size);

                head[1] = SIZE_64;
                memcpy(head + n, &be, sizeof be);
                n += sizeof be;
        }
        r = buffer_append(b, head, n);
        return r < 0 ? r : buffer_append(b, data, size);
}

int websocket_append_close(Buffer *b, unsigned status) {
        uint16_t be = htobe16((uint16_t) status);

        return websocket_append(
                b, WEBSOCKET_CLOSE, &be, status == WEBSOCKET_STATUS_NONE ? 0 : sizeof be);
}

/* ---- reading ---- */

static unsigned opcode_of(const WebsocketReader *w) {
        return w->head[0] & BITS_OPCODE;
}

static bool is_control(const WebsocketReader *w) {
        return opcode_of(w) & BIT_CONTROL;
}

/* How long the head is, as far as can be told. */
static size_t head_size(const WebsocketReader *w) {
        size_t n = 2;

        if (w->n_head < 2)
                return n;
        if ((w->head[1] & BITS_SIZE) == SIZE_16)
                n += sizeof(uint16_t);
        else if ((w->head[1] & BITS_SIZE) == SIZE_64)
                n += sizeof(uint64_t);
        return n + MASK_SIZE;
}

/* What the first two bytes promise; later is too late, since the rest of the head may never come. */
static int check_start(const WebsocketReader *w) {
        unsigned opcode = opcode_of(w);

        if ((w->head[0] & BITS_RSV) || !(w->head[1] & BIT_MASK))
                return -EPROTO;
        if (is_control(w))
                return opcode > WEBSOCKET_PONG || !(w->head[0] & BIT_FIN) ||
                                       (w->head[1] & BITS_SIZE) > WEBSOCKET_CONTROL_MAX
                             ? -EPROTO
                             : 0;
        if (opcode > WEBSOCKET_BINARY)
                return -EPROTO;
        return (opcode == WEBSOCKET_CONTINUATION) == w->in_message ? 0 : -EPROTO;
}

/* The size in the shortest form that holds it, as the RFC wants it. */
static int read_size(const WebsocketReader *w, uint64_t *ret) {
        unsigned size = w->head[1] & BITS_SIZE;
        uint16_t be16;
        uint64_t be64;

        if (size == SIZE_16) {
                memcpy(&be16, w->head + 2, sizeof be16);
                *ret = be16toh(be16);
                return *ret < SIZE_16 ? -EPROTO : 0;
        }
        if (size == SIZE_64) {
                memcpy(&be64, w->head + 2, sizeof be64);
                *ret = be64toh(be64);
                return *ret <= UINT16_MAX || *ret > INT64_MAX ? -EPROTO : 0;
        }
        *ret = size;
        return 0;
}

/* Status words that may be on the wire. */
static bool is_status(unsigned status) {
        return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) ||
               (status >= 3000 && status <= 4999);
}

static int on_close(WebsocketReader *w, size_t size, Buffer *answer) {
        unsigned status = WEBSOCKET_STATUS_NONE;
        int r;

        if (size > 0) {
                status = (unsigned) w->control[0] << 8 | w->control[1];
                if (size == 1 || !is_status(status))
                        return -EPROTO;
        }
        w->closed = true;
        r = websocket_append_close(answer, status);
        return r < 0 ? r : 1;
}

static int on_frame_end(WebsocketReader *w, Buffer *answer) {
        bool final = w->head[0] & BIT_FIN;
        size_t size = (size_t) w->position;

        w->in_payload = false;
        w->n_head = 0;
        switch (opcode_of(w)) {
        case WEBSOCKET_CLOSE:
                return on_close(w, size, answer);
        case WEBSOCKET_PING:
                return websocket_append(answer, WEBSOCKET_PONG, w->control, size);
        case WEBSOCKET_PONG:
                return 0;
        default:
                w->in_message = !final;
                return 0;
        }
}

/* More of the head. How much was taken. */
static int take_head(WebsocketReader *w, const unsigned char *data, size_t size, size_t *ret) {
        size_t n = MIN(size, head_size(w) - w->n_head);
        int r = 0;

        memcpy(w->head + w->n_head, data, n);
        w->n_head += n;
        *ret = n;
        if (w->n_head == 2)
                r = check_start(w);
        if (r >= 0 && w->n_head > 2 && w->n_head == head_size(w)) {
                r = read_size(w, &w->left);
                w->position = 0;
                w->in_payload = true;
        }
        return r;
}

static int take_payload(
        WebsocketReader *w, const unsigned char *data, size_t size, Buffer *ret_data, size_t *ret) {
        const unsigned char *mask = w->head + w->n_head - MASK_SIZE;
        size_t n = w->left < size ? (size_t) w->left : size;
        char *to = (char *) w->control;
        int r;

        *ret = n;
        if (n == 0)
                return 0;
        if (is_control(w))
                to += w->position;
        else {
                r = buffer_reserve(ret_data, n, &to);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++)
                to[i] = (char) (data[i] ^ mask[(w->position + i) % MASK_SIZE]);
        if (!is_control(w))
                buffer_commit(ret_data, n);
        w->position += n;
        w->left -= n;
        return 0;
}

int websocket_read(
        WebsocketReader *w, const void *data, size_t size, Buffer *ret_data, Buffer *answer) {
        const unsigned char *p = data;
        int r = 0;

        if (w->closed)
                return 1;
        while (r == 0 && (size > 0 || (w->in_payload && w->left == 0))) {
                size_t n = 0;

                if (!w->in_payload)
                        r = take_head(w, p, size, &n);
                else if (w->left > 0)
                        r = take_payload(w, p, size, ret_data, &n);
                else
                        r = on_frame_end(w, answer);
                p += n;
                size -= n;
        }
        if (r == -EPROTO) {
                w->closed = true;
                if (websocket_append_close(answer, WEBSOCKET_STATUS_PROTOCOL) < 0)
                        return -ENOMEM;
        }
        return r;
}
