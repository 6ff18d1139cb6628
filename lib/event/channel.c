/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "lib/event/message.h"
#include "lib/json/json.h"

/* Records read in one turn of the loop before others get theirs. */
#define CHANNEL_BURST 16U

typedef struct Pending Pending;

/* A record that the socket did not take yet. */
struct Pending {
        ListNode node;
        Message message;
        int fds[CHANNEL_FDS_MAX];
        size_t n_fds;
};

struct Channel {
        int fd;
        char *name;
        sd_event_source *source;
        channel_record_t on_record;
        channel_hangup_t on_hangup;
        void *userdata;
        List queue;
        size_t queued; /* bytes of all texts in the queue */
        uint32_t events;
        bool paused;
        bool gone;       /* hung up: nothing is sent or read any more */
        bool *ret_freed; /* set by channel_free() while one of our callbacks runs */
};

static Pending *pending_free(Pending *p) {
        if (!p)
                return NULL;

        list_remove(&p->node);
        message_done(&p->message);
        fd_close_many(p->fds, p->n_fds);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(Pending *, pending_free);

Channel *channel_free(Channel *c) {
        Pending *p;

        if (!c)
                return NULL;

        if (c->ret_freed)
                *c->ret_freed = true;
        loop_source_free(c->source);
        (void) fd_close(c->fd);
        LIST_FOREACH_SAFE (p, &c->queue, node)
                pending_free(p);
        free(c->name);
        free(c);
        return NULL;
}

/* What we want to hear from the socket follows from our state. */
static int update_events(Channel *c) {
        uint32_t events = (c->paused ? 0 : EPOLLIN) | (list_empty(&c->queue) ? 0 : EPOLLOUT);
        int r;

        if (c->gone)
                return 0;
        if (events == c->events)
                return 0;

        r = sd_event_source_set_io_events(c->source, events);
        if (r >= 0)
                c->events = events;
        return r;
}

/* 1 still there, 0 freed by the callback. */
static int hang_up(Channel *c, int error) {
        bool freed = false, *outer = c->ret_freed;

        if (c->gone)
                return 1;

        c->gone = true;
        (void) sd_event_source_set_enabled(c->source, SD_EVENT_OFF);
        if (!c->on_hangup)
                return 1;

        c->ret_freed = &freed;
        c->on_hangup(c, error, c->userdata);
        if (freed) {
                if (outer)
                        *outer = true;
                return 0;
        }
        c->ret_freed = outer;
        return 1;
}

/* 1 delivered or refused, 0 the channel was freed. */
static int deliver(Channel *c, Json *record, int *fds, size_t n_fds) {
        bool freed = false, *outer = c->ret_freed;
        int r;

        c->ret_freed = &freed;
        r = c->on_record(c, record, fds, n_fds, c->userdata);
        fd_close_many(fds, n_fds);
        if (freed) {
                if (outer)
                        *outer = true;
                return 0;
        }
        c->ret_freed = outer;
        return r < 0 ? hang_up(c, r) : 1;
}

/* Reads up to max records: 1 there may be more, -EAGAIN nothing left for now, 0 the channel was
 * freed. */
static int read_records(Channel *c, unsigned max) {
        _cleanup_(freep) char *buffer = NULL;

        buffer = malloc(MESSAGE_SIZE_MAX);
        if (!buffer)
                return -EAGAIN; /* the loop asks again */

        for (unsigned i = 0; i < max; i++) {
                _cleanup_(json_unrefp) Json *record = NULL;
                int fds[MESSAGE_FDS_MAX];
                size_t n_fds;
                int r;

                if (c->gone || c->paused)
                        return -EAGAIN;

                r = message_receive(c->fd, buffer, MSG_DONTWAIT, &record, fds, &n_fds);
                if (r == -EAGAIN)
                        return r;
                if (r <= 0) {
                        fd_close_many(fds, n_fds);
                        /* Gone while something of ours was unread: the same as gone. */
                        r = hang_up(c, r == -ECONNRESET ? 0 : r);
                        return r == 0 ? 0 : -EAGAIN;
                }

                r = deliver(c, record, fds, n_fds);
                if (r == 0)
                        return 0;
        }
        return 1;
}

/* 1 all sent or waiting, 0 the channel was freed. */
static int write_records(Channel *c) {
        while (!c->gone && !list_empty(&c->queue)) {
                Pending *p = list_first(&c->queue, Pending, node);
                int r;

                r = message_send(&p->message, c->fd, p->fds, p->n_fds, MSG_DONTWAIT);
                if (r == -EAGAIN || r == -ENOBUFS)
                        break;
                if (r < 0)
                        /* What the other side said before it went is still to be read: that ends
                         * in a hang-up. */
                        return r == -EPIPE || r == -ECONNRESET ? 1 : hang_up(c, r);

                c->queued -= p->message.size;
                pending_free(p);
        }
        (void) update_events(c);
        return 1;
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Channel *c = userdata;

        if ((revents & EPOLLOUT) && write_records(c) == 0)
                return 0;

        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                if (c->paused && !(revents & EPOLLIN)) {
                        /* Hung up while paused: epoll would tell it for ever, the records wait
                         * for the resume. */
                        (void) sd_event_source_set_enabled(c->source, SD_EVENT_OFF);
                        return 0;
                }
                (void) read_records(c, CHANNEL_BURST);
        }
        return 0;
}

int channel_new(sd_event *e, int fd, const char *name, channel_record_t on_record,
        channel_hangup_t on_hangup, void *userdata, Channel **ret) {
        _cleanup_(channel_freep) Channel *c = NULL;
        _cleanup_(fd_closep) int taken = fd;
        int r;

        assert(e);
        assert(fd >= 0);
        assert(name);
        assert(on_record);
        assert(ret);

        c = new0(Channel, 1);
        if (!c)
                return -ENOMEM;

        list_init(&c->queue);
        c->fd = TAKE_FD(taken);
        c->on_record = on_record;
        c->on_hangup = on_hangup;
        c->userdata = userdata;
        c->events = EPOLLIN;

        r = str_copy(&c->name, name);
        if (r < 0)
                return r;

        r = loop_io(e, c->fd, c->events, LOOP_CHANNEL, c->name, on_io, c, &c->source);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

int channel_queue(Channel *c, const Json *record, const int *fds, size_t n_fds) {
        _cleanup_(pending_freep) Pending *p = NULL;
        int r;

        assert(c);
        assert(fds || n_fds == 0);

        if (c->gone)
                return -EPIPE;
        if (n_fds > CHANNEL_FDS_MAX)
                return -E2BIG;

        p = new0(Pending, 1);
        if (!p)
                return -ENOMEM;
        p->message.memory_fd = -EBADF;

        r = message_pack(record, &p->message);
        if (r < 0)
                return r;

        if (list_empty(&c->queue)) {
                r = message_send(&p->message, c->fd, fds, n_fds, MSG_DONTWAIT);
                if (r != -EAGAIN && r != -ENOBUFS)
                        return r == -ECONNRESET ? -EPIPE : r;
        }

        /* One record larger than the whole queue may wait alone. */
        if (!list_empty(&c->queue) && c->queued + p->message.size > CHANNEL_QUEUE_MAX)
                return -ENOBUFS;

        for (; p->n_fds < n_fds; p->n_fds++) {
                int copy;

                copy = fd_dup(fds[p->n_fds]);
                if (copy < 0)
                        return copy;
                p->fds[p->n_fds] = copy;
        }

        c->queued += p->message.size;
        list_append(&c->queue, &TAKE_PTR(p)->node);
        return update_events(c);
}

size_t channel_queued(const Channel *c) {
        assert(c);

        return c->queued;
}

int channel_pause(Channel *c, bool pause) {
        int r;

        assert(c);

        if (c->paused == pause)
                return 0;

        c->paused = pause;
        r = update_events(c);
        if (r >= 0 && !pause && !c->gone)
                r = sd_event_source_set_enabled(c->source, SD_EVENT_ON);
        return r;
}

int channel_drain(Channel *c) {
        int r;

        assert(c);

        do
                r = read_records(c, CHANNEL_BURST);
        while (r == 1);

        return r == 0 ? 0 : 1;
}

int channel_fd(const Channel *c) {
        assert(c);

        return c->fd;
}
