/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/linger.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/event/loop.h"

typedef struct Linger {
        ListNode node;
        int fd;
        size_t n_read;
        sd_event_source *io;
        sd_event_source *timer;
} Linger;

static Linger *linger_free(Linger *l) {
        if (!l)
                return NULL;

        list_remove(&l->node);
        l->io = loop_source_free(l->io);
        l->timer = loop_source_free(l->timer);
        (void) fd_close(l->fd);
        return mfree(l);
}
DEFINE_CLEANUP(Linger *, linger_free);

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Linger *l = userdata;
        char buffer[16384];
        ssize_t n;

        n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0 && (l->n_read += (size_t) n) < LINGER_SIZE_MAX)
                return 0;
        linger_free(l);
        return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        linger_free(userdata);
        return 0;
}

int linger_new(sd_event *event, List *lingers, int fd) {
        _cleanup_(linger_freep) Linger *l = NULL;
        size_t n = 0;
        Linger *other;
        int r;

        LIST_FOREACH (other, lingers, node)
                n++;
        if (n >= LINGERS_MAX)
                return -EBUSY;

        l = new0(Linger, 1);
        if (!l)
                return -ENOMEM;
        l->fd = fd_dup(fd);
        if (l->fd < 0)
                return l->fd;
        (void) shutdown(l->fd, SHUT_WR);
        r = loop_io(event, l->fd, EPOLLIN, LOOP_REQUEST, "rest-linger", on_readable, l, &l->io);
        if (r >= 0)
                r = loop_timer(
                        event, LINGER_USEC, LOOP_REQUEST, "rest-linger-end", on_time, l, &l->timer);
        if (r < 0)
                return r;

        list_append(lingers, &l->node);
        TAKE_PTR(l);
        return 0;
}

void lingers_free(List *lingers) {
        Linger *l;

        LIST_FOREACH_SAFE (l, lingers, node)
                linger_free(l);
}
