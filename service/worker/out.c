/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/out.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "service/worker/task.h"

static int out_wait(const Out *o) {
        struct pollfd fds[] = {
                { .fd = o->fd, .events = POLLOUT },
                { .fd = o->context->cancel_fd, .events = POLLIN },
        };

        while (poll(fds, ARRAY_SIZE(fds), -1) < 0)
                if (errno != EINTR)
                        return -errno;
        return fds[1].revents ? -ECANCELED : 0;
}

static int out_write(void *userdata, const void *data, size_t size) {
        const Out *o = userdata;
        const char *p = data;

        while (size > 0) {
                ssize_t n;
                int r;

                n = write(o->fd, p, size);
                if (n >= 0) {
                        p += n;
                        size -= (size_t) n;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                r = out_wait(o);
                if (r < 0)
                        return r;
        }

        return task_cancelled(o->context) ? -ECANCELED : 0;
}

ByteSink out_sink(Out *o) {
        /* Its reader has its own end; nobody else writes. */
        (void) fd_set_nonblock(o->fd, true);
        return (ByteSink) { out_write, o };
}
