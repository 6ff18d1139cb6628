/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/poller.h"

#include <errno.h>
#include <limits.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"

int poller_init(Poller *p) {
        *p = (Poller) { .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
        list_init(&p->timers);
        return p->epoll_fd < 0 ? -errno : 0;
}

void poller_done(Poller *p) {
        p->epoll_fd = fd_close(p->epoll_fd);
}

int poller_watch(
        Poller *p, Watch *w, int fd, uint32_t events, watch_ready_t on_ready, void *userdata) {
        struct epoll_event e = { .events = events, .data.ptr = w };

        assert(!w->on_ready);

        if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
                return -errno;
        *w = (Watch) { .fd = fd, .on_ready = on_ready, .userdata = userdata };
        return 0;
}

void poller_unwatch(Poller *p, Watch *w) {
        if (!w->on_ready)
                return;
        (void) epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
        *w = (Watch) { .fd = -EBADF };
}

void poller_timer(Poller *p, Timer *t, uint64_t usec, timer_elapsed_t on_elapsed, void *userdata) {
        t->deadline = usec_add(clock_monotonic_us(), usec);
        t->on_elapsed = on_elapsed;
        t->userdata = userdata;
        if (!list_node_linked(&t->node))
                list_append(&p->timers, &t->node);
}

void poller_timer_stop(Poller *p, Timer *t) {
        list_remove(&t->node);
        *t = (Timer) {};
}

static Timer *poller_next_timer(const Poller *p) {
        Timer *next = NULL, *t;

        LIST_FOREACH (t, &p->timers, node)
                if (!next || t->deadline < next->deadline)
                        next = t;
        return next;
}

/* Milliseconds, rounded up: 0 would spin until the last part of one is over. */
static int poller_timeout(const Timer *t) {
        uint64_t now = clock_monotonic_us(), ms;

        if (!t)
                return -1;
        if (t->deadline <= now)
                return 0;
        ms = (t->deadline - now) / USEC_PER_MSEC + 1;
        return ms > INT_MAX ? INT_MAX : (int) ms;
}

int poller_run(Poller *p) {
        while (!p->stop) {
                Timer *t = poller_next_timer(p);
                struct epoll_event e;
                int n;

                /* One at a time: what a callback takes out of the poller can then not come up any more. */
                n = epoll_wait(p->epoll_fd, &e, 1, poller_timeout(t));
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        const Watch *w = e.data.ptr;

                        w->on_ready(w->userdata, e.events);
                }

                t = poller_next_timer(p);
                if (t && t->deadline <= clock_monotonic_us()) {
                        timer_elapsed_t on_elapsed = t->on_elapsed;
                        void *userdata = t->userdata;

                        poller_timer_stop(p, t);
                        on_elapsed(userdata);
                }
        }
        return 0;
}

void poller_stop(Poller *p) {
        p->stop = true;
}
