/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/stream.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "rest/request.h"

struct Stream {
        unsigned n_ref;
        Buffer buffer;
        bool ended;
        bool gone;
        bool cut;
        bool was_full;
        stream_callback_t on_drain;
        stream_callback_t on_gone;
        void *userdata;
        void (*wake)(void *userdata); /* set while http.c waits for data */
        void *wake_userdata;
};

int stream_new(Request *q, const char *content_type, Stream **ret) {
        Stream *s;

        assert(q);
        assert(content_type);
        assert(ret);

        s = new0(Stream, 1);
        if (!s)
                return -ENOMEM;

        s->n_ref = 2;
        s->buffer.max = STREAM_BUFFER_MAX;

        response_done(&q->response);
        q->response.status = 200;
        q->response.content_type = content_type;
        q->response.stream = s;

        *ret = s;
        return 0;
}

Stream *stream_ref(Stream *s) {
        assert(s);
        assert(s->n_ref > 0);

        s->n_ref++;
        return s;
}

Stream *stream_unref(Stream *s) {
        if (!s)
                return NULL;

        assert(s->n_ref > 0);
        if (--s->n_ref > 0)
                return NULL;

        buffer_done(&s->buffer);
        return mfree(s);
}

void stream_set_callbacks(
        Stream *s, stream_callback_t on_drain, stream_callback_t on_gone, void *userdata) {
        assert(s);

        s->on_drain = on_drain;
        s->on_gone = on_gone;
        s->userdata = userdata;
}

static void stream_wake(Stream *s) {
        void (*wake)(void *) = TAKE_PTR(s->wake);

        if (wake)
                wake(s->wake_userdata);
}

int stream_write(Stream *s, const void *data, size_t size) {
        int r;

        assert(s);
        assert(!s->ended);

        if (s->gone)
                return -EPIPE;

        r = buffer_append(&s->buffer, data, size);
        if (r == -EFBIG) {
                /* Whoever does not read 16 MiB of what he asked for is not there any more. */
                stream_gone(s);
                stream_wake(s);
                return -ENOBUFS;
        }
        if (r < 0)
                return r;

        if (buffer_size(&s->buffer) >= STREAM_BUFFER_HIGH)
                s->was_full = true;

        stream_wake(s);
        return 0;
}

int stream_write_string(Stream *s, const char *text) {
        return stream_write(s, text, strlen(text));
}

bool stream_is_full(const Stream *s) {
        assert(s);

        return buffer_size(&s->buffer) >= STREAM_BUFFER_HIGH;
}

bool stream_is_gone(const Stream *s) {
        assert(s);

        return s->gone;
}

void stream_end(Stream *s) {
        assert(s);

        s->ended = true;
        s->on_drain = NULL;
        s->on_gone = NULL;
        stream_wake(s);
}

void stream_cut(Stream *s) {
        assert(s);

        s->cut = true;
        stream_end(s);
}

ptrdiff_t stream_read(Stream *s, char *data, size_t max) {
        size_t n;

        assert(s);

        if (s->gone)
                return -1;

        n = MIN(buffer_size(&s->buffer), max);
        if (n == 0)
                return !s->ended ? 0 : s->cut ? -2 : -1;

        memcpy(data, buffer_head(&s->buffer), n);
        buffer_consume(&s->buffer, n);

        if (s->was_full && buffer_size(&s->buffer) < STREAM_BUFFER_LOW) {
                s->was_full = false;
                if (s->on_drain)
                        s->on_drain(s, s->userdata);
        }

        return (ptrdiff_t) n;
}

void stream_gone(Stream *s) {
        stream_callback_t on_gone;

        assert(s);

        if (s->gone)
                return;

        s->gone = true;
        on_gone = TAKE_PTR(s->on_gone);
        s->on_drain = NULL;
        if (on_gone && !s->ended)
                on_gone(s, s->userdata);
}

void stream_set_wake(Stream *s, void (*wake)(void *userdata), void *userdata) {
        assert(s);

        s->wake = wake;
        s->wake_userdata = userdata;
}
