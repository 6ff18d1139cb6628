/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"
#include "lib/event/loop.h"

#define SILENT_MAX  16U
#define SILENT_USEC (30 * USEC_PER_SEC)
#define LENGTH_SIZE 2U /* before a message over TCP */

struct Forwarder {
        sd_event *event;
        unsigned n;
        struct {
                Upstream server;
                uint64_t until;
        } silent[SILENT_MAX]; /* servers that did not answer */
        size_t next_silent;
        uint8_t buffer[DNS_MESSAGE_MAX + 1];
};

struct Forward {
        Forwarder *forwarder;
        Upstreams servers; /* in the order in which they are asked */
        size_t next;       /* of them */
        bool over_tcp;
        DnsQuestion question;
        forward_done_t done;
        void *userdata;

        int fd;
        sd_event_source *io;
        sd_event_source *timer;
        uint8_t *out; /* length, then the message with an id of ours */
        size_t size;  /* of the message */
        size_t sent;  /* over TCP, with the length */
        uint8_t *in;  /* over TCP: length, then what has come */
        size_t came;
        size_t in_allocated;
};

/* --- servers that do not answer --- */

static bool is_silent(const Forwarder *f, const Upstream *u, uint64_t now) {
        for (size_t i = 0; i < SILENT_MAX; i++)
                if (f->silent[i].until > now && upstream_equal(&f->silent[i].server, u))
                        return true;
        return false;
}

static void note_silent(Forwarder *f, const Upstream *u) {
        uint64_t now = clock_monotonic_us();

        if (is_silent(f, u, now))
                return;
        f->silent[f->next_silent].server = *u;
        f->silent[f->next_silent].until = now + SILENT_USEC;
        f->next_silent = (f->next_silent + 1) % SILENT_MAX;
}

static void note_answer(Forwarder *f, const Upstream *u) {
        for (size_t i = 0; i < SILENT_MAX; i++)
                if (f->silent[i].until > 0 && upstream_equal(&f->silent[i].server, u))
                        f->silent[i].until = 0;
}

static void order_servers(const Forwarder *f, const Upstreams *from, Upstreams *ret) {
        uint64_t now = clock_monotonic_us();

        ret->n = 0;
        for (int silent = 0; silent <= 1; silent++)
                for (size_t i = 0; i < from->n; i++)
                        if (is_silent(f, from->items + i, now) == (bool) silent)
                                ret->items[ret->n++] = from->items[i];
}

/* --- one server --- */

static int ask_next(Forward *w);

static void hang_up(Forward *w) {
        w->io = loop_source_free(w->io);
        w->fd = fd_close(w->fd);
        w->sent = w->came = 0;
}

/* answer may lie in w->in. */
static void finish(Forward *w, const uint8_t *answer, size_t size) {
        _cleanup_(freep) _unused_ uint8_t *kept = TAKE_PTR(w->in);
        forward_done_t done = w->done;
        void *userdata = w->userdata;

        forward_free(w);
        done(answer, size, userdata);
}

static void say_failed(Forward *w) {
        const DnsAnswer failed = { .code = DNS_SERVER_FAILURE };
        Forwarder *f = w->forwarder;
        ssize_t n;

        n = dns_answer_format(
                w->out + LENGTH_SIZE, &w->question, &failed, f->buffer, sizeof(f->buffer));
        finish(w, f->buffer, n < 0 ? 0 : (size_t) n);
}

/* Asks the next server, or says that nobody has answered. */
static void give_up(Forward *w) {
        hang_up(w);
        if (ask_next(w) < 0)
                say_failed(w);
}

/* True: that was it, w is gone. False: not our answer, or another server may know better. */
static bool take_answer(Forward *w, uint8_t *answer, size_t size) {
        Forwarder *f = w->forwarder;
        DnsCode code;

        if (size < DNS_HEADER_SIZE || dns_id(answer) != dns_id(w->out + LENGTH_SIZE) ||
                dns_answers(w->out + LENGTH_SIZE, &w->question, answer, size, &code) <= 0)
                return false;
        note_answer(f, w->servers.items + w->next - 1);
        if ((code == DNS_SERVER_FAILURE || code == DNS_REFUSED || code == DNS_NOT_IMPLEMENTED) &&
                w->next < w->servers.n) {
                give_up(w);
                return true;
        }
        dns_set_id(answer, w->question.id);
        finish(w, answer, size);
        return true;
}

/* Foreign datagrams are left aside; the socket is connected, so only the server can send some. */
static int on_datagram(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Forward *w = userdata;
        Forwarder *f = w->forwarder;

        for (unsigned i = 0; i < 4; i++) {
                ssize_t n = recv(fd, f->buffer, sizeof(f->buffer), MSG_DONTWAIT);

                if (n < 0) {
                        if (errno != EAGAIN && errno != EINTR) { /* the port is closed, no way … */
                                note_silent(f, w->servers.items + w->next - 1);
                                give_up(w);
                        }
                        return 0;
                }
                if (take_answer(w, f->buffer, (size_t) n))
                        return 0;
        }
        return 0;
}

/* 1 all sent, 0 later. */
static int send_stream(Forward *w) {
        size_t size = w->size + LENGTH_SIZE;
        ssize_t n;

        if (w->sent == size)
                return 1;
        n = send(w->fd, w->out + w->sent, size - w->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        w->sent += (size_t) n;
        return w->sent == size;
}

/* 1 a whole message is there, 0 later. */
static int receive_stream(Forward *w) {
        size_t want = LENGTH_SIZE;
        ssize_t n;
        int r;

        if (w->came >= LENGTH_SIZE)
                want += dns_id(w->in); /* also a number of two bytes */
        if (want > LENGTH_SIZE && w->came == want)
                return 1;
        r = array_grow(&w->in, &w->in_allocated, want);
        if (r < 0)
                return r;
        n = recv(w->fd, w->in + w->came, want - w->came, MSG_DONTWAIT);
        if (n == 0)
                return -ECONNRESET;
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        w->came += (size_t) n;
        if (w->came < LENGTH_SIZE)
                return 0;
        want = LENGTH_SIZE + (size_t) dns_id(w->in);
        return want > LENGTH_SIZE ? w->came == want : -EBADMSG;
}

static int on_stream(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Forward *w = userdata;
        int r;

        r = send_stream(w);
        if (r > 0) {
                r = receive_stream(w);
                if (r == 0)
                        r = sd_event_source_set_io_events(w->io, EPOLLIN);
                else if (r > 0 && take_answer(w, w->in + LENGTH_SIZE, w->came - LENGTH_SIZE))
                        return 0;
                else if (r > 0)
                        r = -EBADMSG;
        }
        if (r < 0) {
                note_silent(w->forwarder, w->servers.items + w->next - 1);
                give_up(w);
        }
        return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Forward *w = userdata;

        note_silent(w->forwarder, w->servers.items + w->next - 1);
        give_up(w);
        return 0;
}

static int connect_server(Forward *w, const Upstream *u) {
        int type = w->over_tcp ? SOCK_STREAM : SOCK_DGRAM, r;

        w->fd = socket(u->address.any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (w->fd < 0)
                return -errno;
        if (connect(w->fd, &u->address.any, u->size) < 0 && errno != EINPROGRESS)
                return -errno;
        r = loop_io(w->forwarder->event, w->fd, w->over_tcp ? EPOLLIN | EPOLLOUT : EPOLLIN,
                LOOP_NAMES, "name-upstream", w->over_tcp ? on_stream : on_datagram, w, &w->io);
        if (r < 0 || w->over_tcp)
                return r;
        if (send(w->fd, w->out + LENGTH_SIZE, w->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
                errno != EAGAIN)
                return -errno;
        return 0;
}

/* The next server that can be sent to at all. */
static int ask_next(Forward *w) {
        int r = -ENETUNREACH;

        while (w->next < w->servers.n) {
                const Upstream *u = w->servers.items + w->next++;
                bool last = w->next == w->servers.n;

                dns_set_id(w->out + LENGTH_SIZE, (uint16_t) random_u64());
                r = connect_server(w, u);
                if (r >= 0)
                        r = loop_timer(w->forwarder->event,
                                last ? FORWARD_LAST_USEC : FORWARD_WAIT_USEC, LOOP_TIMER,
                                "name-timeout", on_timeout, w, &w->timer);
                if (r >= 0)
                        return 0;
                hang_up(w);
        }
        return r;
}

static int on_nobody(sd_event_source *source, uint64_t usec, void *userdata) {
        say_failed(userdata);
        return 0;
}

int forward_new(Forwarder *f, const Upstreams *servers, const DnsQuestion *q, const void *message,
        size_t size, bool over_tcp, forward_done_t done, void *userdata, Forward **ret) {
        _cleanup_(forward_freep) Forward *w = NULL;
        const uint16_t length = htons((uint16_t) size);
        int r;

        assert(f);
        assert(servers);
        assert(q);
        assert(size >= DNS_HEADER_SIZE && size <= DNS_MESSAGE_MAX);
        assert(done);
        assert(ret);

        if (f->n >= FORWARD_MAX)
                return -EBUSY;
        w = new0(Forward, 1);
        if (!w)
                return -ENOMEM;
        w->forwarder = f;
        f->n++;
        w->fd = -EBADF;
        w->question = *q;
        w->over_tcp = over_tcp;
        w->done = done;
        w->userdata = userdata;
        order_servers(f, servers, &w->servers);
        w->out = new (uint8_t, size + LENGTH_SIZE);
        if (!w->out)
                return -ENOMEM;
        memcpy(w->out, &length, LENGTH_SIZE);
        memcpy(w->out + LENGTH_SIZE, message, size);
        w->size = size;

        r = ask_next(w);
        if (r < 0) /* the answer comes from the loop in any case */
                r = loop_timer(f->event, 0, LOOP_NAMES, "name-nobody", on_nobody, w, &w->timer);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

Forward *forward_free(Forward *w) {
        if (!w)
                return NULL;
        loop_source_free(w->timer);
        hang_up(w);
        w->forwarder->n--;
        free(w->out);
        free(w->in);
        free(w);
        return NULL;
}

int forwarder_new(sd_event *e, Forwarder **ret) {
        Forwarder *f;

        assert(e);
        assert(ret);

        f = new0(Forwarder, 1);
        if (!f)
                return -ENOMEM;
        f->event = sd_event_ref(e);
        *ret = f;
        return 0;
}

Forwarder *forwarder_free(Forwarder *f) {
        if (!f)
                return NULL;
        assert(f->n == 0);
        sd_event_unref(f->event);
        free(f);
        return NULL;
}
