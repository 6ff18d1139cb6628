/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/stream.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/hijack.h"
#include "cli/http.h"
#include "cli/rest-client.h"
#include "cli/terminal.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define CHUNK       (32U * 1024)
#define PENDING_MAX (128U * 1024) /* of one direction; more is not read before */
#define PIPE_PIECE  4096U         /* what a pipe that polls as writable takes without waiting */

/* ---- frames ---- */

int demux_next(Demux *d, const char **data, size_t *size, const char **ret, size_t *ret_size) {
        size_t n;

        while (d->n_head < sizeof d->head || d->left == 0) {
                if (d->n_head == sizeof d->head)
                        d->n_head = 0;
                if (*size == 0)
                        return 0;
                n = MIN(*size, sizeof d->head - d->n_head);
                memcpy(d->head + d->n_head, *data, n);
                d->n_head += n;
                *data += n;
                *size -= n;
                if (d->n_head < sizeof d->head)
                        return 0;
                d->left = (uint32_t) d->head[4] << 24 | (uint32_t) d->head[5] << 16 |
                          (uint32_t) d->head[6] << 8 | d->head[7];
                if (d->head[0] > DEMUX_ERROR)
                        return -EPROTO;
        }
        if (*size == 0)
                return 0;

        n = MIN(*size, (size_t) d->left);
        *ret = *data;
        *ret_size = n;
        *data += n;
        *size -= n;
        d->left -= (uint32_t) n;
        return d->head[0] == 0 ? DEMUX_STDOUT : d->head[0];
}

/* ---- signals ---- */

/* What docker hands on: all but those that are about ourselves. */
static const int proxied[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
        SIGVTALRM, SIGPROF, SIGCONT, SIGTSTP, SIGIO, SIGPWR, SIGSYS, SIGXCPU, SIGXFSZ };
/* What ends us: caught also without proxy, so that the terminal is restored. */
static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

int stream_catch_signals(Stream *s) {
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; s->proxy && i < ARRAY_SIZE(proxied); i++)
                (void) sigaddset(&set, proxied[i]);
        for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
                (void) sigaddset(&set, deadly[i]);
        if (s->tty)
                (void) sigaddset(&set, SIGWINCH);

        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        (void) signal_ignore(SIGPIPE);
        s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return s->signal_fd < 0 ? -errno : 0;
}

/* As if we had never caught it. */
static void die_of(int sig) {
        sigset_t set;

        terminal_restore();
        (void) signal(sig, SIG_DFL);
        sigemptyset(&set);
        (void) sigaddset(&set, sig);
        (void) raise(sig);
        (void) sigprocmask(SIG_UNBLOCK, &set, NULL);
        _exit(128 + sig);
}

/* A container that is gone meanwhile is no error. */
static void hand_on(Stream *s, int sig) {
        _cleanup_(freep) char *path = NULL;
        const char *name = signal_to_string(sig);

        path = name ? rest_path(REST_PATH(s->object, "/kill"), REST_QUERY("signal", name)) : NULL;
        if (path)
                (void) rest_call(s->client, "POST", path, NULL, NULL, NULL);
}

int stream_resize(Stream *s) {
        char rows_text[16], columns_text[16];
        _cleanup_(freep) char *path = NULL;
        unsigned rows, columns;
        int r;

        if (!s->tty || terminal_size(STDOUT_FILENO, &rows, &columns) == 0)
                return 0;
        (void) snprintf(rows_text, sizeof rows_text, "%u", rows);
        (void) snprintf(columns_text, sizeof columns_text, "%u", columns);
        path = rest_path(
                REST_PATH(s->object, "/resize"), REST_QUERY("h", rows_text, "w", columns_text));
        if (!path)
                return -ENOMEM;
        r = rest_call(s->client, "POST", path, NULL, NULL, NULL);
        return r < 0 ? r : 1;
}

static void on_signals(Stream *s) {
        struct signalfd_siginfo si;

        while (read(s->signal_fd, &si, sizeof si) == (ssize_t) sizeof si) {
                int sig = (int) si.ssi_signo;

                if (sig == SIGWINCH)
                        (void) stream_resize(s);
                else if (s->proxy)
                        hand_on(s, sig);
                else
                        die_of(sig);
        }
}

/* ---- bytes ---- */

/* 1: detached. */
static int on_input(Stream *s) {
        char data[CHUNK];
        ssize_t n;

        n = read(STDIN_FILENO, data, sizeof data);
        if (n < 0)
                return errno == EINTR || errno == EAGAIN ? 0 : -errno;
        if (n == 0) {
                s->input_ended = true;
                return 0;
        }
        if (s->tty && !s->no_detach)
                return detach_keys_feed(&s->keys, data, (size_t) n, &s->to_engine);
        return buffer_append(&s->to_engine, data, (size_t) n);
}

/* An engine that takes no more input still has output for us. */
static void flush_input(Stream *s) {
        while (!buffer_empty(&s->to_engine)) {
                ssize_t n = hijack_write(
                        s->hijack, buffer_head(&s->to_engine), buffer_size(&s->to_engine));

                if (n == -EAGAIN)
                        return;
                if (n < 0) {
                        s->input_ended = s->sent_end = true;
                        buffer_reset(&s->to_engine);
                        return;
                }
                buffer_consume(&s->to_engine, (size_t) n);
        }
        if (s->input_ended && !s->sent_end) {
                (void) hijack_end_write(s->hijack);
                s->sent_end = true;
        }
}

static int take_output(Stream *s, const char *data, size_t size, Error *reterr) {
        const char *piece;
        size_t n;
        int kind;

        if (s->tty)
                return buffer_append(&s->to_stdout, data, size);

        while ((kind = demux_next(&s->demux, &data, &size, &piece, &n)) > 0) {
                int r;

                if (kind == DEMUX_ERROR)
                        return error_set(reterr, ERROR_INTERNAL,
                                "error from daemon in stream: %.*s", (int) MIN(n, 4096U), piece);
                r = buffer_append(kind == DEMUX_STDERR ? &s->to_stderr : &s->to_stdout, piece, n);
                if (r < 0)
                        return r;
        }
        if (kind < 0)
                return error_set(
                        reterr, ERROR_INTERNAL, "unrecognized stream: %d", s->demux.head[0]);
        return 0;
}

static bool may_read(const Stream *s) {
        return !s->hijack_ended && buffer_size(&s->to_stdout) < PENDING_MAX &&
               buffer_size(&s->to_stderr) < PENDING_MAX;
}

/* One call per wake: the bytes go out before more come in. 1: read something, so that there may be more without a wake. */
static int on_output(Stream *s, Error *reterr) {
        char data[CHUNK];
        ssize_t n;
        int r;

        n = hijack_read(s->hijack, data, sizeof data);
        if (n == -EAGAIN)
                return 0;
        if (n == 0 || n == -ECONNRESET) {
                s->hijack_ended = true;
                return 0;
        }
        if (n < 0)
                return error_set_errno(reterr, (int) n, "lost the engine");
        r = take_output(s, data, (size_t) n, reterr);
        return r < 0 ? r : 1;
}

static int flush_output(Buffer *b, int fd, Error *reterr) {
        struct stat st;
        size_t size = buffer_size(b);
        ssize_t n;

        if (size == 0)
                return 0;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                size = MIN(size, PIPE_PIECE);
        n = write(fd, buffer_head(b), size);
        if (n < 0)
                return errno == EINTR || errno == EAGAIN
                             ? 0
                             : error_set_errno(reterr, -errno, "cannot write output");
        buffer_consume(b, (size_t) n);
        return 0;
}

static int on_wait(Stream *s, Error *reterr) {
        char data[4096];
        ssize_t n;

        while ((n = http_read(s->wait, data, sizeof data, /* wait= */ false)) > 0) {
                int r = buffer_append(&s->answer, data, (size_t) n);

                if (r < 0)
                        return r;
        }
        if (n == 0)
                s->wait_ended = true;
        return n == 0 || n == -EAGAIN
                     ? 0
                     : error_set_errno(reterr, (int) n, "error waiting for container");
}

static bool is_over(const Stream *s) {
        if (!buffer_empty(&s->to_stdout) || !buffer_empty(&s->to_stderr))
                return false;
        if (s->hijack && !s->hijack_ended && (s->output || !s->sent_end))
                return false;
        return !s->wait || s->wait_ended;
}

enum { AT_SIGNAL, AT_HIJACK, AT_WAIT, AT_IN, AT_OUT, AT_ERR, AT_N };

static void prepare_poll(const Stream *s, struct pollfd p[static AT_N]) {
        bool reads = s->hijack && may_read(s), writes = !buffer_empty(&s->to_engine);

        for (size_t i = 0; i < AT_N; i++)
                p[i] = (struct pollfd) { .fd = -1 };
        p[AT_SIGNAL] = (struct pollfd) { .fd = s->signal_fd, .events = POLLIN };
        if (s->hijack && !s->hijack_ended && (reads || writes))
                p[AT_HIJACK] = (struct pollfd) { .fd = hijack_fd(s->hijack),
                        .events = (short) ((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)) };
        if (s->wait && !s->wait_ended)
                p[AT_WAIT] = (struct pollfd) { .fd = http_fd(s->wait), .events = POLLIN };
        if (s->input && !s->input_ended && !s->hijack_ended &&
                buffer_size(&s->to_engine) < PENDING_MAX)
                p[AT_IN] = (struct pollfd) { .fd = STDIN_FILENO, .events = POLLIN };
        if (!buffer_empty(&s->to_stdout))
                p[AT_OUT] = (struct pollfd) { .fd = STDOUT_FILENO, .events = POLLOUT };
        if (!buffer_empty(&s->to_stderr))
                p[AT_ERR] = (struct pollfd) { .fd = STDERR_FILENO, .events = POLLOUT };
}

/* 1: detached. */
static int turn(Stream *s, bool *more, Error *reterr) {
        struct pollfd p[AT_N];
        int r = 0;

        prepare_poll(s, p);
        if (poll(p, AT_N, *more && may_read(s) ? 0 : -1) < 0)
                return errno == EINTR ? 0 : -errno;

        if (p[AT_SIGNAL].revents)
                on_signals(s);
        if (p[AT_IN].revents)
                r = on_input(s);
        if (r != 0)
                return r;
        if (s->hijack && !s->hijack_ended)
                flush_input(s);
        if (s->hijack && may_read(s) && (*more || p[AT_HIJACK].revents)) {
                r = on_output(s, reterr);
                *more = r > 0;
        }
        if (r >= 0 && p[AT_OUT].revents)
                r = flush_output(&s->to_stdout, STDOUT_FILENO, reterr);
        if (r >= 0 && p[AT_ERR].revents)
                r = flush_output(&s->to_stderr, STDERR_FILENO, reterr);
        if (r >= 0 && p[AT_WAIT].revents)
                r = on_wait(s, reterr);
        return r < 0 ? r : 0;
}

int stream_run(Stream *s, Error *reterr) {
        bool more = true; /* bytes may stand behind the head of the answer already */
        int r = 0;

        if (!s->input)
                s->input_ended = s->sent_end = true;
        if (s->hijack && s->tty && s->input && isatty(STDIN_FILENO)) {
                r = terminal_raw(STDIN_FILENO);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot make the terminal raw");
        }

        if (s->wait) /* the same for that answer */
                r = on_wait(s, reterr);
        while (r == 0 && !is_over(s)) {
                r = turn(s, &more, reterr);
                if (s->hijack_ended)
                        terminal_restore();
        }
        terminal_restore();
        return r;
}

int stream_exit_status(const Stream *s, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *text;
        int r;

        r = json_parse(buffer_head(&s->answer), buffer_size(&s->answer), 65536, &v, reterr);
        if (r < 0)
                return r;
        text = json_get_text(json_get(v, "Error"), "Message");
        if (!str_empty(text))
                return error_set(reterr, ERROR_INTERNAL, "%s", text);
        return (int) (json_get_int64(v, "StatusCode", 125) & 0xff);
}

void stream_done(Stream *s) {
        hijack_free(s->hijack);
        http_free(s->wait);
        fd_close(s->signal_fd);
        buffer_done(&s->to_engine);
        buffer_done(&s->to_stdout);
        buffer_done(&s->to_stderr);
        buffer_done(&s->answer);
        *s = STREAM_INIT;
}
