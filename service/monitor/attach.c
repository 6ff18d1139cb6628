/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/api/websocket.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"

#define INPUT_SIZE ((size_t) 16 * 1024)

typedef struct Client {
        ListNode node;
        Attachments *attachments;
        int fd;
        Watch watch;
        uint32_t events;
        AttachRequest request;
        WebsocketReader websocket;
        Buffer output;      /* for it */
        Buffer input;       /* of it, for the process */
        bool input_ended;   /* it has said all */
        bool leaving;       /* a WebSocket that was closed: what waits is the last */
        bool gone;          /* it is not there any more; its last input may still wait */
        uint64_t late_usec; /* since when others wait for it; 0: nobody does */
} Client;

static void client_on_ready(void *userdata, uint32_t events);

static Client *client_free(Client *k) {
        Attachments *a = k->attachments;

        poller_unwatch(a->poller, &k->watch);
        list_remove(&k->node);
        a->n--;
        buffer_done(&k->output);
        buffer_done(&k->input);
        (void) fd_close(k->fd);
        return mfree(k);
}

static void attachments_check(Attachments *a);

/* A client goes: who waits for it is told. */
static void client_drop(Client *k) {
        Attachments *a = k->attachments;

        client_free(k);
        attachments_check(a);
}

static bool client_is_full(const Client *k) {
        return buffer_size(&k->output) > ATTACH_BUFFER_SIZE;
}

static StreamFraming client_framing(const Client *k) {
        return k->request.framing == STREAM_FRAMES && k->attachments->terminal ? STREAM_BARE
                                                                               : k->request.framing;
}

/* What a WebSocket says may need an answer: one that does not take those is not listened to, long before it is full. */
static bool client_may_read(const Client *k) {
        return !k->input_ended && buffer_empty(&k->input) &&
               !(stream_is_websocket(k->request.framing) &&
                       buffer_size(&k->output) > ATTACH_BUFFER_SIZE / 2);
}

/* Looks at what can happen next: input while there is room for it, room for output while there is some; an end is always told. */
static int client_watch(Client *k) {
        Poller *p = k->attachments->poller;
        uint32_t events = 0;

        if (client_may_read(k))
                events |= EPOLLIN;
        if (!buffer_empty(&k->output) && k->request.hold == 0)
                events |= EPOLLOUT;
        if (k->watch.on_ready && events == k->events)
                return 0;
        poller_unwatch(p, &k->watch);
        k->events = events;
        return k->gone ? 0 : poller_watch(p, &k->watch, k->fd, events, client_on_ready, k);
}

/* 0, also when something is left; negative when the client is gone. */
static int client_flush(Client *k) {
        if (k->request.hold != 0)
                return 0;
        while (!buffer_empty(&k->output)) {
                ssize_t n = send(k->fd, buffer_head(&k->output), buffer_size(&k->output),
                        MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                buffer_consume(&k->output, (size_t) n);
        }
        buffer_done(&k->output); /* the memory of a busy moment is not kept */
        return 0;
}

/* It has got all that it will get. */
static bool client_is_over(const Client *k) {
        return k->request.hold == 0 && buffer_empty(&k->output) &&
               (k->attachments->ending || (k->leaving && buffer_empty(&k->input)));
}

/* ---- input ---- */

static void input_on_ready(void *userdata, uint32_t events);

static void input_end(Attachments *a) {
        poller_unwatch(a->poller, &a->input_watch);
        a->input_fd = -EBADF;
        if (a->on_input_end)
                a->on_input_end(a->callbacks.userdata);
}

/* What the client has said goes to the process as far as it takes it. */
static void client_give_input(Client *k) {
        Attachments *a = k->attachments;

        while (!buffer_empty(&k->input) && a->input_fd >= 0) {
                ssize_t n = buffer_write_fd(&k->input, a->input_fd);

                if (n == -EINTR)
                        continue;
                if (n == -EAGAIN) {
                        if (!a->input_watch.on_ready)
                                (void) poller_watch(a->poller, &a->input_watch, a->input_fd,
                                        EPOLLOUT, input_on_ready, a);
                        return;
                }
                if (n < 0)
                        input_end(a); /* the process has closed it */
        }
        if (a->input_fd < 0 && a->on_input_end)
                buffer_reset(&k->input); /* nobody reads it any more */
        if (buffer_empty(&k->input) && k->input_ended && k->request.in && a->close_input &&
                !a->terminal && a->input_fd >= 0)
                input_end(a);
}

static void input_on_ready(void *userdata, uint32_t events) {
        Attachments *a = userdata;
        Client *k;

        poller_unwatch(a->poller, &a->input_watch);
        LIST_FOREACH_SAFE (k, &a->clients, node) {
                client_give_input(k);
                if ((k->gone && buffer_empty(&k->input)) || client_is_over(k))
                        client_free(k);
                else
                        (void) client_watch(k);
                if (a->input_watch.on_ready)
                        break; /* full again */
        }
        attachments_check(a);
}

/* 1: it typed the keys. */
static int client_take_bytes(Client *k, const char *data, size_t size) {
        if (!k->request.in)
                return 0;
        if (k->attachments->terminal)
                return detach_keys_feed(&k->request.keys, data, size, &k->input);
        return buffer_append(&k->input, data, size);
}

static int client_take_messages(Client *k, const char *data, size_t size) {
        _cleanup_(buffer_done) Buffer bytes = {};
        int r, q;

        r = websocket_read(&k->websocket, data, size, &bytes, &k->output);
        if (r == 1 || r == -EPROTO)
                k->leaving = k->input_ended = true;
        else if (r < 0)
                return r;
        q = client_take_bytes(k, buffer_head(&bytes), buffer_size(&bytes));
        if (q != 0)
                return q;
        return client_flush(k);
}

/* 1: it typed the keys. */
static int client_take_input(Client *k, const char *data, size_t size) {
        return stream_is_websocket(k->request.framing) ? client_take_messages(k, data, size)
                                                       : client_take_bytes(k, data, size);
}

/* It typed the keys: a last word, if there is room for it, and the end. */
static void client_detach(Client *k) {
        (void) stream_frame_append_end(&k->output, client_framing(k));
        (void) client_flush(k);
        client_drop(k);
}

static int client_read(Client *k) {
        char data[INPUT_SIZE];
        ssize_t n;
        int r;

        n = recv(k->fd, data, sizeof(data), MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                k->input_ended = true;
        r = n == 0 ? 0 : client_take_input(k, data, (size_t) n);
        client_give_input(k);
        return r;
}

/* r: how what was to be done with it went. It waits for more, or is gone afterwards. */
static void client_proceed(Client *k, int r, bool was_full) {
        if (r >= 0)
                r = client_watch(k);
        if (r < 0 || client_is_over(k))
                client_drop(k);
        else if (was_full && !client_is_full(k)) {
                k->late_usec = 0;
                attachments_check(k->attachments);
        }
}

static void client_on_ready(void *userdata, uint32_t events) {
        Client *k = userdata;
        Attachments *a = k->attachments;
        bool was_full = client_is_full(k);
        int r = 0;

        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && client_may_read(k))
                r = client_read(k);
        if (r > 0) {
                client_detach(k);
                if (a->callbacks.on_detach)
                        a->callbacks.on_detach(a->callbacks.userdata);
                return;
        }
        if (r >= 0 && (events & (EPOLLHUP | EPOLLERR)) &&
                (k->input_ended || !buffer_empty(&k->input))) {
                k->gone = true;
                buffer_done(&k->output);
                if (buffer_empty(&k->input))
                        r = -EPIPE;
        } else if (r >= 0 && (events & EPOLLOUT))
                r = client_flush(k);
        client_proceed(k, r, was_full);
}

/* ---- output ---- */

static bool client_wants(const Client *k, LogStream stream) {
        return !k->gone && !k->leaving &&
               (stream == LOG_STREAM_STDERR ? k->request.err : k->request.out);
}

static int client_write(Client *k, LogStream stream, const void *data, size_t size) {
        return stream_frame_append(&k->output, client_framing(k),
                stream == LOG_STREAM_STDERR ? FRAME_STDERR : FRAME_STDOUT, data, size);
}

static void patience_on_elapsed(void *userdata);

void attach_write(Attachments *a, LogStream stream, const void *data, size_t size) {
        Client *k;

        LIST_FOREACH_SAFE (k, &a->clients, node) {
                bool waits = !buffer_empty(&k->output);
                int r;

                if (!client_wants(k, stream))
                        continue;
                r = client_write(k, stream, data, size);
                if (r >= 0 && !waits)
                        r = client_flush(k);
                if (r >= 0)
                        r = client_watch(k);
                if (r < 0)
                        client_free(k);
                else if (client_is_full(k) && k->late_usec == 0)
                        k->late_usec = clock_monotonic_us();
        }
        if (attach_is_full(a) && !a->patience.on_elapsed)
                poller_timer(a->poller, &a->patience, ATTACH_PATIENCE_USEC, patience_on_elapsed, a);
}

bool attach_is_full(const Attachments *a) {
        const Client *k;

        LIST_FOREACH (k, &a->clients, node)
                if (client_is_full(k))
                        return true;
        return false;
}

/* Whoever has been in the way of others for too long is dropped, also when it takes a byte now and then. */
static void patience_on_elapsed(void *userdata) {
        Attachments *a = userdata;
        uint64_t now = clock_monotonic_us(), next = UINT64_MAX;
        Client *k;

        LIST_FOREACH_SAFE (k, &a->clients, node) {
                uint64_t until = k->late_usec + ATTACH_PATIENCE_USEC;

                if (k->late_usec == 0)
                        continue;
                if (until > now) {
                        next = MIN(next, until - now);
                        continue;
                }
                log_notice("An attached client kept the container waiting for %u s, dropping it",
                        (unsigned) (ATTACH_PATIENCE_USEC / USEC_PER_SEC));
                client_free(k);
        }
        if (next != UINT64_MAX)
                poller_timer(a->poller, &a->patience, next, patience_on_elapsed, a);
        attachments_check(a);
}

static void attachments_check(Attachments *a) {
        if (a->ending) {
                if (a->n == 0 && a->callbacks.on_idle) {
                        void (*on_idle)(void *userdata) = TAKE_PTR(a->callbacks.on_idle);

                        poller_timer_stop(a->poller, &a->patience);
                        on_idle(a->callbacks.userdata);
                }
        } else if (!attach_is_full(a)) {
                poller_timer_stop(a->poller, &a->patience);
                if (a->callbacks.on_drain)
                        a->callbacks.on_drain(a->callbacks.userdata);
        }
}

/* ---- coming and going ---- */

void attach_init(Attachments *a, Poller *p, const AttachCallbacks *callbacks) {
        *a = (Attachments) { .poller = p, .callbacks = *callbacks, .input_fd = -EBADF };
        list_init(&a->clients);
}

void attach_done(Attachments *a) {
        Client *k;

        if (!a->poller)
                return;
        LIST_FOREACH_SAFE (k, &a->clients, node)
                client_free(k);
        poller_unwatch(a->poller, &a->input_watch);
        poller_timer_stop(a->poller, &a->patience);
        a->poller = NULL;
}

int attach_add(Attachments *a, int fd, const AttachRequest *request) {
        Client *k;
        int r;

        if (a->n >= ATTACH_CLIENTS_MAX || a->ending) {
                (void) fd_close(fd);
                return a->ending ? -EPIPE : -EUSERS;
        }
        k = new0(Client, 1);
        if (!k) {
                (void) fd_close(fd);
                return -ENOMEM;
        }
        k->attachments = a;
        k->fd = fd;
        k->request = *request;
        k->request.early = NULL;
        list_append(&a->clients, &k->node);
        a->n++;

        r = client_take_input(k, request->early, request->early_size);
        if (r == 0) {
                client_give_input(k);
                r = client_watch(k);
        } else if (r > 0)
                r = -ECANCELED;
        if (r >= 0 && client_is_over(k))
                r = -ECANCELED;
        if (r < 0)
                client_free(k);
        return r;
}

static Client *find_held(Attachments *a, uint64_t hold) {
        Client *k;

        if (!a->poller || hold == 0)
                return NULL;
        LIST_FOREACH (k, &a->clients, node)
                if (k->request.hold == hold)
                        return k;
        return NULL;
}

bool attach_write_held(
        Attachments *a, uint64_t hold, LogStream stream, const void *data, size_t size) {
        Client *k = find_held(a, hold);

        if (!k)
                return false;
        if (size > 0 && client_wants(k, stream) && client_write(k, stream, data, size) < 0) {
                client_drop(k);
                return false;
        }
        return true;
}

void attach_release(Attachments *a, uint64_t hold) {
        Client *k = find_held(a, hold);
        bool was_full;

        if (!k)
                return;
        was_full = client_is_full(k);
        k->request.hold = 0;
        client_proceed(k, client_flush(k), was_full);
}

void attach_drop_held(Attachments *a) {
        Client *k;
        bool any = false;

        if (!a->poller)
                return;
        LIST_FOREACH_SAFE (k, &a->clients, node) {
                if (k->request.hold == 0)
                        continue;
                client_free(k);
                any = true;
        }
        if (any)
                attachments_check(a);
}

void attach_set_input(Attachments *a, int input_fd, void (*on_input_end)(void *userdata)) {
        Client *k;

        a->input_fd = input_fd;
        a->on_input_end = on_input_end;
        LIST_FOREACH_SAFE (k, &a->clients, node) {
                client_give_input(k);
                (void) client_watch(k);
        }
}

void attach_end(Attachments *a) {
        Client *k;

        a->ending = true;
        poller_unwatch(a->poller, &a->input_watch);
        a->input_fd = -EBADF;
        LIST_FOREACH_SAFE (k, &a->clients, node) {
                buffer_done(&k->input);
                k->input_ended = true;
                k->late_usec = clock_monotonic_us();
                if (!k->leaving)
                        (void) stream_frame_append_end(&k->output, client_framing(k));
                if (k->gone || client_flush(k) < 0 || client_is_over(k) || client_watch(k) < 0)
                        client_free(k);
        }
        if (a->n > 0)
                poller_timer(a->poller, &a->patience, ATTACH_PATIENCE_USEC, patience_on_elapsed, a);
        attachments_check(a);
}
