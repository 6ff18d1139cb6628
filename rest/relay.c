/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/relay.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/event/loop.h"

#define BUFFER_SIZE (32U * 1024)
#define LAST_USEC   (20 * USEC_PER_MSEC)
#define LAST_QUIET  3U /* times with nothing from libmicrohttpd, which does not tell us an end */

/* From one side to the other. */
typedef struct Way {
        char buffer[BUFFER_SIZE];
        size_t begin;
        size_t end;
        bool ended; /* its source has said all */
        bool over;  /* and the other side knows, or does not listen any more */
} Way;

struct Relay {
        int fds[2]; /* libmicrohttpd's (borrowed), our end of the pair */
        sd_event_source *sources[2];
        sd_event *event;
        int tcp_fd;
        sd_event_source *gone_source;
        sd_event_source *last; /* a timer, when it is gone: its last words */
        unsigned n_quiet;
        Way ways[2]; /* from fds[i] to fds[1 - i] */
        void (*done)(void *userdata);
        void *userdata;
};

Relay *relay_free(Relay *y) {
        if (!y)
                return NULL;

        for (int i = 0; i < 2; i++)
                loop_source_free(y->sources[i]);
        loop_source_free(y->gone_source);
        loop_source_free(y->last);
        fd_close(y->tcp_fd);
        fd_close(y->fds[1]);
        return mfree(y);
}

static void fill(Relay *y, int side) {
        Way *w = y->ways + side;
        ssize_t n;

        if (w->ended || w->end > w->begin)
                return;
        w->begin = w->end = 0;
        n = read(y->fds[side], w->buffer, sizeof(w->buffer));
        if (n > 0) {
                w->end = (size_t) n;
                y->n_quiet = 0;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                w->ended = true;
}

static void drain(Relay *y, int side) {
        Way *w = y->ways + side;
        ssize_t n;

        if (w->over)
                return;
        if (w->end > w->begin) {
                n = send(y->fds[1 - side], w->buffer + w->begin, w->end - w->begin, MSG_NOSIGNAL);
                if (n > 0)
                        w->begin += (size_t) n;
                else if (errno != EAGAIN && errno != EINTR) {
                        w->begin = w->end = 0;
                        w->ended = true;
                }
        }
        if (w->ended && w->end == w->begin) {
                (void) shutdown(y->fds[1 - side], SHUT_WR);
                w->over = true;
        }
}

/* Each side is asked for what can be done there now. */
static void arm(Relay *y) {
        for (int i = 0; i < 2; i++) {
                const Way *in = y->ways + i, *out = y->ways + 1 - i;
                uint32_t events = 0;

                if (!in->ended && in->end == in->begin)
                        events |= EPOLLIN;
                if (!out->over && out->end > out->begin)
                        events |= EPOLLOUT;
                (void) sd_event_source_set_io_events(y->sources[i], events);
                (void) sd_event_source_set_enabled(
                        y->sources[i], events ? SD_EVENT_ON : SD_EVENT_OFF);
        }
}

/* False: that was the end. */
static bool carry(Relay *y) {
        for (int i = 0; i < 2; i++) {
                fill(y, i);
                drain(y, i);
        }

        /* When the receiver has said all that is the end: docker's streams do not outlive their output. */
        if (y->ways[1].over) {
                y->done(y->userdata);
                return false;
        }
        arm(y);
        return true;
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) carry(userdata);
        return 0;
}

static int on_last(sd_event_source *source, uint64_t usec, void *userdata);

/* If nobody can wait for them they are lost, and that is the end, too. */
static void wait_for_last_words(Relay *y) {
        if (loop_timer(y->event, LAST_USEC, LOOP_STREAM, "rest-relay-last", on_last, y, &y->last) <
                0)
                y->done(y->userdata);
}

static int on_last(sd_event_source *source, uint64_t usec, void *userdata) {
        Relay *y = userdata;
        const Way *w = &y->ways[0];

        y->n_quiet++;
        if (!carry(y))
                return 0;
        if (w->end > w->begin)
                y->n_quiet = 0;
        if (y->n_quiet < LAST_QUIET && !w->over)
                wait_for_last_words(y);
        else
                y->done(y->userdata);
        return 0;
}

/* What it had said before is still carried. */
static int on_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        wait_for_last_words(userdata);
        return 0;
}

int relay_new(sd_event *event, int fd, int tcp_fd, void (*done)(void *userdata), void *userdata,
        Relay **ret, int *ret_fd) {
        _cleanup_(relay_freep) Relay *y = NULL;
        _cleanup_(fd_closep) int own = -EBADF;
        int pair[2], r;

        y = new0(Relay, 1);
        if (!y)
                return -ENOMEM;
        y->event = event;
        y->fds[0] = fd;
        y->fds[1] = -EBADF;
        y->tcp_fd = fd_dup(tcp_fd);
        if (y->tcp_fd < 0)
                return y->tcp_fd;
        y->done = done;
        y->userdata = userdata;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        y->fds[1] = pair[0];
        own = pair[1];
        r = fd_set_nonblock(fd, true);
        if (r >= 0)
                r = fd_set_nonblock(pair[0], true);
        for (int i = 0; r >= 0 && i < 2; i++)
                r = loop_io(event, y->fds[i], EPOLLIN, LOOP_STREAM, "rest-relay", on_ready, y,
                        &y->sources[i]);
        if (r >= 0)
                r = loop_io(event, y->tcp_fd, EPOLLRDHUP, LOOP_STREAM, "rest-relay-gone", on_gone,
                        y, &y->gone_source);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(y);
        *ret_fd = TAKE_FD(own);
        return 0;
}
