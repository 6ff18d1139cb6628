/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
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

        *s = (FdSource) { .fd = fd, .cancel_fd = -EBADF };
        s->buffer = new (char, FD_SOURCE_BUFFER);
        return s->buffer ? 0 : -ENOMEM;
}

void fd_source_done(FdSource *s) {
        assert(s);

        s->buffer = mfree(s->buffer);
}

/* Waits for input; needed for a socket that is non-blocking, and to hear of the end. */
static int fd_source_wait(const FdSource *s) {
        struct pollfd p[2] = {
                { .fd = s->fd, .events = POLLIN },
                { .fd = s->cancel_fd, .events = POLLIN }, /* negative: not looked at */
        };

        while (poll(p, ARRAY_SIZE(p), -1) < 0)
                if (errno != EINTR)
                        return -errno;

        return p[1].revents ? -ECANCELED : 0;
}

static int fd_source_next(void *userdata, const void **ret_data, size_t *ret_size) {
        FdSource *s = userdata;
        ssize_t n;
        int r;

        do {
                r = fd_source_wait(s);
                if (r < 0)
                        return r;
                n = read(s->fd, s->buffer, FD_SOURCE_BUFFER);
        } while (n < 0 && (errno == EINTR || errno == EAGAIN));
        if (n < 0)
                return -errno;
        if (n == 0)
                return 0;

        s->n_read += (uint64_t) n;
        *ret_data = s->buffer;
        *ret_size = (size_t) n;
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

        *ret_data = (const char *) s->data + s->position;
        *ret_size = n;
        s->position += n;
        return 1;
}

ByteSource memory_source(MemorySource *s) {
        return (ByteSource) { memory_source_next, s };
}
