/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/macro.h"

int byte_source_drain(const ByteSource *s) {
        assert(s);

        for (;;) {
                const void *data;
                size_t size;
                int r;

                r = byte_source_next(s, &data, &size);
                if (r <= 0)
                        return r;
        }
}

int fd_source_init(FdSource *s, int fd) {
        assert(s);
        assert(fd >= 0);

        *s = (FdSource) { .fd = fd };
        s->buffer = new (char, FD_SOURCE_BUFFER);
        return s->buffer ? 0 : -ENOMEM;
}

void fd_source_done(FdSource *s) {
        assert(s);

        s->buffer = mfree(s->buffer);
}

static int fd_source_next(void *userdata, const void **ret_data, size_t *ret_size) {
        FdSource *s = userdata;
        ssize_t n;

        for (;;) {
                n = read(s->fd, s->buffer, FD_SOURCE_BUFFER);
                if (n >= 0)
                        break;

                if (errno == EAGAIN) { /* a socket that the daemon left non-blocking */
                        int r = fd_wait(s->fd, POLLIN, UINT64_MAX);
                        if (r < 0)
                                return r;
                } else if (errno != EINTR)
                        return -errno;
        }

        if (n == 0)
                return 0;

        s->n_read += (uint64_t)n;
        *ret_data = s->buffer;
        *ret_size = (size_t)n;
        return 1;
}

ByteSource fd_source(FdSource *s) {
        return (ByteSource) { fd_source_next, s };
}

static int memory_source_next(void *userdata, const void **ret_data, size_t *ret_size) {
        MemorySource *s = userdata;
        size_t n = s->size - s->position;

        if (n == 0)
                return 0;
        if (s->step > 0)
                n = MIN(n, s->step);

        *ret_data = (const char *)s->data + s->position;
        *ret_size = n;
        s->position += n;
        return 1;
}

ByteSource memory_source(MemorySource *s) {
        return (ByteSource) { memory_source_next, s };
}
