/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "lib/api/websocket.h"
#include "lib/base/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In pieces of the given size. */
static int feed(const uint8_t *data, size_t size, size_t step, Buffer *out, Buffer *answer) {
        WebsocketReader w = {};
        int r = 0;

        for (size_t at = 0; r == 0 && at < size; at += step)
                r = websocket_read(&w, data + at, MIN(step, size - at), out, answer);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(buffer_done) Buffer out = {}, answer = {}, out_bytes = {}, answer_bytes = {};
        int r;

        r = feed(data, size, size + 1, &out, &answer);
        assert(r == 0 || r == 1 || r == -EPROTO || r == -ENOMEM);
        assert(buffer_size(&out) <= size && buffer_size(&answer) <= size + 4);

        /* how it was cut on its way makes no difference */
        assert(feed(data, size, 1, &out_bytes, &answer_bytes) == r || r == -ENOMEM);
        assert(buffer_size(&out_bytes) == buffer_size(&out) &&
                buffer_size(&answer_bytes) == buffer_size(&answer));
        assert(memcmp(buffer_head(&out), buffer_head(&out_bytes), buffer_size(&out)) == 0);
        return 0;
}
