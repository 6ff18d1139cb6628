/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/ps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

#define PS_USEC       (10 * USEC_PER_SEC)
#define PS_OUTPUT_MAX ((size_t) 16 * 1024 * 1024)
#define PS_WORDS_MAX  ((size_t) 1024 * 1024)
#define PS_CHUNK      ((size_t) 64 * 1024)

struct PsCall {
        sd_event *event;
        int pidfd;
        int fds[2]; /* of its output and of its complaints */
        Buffer texts[2];
        sd_event_source *sources[2];
        sd_event_source *child;
        sd_event_source *deadline;
        ps_done_t done;
        void *userdata;
};

static unsigned n_together;

static int on_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        siginfo_t si;

        (void) process_wait(fd, 0, &si);
        loop_source_free(source); /* and the descriptor with it */
        n_together--;
        return 0;
}

/* A killed one needs a moment, and ages where the kernel holds it: it is reaped when it is gone. Takes pidfd. */
static void leave(sd_event *event, int pidfd) {
        sd_event_source *source = NULL;
        int r;

        r = loop_io(event, pidfd, EPOLLIN, LOOP_CHILD, "ps-killed", on_gone, NULL, &source);
        if (r >= 0)
                r = sd_event_source_set_io_fd_own(source, true);
        if (r >= 0)
                r = sd_event_source_set_floating(source, true);
        if (r >= 0) {
                sd_event_source_unref(source); /* the loop holds it */
                return;
        }
        if (!source || !sd_event_source_get_io_fd_own(source))
                fd_close(pidfd);
        loop_source_free(source);
        n_together--;
}

PsCall *ps_call_free(PsCall *c) {
        siginfo_t si;

        if (!c)
                return NULL;

        loop_source_free(c->child);
        loop_source_free(c->deadline);
        for (size_t i = 0; i < 2; i++) {
                loop_source_free(c->sources[i]);
                fd_close(c->fds[i]);
                buffer_done(&c->texts[i]);
        }
        if (c->pidfd >= 0) {
                (void) process_kill(c->pidfd, SIGKILL);
                if (process_wait(c->pidfd, 0, &si) == 0)
                        leave(c->event, TAKE_FD(c->pidfd));
                else {
                        fd_close(c->pidfd);
                        n_together--;
                }
        } else
                n_together--;
        free(c);
        return NULL;
}

static void finish(PsCall *c, int r, const Error *e) {
        ps_done_t done = c->done;
        void *userdata = c->userdata;
        char *text = r >= 0 ? buffer_take_string(&c->texts[0], NULL) : NULL;

        ps_call_free(c);
        done(r >= 0 && !text ? -ENOMEM : r, text, e, userdata);
        free(text);
}

/* All that is there: 1 more may come, 0 it is over. */
static int drain(PsCall *c, size_t i) {
        for (;;) {
                char *room;
                ssize_t n;
                int r;

                r = buffer_reserve(&c->texts[i], PS_CHUNK, &room);
                if (r < 0)
                        return r;
                n = read(c->fds[i], room, PS_CHUNK);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 1 : -errno;
                if (n == 0)
                        return 0;
                buffer_commit(&c->texts[i], (size_t) n);
        }
}

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        _cleanup_(error_done) Error e = {};
        PsCall *c = userdata;
        size_t i = fd == c->fds[0] ? 0 : 1;
        int r;

        r = drain(c, i);
        if (r < 0) {
                r = error_set_errno(&e, r, "Failed to read what ps says");
                finish(c, r, &e);
        } else if (r == 0)
                c->sources[i] = loop_source_free(c->sources[i]);
        return 0;
}

static int on_child(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        _cleanup_(error_done) Error e = {};
        PsCall *c = userdata;
        siginfo_t si = {};
        int r;

        r = process_wait(c->pidfd, 0, &si);
        if (r == 0)
                return 0;
        c->child = loop_source_free(c->child);
        c->pidfd = fd_close(c->pidfd);
        for (size_t i = 0; i < 2 && r >= 0; i++)
                if (c->sources[i])
                        r = drain(c, i);
        if (r < 0)
                r = error_set_errno(&e, r, "Failed to read what ps says");
        else if (process_exit_code(&si) != 0) {
                const char *text = buffer_string(&c->texts[1]);

                r = error_set(&e, ERROR_INTERNAL, "ps: %.*s",
                        (int) MIN(strcspn(str_or_empty(text), "\n"), (size_t) 1000),
                        str_or_empty(text));
        }
        finish(c, r < 0 ? r : 0, &e);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = error_set(&e, ERROR_TIMEOUT, "ps does not end");
        finish(userdata, r, &e);
        return 0;
}

static int spawn(char *const *args, const int pipes[2][2], int *ret_pidfd) {
        static const char *const paths[] = { "/usr/bin/ps", "/bin/ps" };
        static char *const env[] = { (char *) "LC_ALL=C.UTF-8", NULL };
        _cleanup_(strv_freep) char **argv = NULL;
        const ProcessFd fds[] = { { pipes[0][1], 1 }, { pipes[1][1], 2 } };
        pid_t pid;
        int r;

        r = strv_add(&argv, "ps");
        if (r >= 0)
                r = strv_add_all(&argv, args);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(paths); i++) {
                const ProcessSpec spec = {
                        .path = paths[i],
                        .argv = argv,
                        .env = env,
                        .fds = fds,
                        .n_fds = ARRAY_SIZE(fds),
                        .death_signal = SIGKILL,
                };
                int q = process_spawn(&spec, &pid, ret_pidfd);

                if (q != -ENOENT || i + 1 == ARRAY_SIZE(paths))
                        return q;
        }
        return r;
}

static int watch(sd_event *event, PsCall *c) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < 2; i++)
                r = loop_io(event, c->fds[i], EPOLLIN, LOOP_CHANNEL, "ps-output", on_output, c,
                        &c->sources[i]);
        if (r >= 0)
                r = loop_io(event, c->pidfd, EPOLLIN, LOOP_CHILD, "ps", on_child, c, &c->child);
        if (r >= 0)
                r = loop_timer(
                        event, PS_USEC, LOOP_TIMER, "ps-deadline", on_deadline, c, &c->deadline);
        return r;
}

int ps_run(sd_event *event, char *const *args, ps_done_t done, void *userdata, PsCall **ret,
        Error *reterr) {
        _cleanup_(ps_call_freep) PsCall *c = NULL;
        int pipes[2][2] = { { -EBADF, -EBADF }, { -EBADF, -EBADF } }, r;

        assert(event);
        assert(done);
        assert(ret);

        if (n_together >= PS_TOGETHER_MAX)
                return error_set(reterr, ERROR_UNAVAILABLE, "too many ps run already");
        c = new0(PsCall, 1);
        if (!c)
                return -ENOMEM;
        n_together++;
        c->event = event;
        c->pidfd = c->fds[0] = c->fds[1] = -EBADF;
        c->done = done;
        c->userdata = userdata;
        c->texts[0].max = PS_OUTPUT_MAX;
        c->texts[1].max = PS_WORDS_MAX;

        r = fd_pipe(pipes[0], 0);
        if (r >= 0)
                r = fd_pipe(pipes[1], 0);
        if (r >= 0)
                r = spawn(args, pipes, &c->pidfd);
        for (size_t i = 0; i < 2; i++) {
                c->fds[i] = pipes[i][0];
                fd_close(pipes[i][1]);
        }
        for (size_t i = 0; r >= 0 && i < 2; i++)
                r = fd_set_nonblock(c->fds[i], true);
        if (r >= 0)
                r = watch(event, c);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to run ps");

        *ret = TAKE_PTR(c);
        return 0;
}
