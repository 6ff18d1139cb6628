/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/container-stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/log/logs.h"
#include "engine/log/ring.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

#define READS_PER_TURN 16 /* then the daemon's commands have their turn */
#define READS_PER_DRAIN \
        4096 /* more than a pipe can hold: a writer that should not be there does not keep us */
#define RETRY_USEC      (5 * USEC_PER_MSEC)
#define LOST_TELL_USEC  USEC_PER_MINUTE
#define FAILED_TEXT_MAX 4096u
#define EARLY_SIZE_MAX  ((size_t) 1024 * 1024)

static void clients_on_drain(void *userdata);

static void clients_on_detach(void *userdata) {
        Stdio *s = userdata;

        if (s->on_detach)
                s->on_detach(s->clients_userdata);
}

static void clients_on_idle(void *userdata) {
        Stdio *s = userdata;

        if (s->on_idle)
                s->on_idle(s->clients_userdata);
}

void stdio_init_plain(Stdio *s, Poller *p) {
        const AttachCallbacks callbacks = {
                .on_drain = clients_on_drain,
                .on_detach = clients_on_detach,
                .on_idle = clients_on_idle,
                .userdata = s,
        };

        *s = (Stdio) { .poller = p, .stdin_fd = -EBADF };
        attach_init(&s->clients, p, &callbacks);
        for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++) {
                s->streams[i].stdio = s;
                s->streams[i].stream = i == 0 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR;
                s->streams[i].fd = -EBADF;
        }
}

int stdio_init(Stdio *s, Poller *p, const MonitorSpec *spec, Error *reterr) {
        int r;

        stdio_init_plain(s, p);
        s->target = (LogTarget) {
                .id = spec->id,
                .name = spec->name,
                .image = spec->image,
                .path = spec->log_path,
                .opts = spec->log_opts,
                .fields = spec->log_fields,
        };

        r = logs_check(spec->log_driver, spec->log_opts, reterr);
        if (r < 0)
                return r;
        s->driver = logs_find(spec->log_driver);
        r = s->driver->open(&s->target, &s->driver_state);
        if (r >= 0)
                r = log_ring_new(spec->log_opts, s->driver, s->driver_state, &s->ring);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "failed to initialize logging driver %s", s->driver->name);
        return 0;
}

static void stream_close(StdioStream *t) {
        poller_unwatch(t->stdio->poller, &t->watch);
        t->fd = fd_close(t->fd);
}

void stdio_done(Stdio *s) {
        if (!s->poller)
                return;
        poller_timer_stop(s->poller, &s->retry);
        poller_timer_stop(s->poller, &s->ring_retry);
        poller_timer_stop(s->poller, &s->deadline);
        for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++)
                stream_close(&s->streams[i]);
        attach_done(&s->clients);
        s->stdin_fd = fd_close(s->stdin_fd);
        s->ring = log_ring_free(s->ring);
        if (s->driver)
                s->driver->close(s->driver_state);
        s->driver = NULL;
        s->poller = NULL;
}

static void stdio_close_input(void *userdata) {
        Stdio *s = userdata;

        s->stdin_fd = fd_close(s->stdin_fd);
}

/* ret_fd: the process's end. */
static int open_input(Stdio *s, bool once, int *ret_fd) {
        int pair[2], r;

        r = fd_pipe(pair, 0);
        if (r < 0)
                return r;
        *ret_fd = pair[0];
        s->stdin_fd = pair[1];
        s->clients.close_input = once;
        r = fd_set_nonblock(s->stdin_fd, true);
        if (r >= 0)
                attach_set_input(&s->clients, s->stdin_fd, stdio_close_input);
        return r;
}

static int open_output(StdioStream *t, int *ret_fd) {
        int pair[2], r;

        r = fd_pipe(pair, 0);
        if (r < 0)
                return r;
        t->fd = pair[0];
        *ret_fd = pair[1]; /* stays blocking: the process would see it */
        return fd_set_nonblock(pair[0], true);
}

int stdio_open(Stdio *s, bool open_stdin, bool once, bool terminal, int ret_fds[static 3]) {
        int fds[3] = { -EBADF, -EBADF, -EBADF }, r = 0;

        s->terminal = s->clients.terminal = terminal;
        if (open_stdin && !terminal)
                r = open_input(s, once, &fds[0]);
        else
                r = fds[0] = fd_open_null();
        if (r >= 0)
                r = terminal ? (fds[1] = fd_open_null()) : open_output(&s->streams[0], &fds[1]);
        if (r >= 0)
                r = open_output(&s->streams[1], &fds[2]);
        if (r < 0) {
                fd_close_many(fds, ARRAY_SIZE(fds));
                return r;
        }
        memcpy(ret_fds, fds, sizeof(fds));
        return 0;
}

int stdio_set_terminal(Stdio *s, int master_fd) {
        int r;

        s->streams[0].fd = master_fd;
        r = fd_set_nonblock(master_fd, true);
        if (r >= 0)
                r = s->stdin_fd = fd_dup(master_fd); /* one is watched for each direction */
        if (r < 0)
                return r;
        attach_set_input(&s->clients, s->stdin_fd, stdio_close_input);
        return 0;
}

int stdio_resize(Stdio *s, unsigned height, unsigned width) {
        const struct winsize size = { .ws_row = (unsigned short) height,
                .ws_col = (unsigned short) width };

        if (!s->terminal || s->stdin_fd < 0)
                return -ENOTTY;
        return ioctl(s->stdin_fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

/* 0: everything up to the last line feed was taken (and the rest, if there is no more room or nothing more to come); -EAGAIN: the log is full. */
static int stream_write_lines(StdioStream *t, uint64_t now_nsec) {
        const Stdio *s = t->stdio;

        if (!s->driver) {
                t->begin = t->end = 0;
                return 0;
        }
        while (t->begin < t->end) {
                const char *data = t->buffer + t->begin, *feed;
                size_t size = t->end - t->begin;
                LogMessage m = { .stream = t->stream, .data = data };
                int r;

                feed = memchr(data, '\n', size);
                if (feed)
                        m.size = (size_t) (feed - data) + 1;
                else if (t->ended || size == sizeof(t->buffer)) {
                        m.size = size;
                        m.partial = true;
                } else
                        break;
                m.time_nsec = t->in_line ? t->line_nsec : now_nsec;

                if (s->ring)
                        log_ring_write(s->ring, &m);
                else {
                        r = s->driver->write(s->driver_state, &m);
                        if (r < 0)
                                return r;
                }
                t->in_line = m.partial;
                t->line_nsec = m.time_nsec;
                t->begin += m.size;
        }

        if (t->begin > 0) {
                memmove(t->buffer, t->buffer + t->begin, t->end - t->begin);
                t->end -= t->begin;
                t->begin = 0;
        }
        return 0;
}

/* 0: read until there was nothing, or often enough; -EAGAIN: the log is full; -EBUSY: a client is. */
static int stream_read(StdioStream *t, unsigned n_reads) {
        int r;

        r = stream_write_lines(
                t, (uint64_t) clock_realtime_ns()); /* what the log did not take before */
        while (r >= 0 && t->fd >= 0 && n_reads-- > 0) {
                ssize_t n;

                if (!t->stdio->on_drained && attach_is_full(&t->stdio->clients))
                        return -EBUSY;
                n = read(t->fd, t->buffer + t->end, sizeof(t->buffer) - t->end);

                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        if (errno == EAGAIN)
                                return 0;
                }
                if (n <= 0) {
                        t->ended = true;
                        stream_close(t);
                } else {
                        attach_write(&t->stdio->clients, t->stream, t->buffer + t->end, (size_t) n);
                        t->end += (size_t) n;
                }
                r = stream_write_lines(t, (uint64_t) clock_realtime_ns());
        }
        return r;
}

static void stdio_tell_lost(Stdio *s, bool last) {
        uint64_t n, now;
        int error = 0;

        n = s->driver && s->driver->n_lost ? s->driver->n_lost(s->driver_state, &error) : 0;
        if (s->ring && log_ring_n_dropped(s->ring) > 0) {
                n += log_ring_n_dropped(s->ring);
                error = error ?: ENOBUFS;
        }
        if (n == s->n_lost_told)
                return;
        now = clock_monotonic_us();
        if (!last && s->n_lost_told > 0 && now - s->told_usec < LOST_TELL_USEC)
                return;
        (void) log_struct(LOG_WARNING, -error,
                &((LogFields) {
                        .container_id = s->target.id,
                        .container_name = s->target.name,
                        .image_name = s->target.image,
                }),
                "%" PRIu64 " log lines of container %s could not be written so far: %m", n,
                str_or_empty(s->target.name));
        s->n_lost_told = n;
        s->told_usec = now;
}

static int stdio_flush_log(Stdio *s) {
        int r = 0;

        if (s->ring)
                r = log_ring_flush(s->ring);
        if (r >= 0 && s->driver && s->driver->flush)
                r = s->driver->flush(s->driver_state);
        stdio_tell_lost(s, false);
        return r;
}

static void stdio_on_ring_retry(void *userdata);

/* -EAGAIN: whoever writes has to wait. Nobody has for a ring: it is emptied by and by. */
static int stdio_flush(Stdio *s) {
        int r = stdio_flush_log(s);

        if (r == -EAGAIN && s->ring) {
                poller_timer(s->poller, &s->ring_retry, RETRY_USEC, stdio_on_ring_retry, s);
                return 0;
        }
        return r;
}

static void stdio_on_ring_retry(void *userdata) {
        (void) stdio_flush(userdata);
}

static void stream_on_ready(void *userdata, uint32_t events);
static void stdio_drain_again(Stdio *s);

static void stdio_on_retry(void *userdata) {
        Stdio *s = userdata;

        if (s->on_drained) {
                stdio_drain_again(s);
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++) {
                StdioStream *t = &s->streams[i];

                if (!t->watch.on_ready && (t->fd >= 0 || t->begin < t->end))
                        stream_on_ready(t, 0);
        }
}

/* Whoever was full is not any more, or is gone. */
static void clients_on_drain(void *userdata) {
        Stdio *s = userdata;

        if (s->started && !s->on_drained)
                stdio_on_retry(s);
}

/* Readable, ended, or another try after the log was full. While it is full the pipe is not watched at all: its hang-up would wake us for ever. */
static void stream_on_ready(void *userdata, uint32_t events) {
        StdioStream *t = userdata;
        Stdio *s = t->stdio;
        int r;

        r = stream_read(t, READS_PER_TURN);
        if (r >= 0)
                r = stdio_flush(s);
        if (r < 0) {
                poller_unwatch(s->poller, &t->watch);
                if (r != -EBUSY)
                        poller_timer(s->poller, &s->retry, RETRY_USEC, stdio_on_retry, s);
        } else if (t->fd >= 0 && !t->watch.on_ready)
                (void) poller_watch(s->poller, &t->watch, t->fd, EPOLLIN, stream_on_ready, t);
}

int stdio_start(Stdio *s) {
        s->started = true;
        for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++) {
                StdioStream *t = &s->streams[i];
                int r;

                if (t->fd < 0)
                        continue;
                r = poller_watch(s->poller, &t->watch, t->fd, EPOLLIN, stream_on_ready, t);
                if (r < 0)
                        return r;
        }
        return 0;
}

char *stdio_take_text(Stdio *s) {
        _cleanup_(freep) char *text = NULL;
        StdioStream *t = &s->streams[1];
        ssize_t n;

        text = new0(char, FAILED_TEXT_MAX + 1);
        if (!text || t->fd < 0)
                return NULL;
        n = read(t->fd, text, FAILED_TEXT_MAX);
        if (n <= 0)
                return NULL;
        str_chomp(text);
        return text[0] ? TAKE_PTR(text) : NULL;
}

static void stdio_drained(Stdio *s) {
        void (*on_drained)(void *userdata) = TAKE_PTR(s->on_drained);

        poller_timer_stop(s->poller, &s->retry);
        poller_timer_stop(s->poller, &s->ring_retry);
        poller_timer_stop(s->poller, &s->deadline);
        for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++)
                stream_close(&s->streams[i]);
        stdio_tell_lost(s, true);
        on_drained(s->userdata);
}

static void stdio_drain_again(Stdio *s) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(s->streams); i++) {
                StdioStream *t = &s->streams[i];

                /* until the pipe is empty; that is the end, even if somebody else still holds it */
                r = stream_read(t, READS_PER_DRAIN);
                if (r >= 0 && !t->ended) {
                        t->ended = true;
                        r = stream_write_lines(t, (uint64_t) clock_realtime_ns());
                }
        }
        if (r >= 0)
                r = stdio_flush_log(s);
        if (r < 0)
                poller_timer(s->poller, &s->retry, RETRY_USEC, stdio_on_retry, s);
        else
                stdio_drained(s);
}

static void stdio_on_deadline(void *userdata) {
        stdio_drained(userdata);
}

void stdio_drain(
        Stdio *s, uint64_t timeout_usec, void (*on_drained)(void *userdata), void *userdata) {
        s->on_drained = on_drained;
        s->userdata = userdata;
        for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++)
                poller_unwatch(s->poller, &s->streams[i].watch);
        poller_timer(s->poller, &s->deadline, timeout_usec, stdio_on_deadline, s);
        stdio_drain_again(s);
}

int stdio_attach(Stdio *s, int fd, const AttachRequest *request) {
        return attach_add(&s->clients, fd, request);
}

int stdio_attach_client(Stdio *s, AttachRequest *request, const char *detach_keys, int *fds,
        size_t n_fds, Error *reterr) {
        _cleanup_(freep) char *early = NULL;
        int r;

        assert(n_fds > 0);

        r = detach_keys_parse(detach_keys, &request->keys, reterr);
        if (r >= 0 && n_fds > 1)
                r = file_read_fd(fds[1], EARLY_SIZE_MAX, &early, &request->early_size);
        if (r >= 0) {
                request->early = early;
                r = stdio_attach(s, TAKE_FD(fds[0]), request);
                request->early = NULL;
        }
        if (r == -EPIPE)
                return error_set(reterr, ERROR_NOT_RUNNING, "its process has ended");
        if (r == -EUSERS)
                return error_set(reterr, ERROR_UNAVAILABLE, "%u clients are attached already",
                        ATTACH_CLIENTS_MAX);
        if (r == -ECANCELED)
                return 0; /* it has come and gone: the keys were in what it had sent before */
        return r < 0 ? error_set_errno(reterr, r, "Cannot attach the client") : 0;
}

int stdio_hold(Stdio *s, uint64_t hold, LogPlace *ret) {
        *ret = (LogPlace) {};
        for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++) {
                const StdioStream *t = &s->streams[i];

                if (!attach_write_held(
                            &s->clients, hold, t->stream, t->buffer + t->begin, t->end - t->begin))
                        return -EPIPE;
        }
        if (s->driver && s->driver->place)
                s->driver->place(s->driver_state, ret);
        return 0;
}

void stdio_end_clients(Stdio *s, void (*on_idle)(void *userdata), void *userdata) {
        if (!s->poller) {
                on_idle(userdata);
                return;
        }
        s->on_idle = on_idle;
        s->clients_userdata = userdata;
        attach_end(&s->clients);
}

int stdio_reopen(Stdio *s) {
        return s->driver && s->driver->reopen ? s->driver->reopen(s->driver_state) : 0;
}

bool stdio_reaped(Stdio *s, const siginfo_t *si) {
        return s->driver && s->driver->reaped && s->driver->reaped(s->driver_state, si);
}
