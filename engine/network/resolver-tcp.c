/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "engine/network/resolver-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/event/loop.h"

#define IDLE_USEC   (10 * USEC_PER_SEC) /* without a whole question, or without reading the answer */
#define LENGTH_SIZE 2U

/* A connection. One question at a time: the next is read when the answer to this one is written. */
typedef struct TcpClient {
        Seat *seat;
        ListNode by_seat;
        int fd;
        sd_event_source *io;
        sd_event_source *timer;
        Forward *forward; /* what it has asked is on its way */
        uint8_t *in;      /* length, then the question */
        size_t came;
        size_t in_allocated;
        uint8_t *out; /* the same of the answer; NULL: none */
        size_t out_size;
        size_t sent;
} TcpClient;

static TcpClient *tcp_client_free(TcpClient *c) {
        if (!c)
                return NULL;
        if (c->forward)
                c->seat->n_forwards--;
        forward_free(c->forward);
        list_remove(&c->by_seat);
        c->seat->n_clients--;
        c->seat->resolver->n_clients--;
        loop_source_free(c->io);
        loop_source_free(c->timer);
        fd_close(c->fd);
        free(c->in);
        free(c->out);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(TcpClient *, tcp_client_free);

void seat_drop_clients(Seat *s) {
        TcpClient *c;

        while ((c = list_first(&s->clients, TcpClient, by_seat)))
                tcp_client_free(c);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        tcp_client_free(userdata);
        return 0;
}

static int restart_timer(TcpClient *c) {
        return loop_timer(c->seat->resolver->event, IDLE_USEC, LOOP_TIMER, "names-idle", on_idle, c,
                &c->timer);
}

static int queue_answer(TcpClient *c, const uint8_t *answer, size_t size) {
        const uint16_t length = htons((uint16_t) size);
        int r;

        c->out = new (uint8_t, size + LENGTH_SIZE);
        if (!c->out)
                return -ENOMEM;
        memcpy(c->out, &length, LENGTH_SIZE);
        memcpy(c->out + LENGTH_SIZE, answer, size);
        c->out_size = size + LENGTH_SIZE;
        c->sent = 0;
        r = restart_timer(c);
        return r < 0 ? r : sd_event_source_set_io_events(c->io, EPOLLOUT);
}

static void on_forwarded(const uint8_t *answer, size_t size, void *userdata) {
        TcpClient *c = userdata;

        c->forward = NULL;
        c->seat->n_forwards--;
        if (queue_answer(c, answer, size) < 0)
                tcp_client_free(c);
}

static int take_question(TcpClient *c, const uint8_t *message, size_t size) {
        Seat *s = c->seat;
        size_t answer = 0;
        DnsQuestion q;
        int r;

        r = seat_answer(s, message, size, /* over_tcp= */ true, &q, &answer);
        if (r < 0)
                return r;
        if (r == 0) {
                r = seat_forward(
                        s, &q, message, size, /* over_tcp= */ true, on_forwarded, c, &c->forward);
                if (r >=
                        0) { /* that has a time-out of its own; only a hang-up is still of interest */
                        (void) loop_timer_stop(c->timer);
                        return sd_event_source_set_io_events(c->io, 0);
                }
                answer = seat_refuse(s, &q, message);
        }
        return queue_answer(c, s->resolver->out, answer);
}

/* 1 a whole question is there, 0 later, negative errno: hang up. */
static int read_question(TcpClient *c) {
        size_t want = LENGTH_SIZE;
        ssize_t n;
        int r;

        if (c->came >= LENGTH_SIZE)
                want += dns_id(c->in);
        r = array_grow(&c->in, &c->in_allocated, want);
        if (r < 0)
                return r;
        n = recv(c->fd, c->in + c->came, want - c->came, MSG_DONTWAIT);
        if (n == 0)
                return -ECONNRESET;
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        c->came += (size_t) n;
        if (c->came < LENGTH_SIZE)
                return 0;
        want = LENGTH_SIZE + (size_t) dns_id(c->in);
        return want < LENGTH_SIZE + DNS_HEADER_SIZE ? -EBADMSG : c->came == want;
}

static int write_answer(TcpClient *c) {
        ssize_t n;
        int r;

        n = send(c->fd, c->out + c->sent, c->out_size - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        c->sent += (size_t) n;
        if (c->sent < c->out_size)
                return 0;
        c->out = mfree(c->out);
        c->in = mfree(c->in);
        c->in_allocated = c->came = 0;
        r = restart_timer(c);
        return r < 0 ? r : sd_event_source_set_io_events(c->io, EPOLLIN);
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        TcpClient *c = userdata;
        int r = 0;

        if (c->out)
                r = write_answer(c);
        else if (!c->forward) {
                r = read_question(c);
                if (r > 0)
                        r = take_question(c, c->in + LENGTH_SIZE, c->came - LENGTH_SIZE);
        } else if (events & (EPOLLHUP | EPOLLERR)) /* gone before it has its answer */
                r = -ECONNRESET;
        if (r < 0)
                tcp_client_free(c);
        return 0;
}

static int open_client(Seat *s, int client) {
        _cleanup_(tcp_client_freep) TcpClient *c = NULL;
        _cleanup_(fd_closep) int fd = client;
        int r;

        if (s->n_clients >= SEAT_CLIENTS_MAX || s->resolver->n_clients >= CLIENTS_MAX)
                return -EBUSY;
        c = new0(TcpClient, 1);
        if (!c)
                return -ENOMEM;
        c->seat = s;
        c->fd = TAKE_FD(fd);
        list_append(&s->clients, &c->by_seat);
        s->n_clients++;
        s->resolver->n_clients++;
        r = loop_io(s->resolver->event, c->fd, EPOLLIN, LOOP_NAMES, "names-client", on_client, c,
                &c->io);
        if (r >= 0)
                r = sd_event_source_set_ratelimit(c->io, SEAT_RATE_USEC, SEAT_RATE_BURST);
        if (r >= 0)
                r = restart_timer(c);
        if (r < 0)
                return r;
        c = NULL; /* the list's */
        return 0;
}

/* Who is one too many is hung up on. */
static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client >= 0)
                (void) open_client(userdata, client);
        return 0;
}

int seat_listen(Seat *s) {
        int r;

        r = loop_io(s->resolver->event, s->tcp_fd, EPOLLIN, LOOP_NAMES, "names-tcp", on_accept, s,
                &s->tcp_io);
        return r < 0 ? r
                     : sd_event_source_set_ratelimit(s->tcp_io, SEAT_RATE_USEC, SEAT_RATE_BURST);
}
