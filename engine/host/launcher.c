/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/host/launcher.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

#define CALLS_MAX 4096u

typedef struct Call Call;

/* One request, from launcher_start() until its answer; kept in the order of the wire. */
struct Call {
        LauncherRequest request;
        int fds[LAUNCHER_FDS_MAX];
        size_t n_fds;
        bool sent;
        int result;                    /* negative: failed before an answer could come */
        launcher_started_t on_started; /* NULL: forgotten */
        void *userdata;
        ListNode by_order;
};

struct Launcher {
        sd_event *event;
        char *socket_path;
        int fd;
        sd_event_source *io;
        sd_event_source *
                failures; /* tells of failed calls from the loop, never from inside launcher_start() */
        uint64_t last_tag;
        List calls;
        size_t n_calls;
        launcher_exited_t on_exited;
        void *exited_userdata;
};

static Call *call_free(Call *c) {
        if (!c)
                return NULL;
        fd_close_many(c->fds, c->n_fds);
        list_remove(&c->by_order);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(Call *, call_free);

static void call_finish(Launcher *l, Call *c, int r, int pid, int pidfd) {
        launcher_started_t on_started = c->on_started;
        void *userdata = c->userdata;

        l->n_calls--;
        (void) call_free(c);
        if (on_started)
                on_started(r, pid, pidfd, userdata); /* takes pidfd */
        else
                (void) fd_close(pidfd);
}

static void launcher_disconnect(Launcher *l, int r) {
        Call *c;

        l->io = loop_source_free(l->io);
        l->fd = fd_close(l->fd);
        LIST_FOREACH (c, &l->calls, by_order)
                if (c->sent && c->result == 0)
                        c->result = r;
}

static int launcher_on_failures(sd_event_source *source, void *userdata) {
        Launcher *l = userdata;

        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        for (;;) {
                Call *c, *failed = NULL;

                LIST_FOREACH (c, &l->calls, by_order)
                        if (c->result < 0) {
                                failed = c;
                                break;
                        }
                if (!failed)
                        return 0;
                call_finish(l, failed, failed->result, 0, -EBADF);
        }
}

static void launcher_tell_failures(Launcher *l) {
        (void) sd_event_source_set_enabled(l->failures, SD_EVENT_ONESHOT);
}

static int launcher_on_io(sd_event_source *source, int fd, uint32_t events, void *userdata);

static int launcher_connect(Launcher *l) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        if (l->fd >= 0)
                return 0;
        memcpy(a.sun_path, l->socket_path, strlen(l->socket_path) + 1);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &a, sizeof(a)) < 0)
                return -errno;
        r = loop_io(l->event, fd, EPOLLIN, LOOP_CHANNEL, "launcher", launcher_on_io, l, &l->io);
        if (r < 0)
                return r;
        l->fd = TAKE_FD(fd);
        return 0;
}

static int call_send(Launcher *l, const Call *c) {
        int r;

        r = launcher_connect(l);
        if (r < 0)
                return r;
        return fd_send(l->fd, &c->request, sizeof(c->request), c->fds, c->n_fds, MSG_DONTWAIT);
}

/* Sends what has not been sent, as far as the socket takes it. */
static void launcher_flush(Launcher *l) {
        bool waiting = false;
        Call *c;
        int r;

        LIST_FOREACH (c, &l->calls, by_order) {
                if (c->sent || c->result < 0)
                        continue;

                r = call_send(l, c);
                if (r == -EPIPE || r == -ECONNRESET) {
                        /* It ended before we heard of it. Nothing of this call has left, so the next one may have it. */
                        launcher_disconnect(l, -ECONNRESET);
                        launcher_tell_failures(l);
                        r = call_send(l, c);
                }
                if (r == -EAGAIN && l->fd >= 0) {
                        waiting = true;
                        break;
                }
                if (r < 0) {
                        c->result = r == -EPIPE ? -ECONNRESET : r;
                        if (c->result == -ECONNRESET)
                                launcher_disconnect(l, -ECONNRESET);
                        launcher_tell_failures(l);
                        continue;
                }
                c->sent = true;
                fd_close_many(c->fds, c->n_fds);
                c->n_fds = 0;
        }

        if (l->io)
                (void) sd_event_source_set_io_events(l->io, EPOLLIN | (waiting ? EPOLLOUT : 0));
}

static int launcher_handle(Launcher *l, const LauncherMessage *m, int *pidfd) {
        Call *c;

        if (m->version != LAUNCHER_VERSION)
                return -EPROTO;

        if (m->type == LAUNCHER_EXIT) {
                if (l->on_exited)
                        l->on_exited(m->pid, m->code, m->status, l->exited_userdata);
                return 0;
        }
        if (m->type != LAUNCHER_ANSWER)
                return -EPROTO;

        c = list_first(&l->calls, Call, by_order);
        if (!c || !c->sent || c->request.tag != m->tag || m->error > 0 ||
                (m->error == 0 && *pidfd < 0))
                return -EPROTO;
        call_finish(l, c, m->error, m->pid, TAKE_FD(*pidfd));
        return 0;
}

/* 1: one message, 0: nothing there */
static int launcher_receive(Launcher *l) {
        _cleanup_(fd_closep) int pidfd = -EBADF;
        size_t n_fds = 1;
        LauncherMessage m;
        ssize_t n;
        int r;

        n = fd_receive(l->fd, &m, sizeof(m), &pidfd, &n_fds, NULL, MSG_DONTWAIT);
        if (n == -EAGAIN || n == -EINTR)
                return 0;
        if (n < 0)
                return (int) n;
        if (n == 0)
                return -ECONNRESET;
        if (n != sizeof(m))
                return -EPROTO;
        r = launcher_handle(l, &m, &pidfd);
        return r < 0 ? r : 1;
}

static int launcher_on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Launcher *l = userdata;
        int r = 0;

        do
                r = launcher_receive(l);
        while (r > 0 && l->fd == fd);

        if (r < 0 && l->fd == fd) {
                if (r != -ECONNRESET)
                        log_warning_errno(
                                r, "Lost stauer-launcher: %m, connecting again when needed");
                launcher_disconnect(l, r);
                launcher_tell_failures(l);
        }
        launcher_flush(l);
        return 0;
}

static bool label_is_valid(const char *label) {
        size_t n = strlen(label);

        return n > 0 && n < LAUNCHER_LABEL_MAX && label[0] != '-' &&
               strspn(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
                       n;
}

int launcher_start(Launcher *l, LauncherProgram program, const char *label, const int *fds,
        size_t n_fds, launcher_started_t on_started, void *userdata, uint64_t *ret_tag) {
        _cleanup_(call_freep) Call *c = NULL;

        assert(l);
        assert(label);
        assert(fds || n_fds == 0);

        if (!label_is_valid(label) || n_fds > LAUNCHER_FDS_MAX)
                return -EINVAL;
        if (l->n_calls >= CALLS_MAX)
                return -EAGAIN;

        c = new0(Call, 1);
        if (!c)
                return -ENOMEM;
        c->on_started = on_started;
        c->userdata = userdata;
        c->request = (LauncherRequest) {
                .version = LAUNCHER_VERSION,
                .program = program,
                .tag = ++l->last_tag,
                .log_level = log_get_max_level(),
        };
        memcpy(c->request.label, label, strlen(label));
        for (; c->n_fds < n_fds; c->n_fds++) {
                int fd = fd_dup(fds[c->n_fds]);

                if (fd < 0)
                        return fd;
                c->fds[c->n_fds] = fd;
        }

        if (ret_tag)
                *ret_tag = c->request.tag;
        list_append(&l->calls, &c->by_order);
        l->n_calls++;
        TAKE_PTR(c);
        launcher_flush(l);
        return 0;
}

void launcher_wake(Launcher *l) {
        const LauncherRequest request = {
                .version = LAUNCHER_VERSION,
                .program = LAUNCHER_WAKE,
                .log_level = LOG_INFO,
                .label = "wake",
        };
        const Call *last = list_last(&l->calls, Call, by_order);

        if ((!last || last->sent) && launcher_connect(l) >= 0)
                (void) fd_send(l->fd, &request, sizeof(request), NULL, 0, MSG_DONTWAIT);
}

void launcher_forget(Launcher *l, uint64_t tag) {
        Call *c;

        LIST_FOREACH (c, &l->calls, by_order)
                if (c->request.tag == tag)
                        c->on_started = NULL;
}

void launcher_set_on_exit(Launcher *l, launcher_exited_t on_exited, void *userdata) {
        l->on_exited = on_exited;
        l->exited_userdata = userdata;
}

int launcher_new(sd_event *e, const char *socket_path, Launcher **ret) {
        _cleanup_(launcher_freep) Launcher *l = NULL;
        int r;

        assert(e);
        assert(socket_path);
        assert(ret);

        if (strlen(socket_path) >= sizeof(((struct sockaddr_un *) NULL)->sun_path))
                return -ENAMETOOLONG;

        l = new0(Launcher, 1);
        if (!l)
                return -ENOMEM;
        l->fd = -EBADF;
        list_init(&l->calls);
        l->event = sd_event_ref(e);

        r = str_copy(&l->socket_path, socket_path);
        if (r < 0)
                return r;
        r = loop_defer(e, LOOP_CHANNEL, "launcher-failures", launcher_on_failures, l, &l->failures);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(l->failures, SD_EVENT_OFF);

        *ret = TAKE_PTR(l);
        return 0;
}

Launcher *launcher_free(Launcher *l) {
        Call *c;

        if (!l)
                return NULL;
        LIST_FOREACH_SAFE (c, &l->calls, by_order)
                (void) call_free(c);
        l->io = loop_source_free(l->io);
        l->failures = loop_source_free(l->failures);
        l->fd = fd_close(l->fd);
        l->event = sd_event_unref(l->event);
        free(l->socket_path);
        free(l);
        return NULL;
}
