/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

#define COMMAND_MAX     ((size_t) 128 * 1024) /* an exec brings its arguments */
#define COMMAND_FDS_MAX 4

static void control_unlink(Control *c) {
        if (c->fd < 0)
                return;
        poller_unwatch(c->poller, &c->watch);
        c->fd = fd_close(c->fd);
        c->finished = false;
        c->on_link(false, c->userdata);
}

void control_hold(Control *c) {
        c->hold = true;
}

/* End of file: the daemon is gone, or (when we are over) content. */
static void control_on_end(Control *c) {
        if (!c->hold) {
                control_unlink(c);
                return;
        }
        poller_unwatch(c->poller, &c->watch);
        c->finished = true;
        c->on_link(false, c->userdata);
}

/* As lib/event/channel.h sends records: a 'J', then the text. Without waiting, which its blocking calls would do. */
static void control_send_text(Control *c, const char *text) {
        const struct iovec iov[] = {
                { .iov_base = (void *) "J", .iov_len = 1 },
                { .iov_base = (void *) text, .iov_len = strlen(text) },
        };
        int r;

        if (c->fd < 0)
                return;
        r = fd_sendv(c->fd, iov, ARRAY_SIZE(iov), NULL, 0, MSG_DONTWAIT);
        if (r < 0) {
                log_debug_errno(r, "Dropped the daemon's connection: %m");
                control_unlink(c);
        }
}

void control_send(Control *c, const MonitorRecord *r) {
        _cleanup_(freep) char *text = NULL;

        if (c->fd >= 0 && json_write_text(r, monitor_record_fields, &text) >= 0)
                control_send_text(c, text);
}

static void control_on_listen(void *userdata, uint32_t events);

int control_tell(Control *c, const MonitorRecord *r) {
        char *text;
        int k;

        k = json_write_text(r, monitor_record_fields, &text);
        if (k < 0)
                return k;
        free(c->state);
        c->state = text;
        if (c->fd >= 0)
                control_send_text(c, text);
        else
                control_on_listen(c, 0); /* who waits there is told at once */
        return 0;
}

static void control_reply(Control *c, uint64_t serial, int r, Error *e) {
        MonitorRecord reply = {
                .type = MONITOR_REPLY, .serial = serial, .accounting = ACCOUNTING_NULL
        };

        if (r < 0) {
                (void) error_set_errno(e, r, "The monitor failed"); /* when nobody said more */
                reply.error_kind = (char *) error_kind_to_string(e->kind);
                reply.error = e->text;
        }
        control_send(c, &reply);
}

static int control_handle(Control *c, const char *text, size_t size, int *fds, size_t n_fds) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(monitor_command_done) MonitorCommand command = {};
        int r;

        r = json_read_text(text, size, monitor_command_fields, &command, 0, &e);
        if (r < 0)
                return r;
        r = c->on_command(&command, fds, n_fds, c->userdata, &e);
        if (command.type != MONITOR_GO)
                control_reply(c, command.serial, r, &e);
        return 0;
}

static void control_on_ready(void *userdata, uint32_t events) {
        char text[COMMAND_MAX];
        Control *c = userdata;
        int fds[COMMAND_FDS_MAX];
        size_t n_fds = ARRAY_SIZE(fds);
        ssize_t n;

        n = fd_receive(c->fd, text, sizeof(text), fds, &n_fds, NULL, MSG_DONTWAIT);
        if (n == -EAGAIN || n == -EINTR)
                return;
        if (n <= 0) {
                control_on_end(c);
                return;
        }
        if (text[0] != 'J' || control_handle(c, text + 1, (size_t) n - 1, fds, n_fds) < 0) {
                log_warning("The daemon sent something that is no command, hanging up");
                control_unlink(c);
        }
        fd_close_many(fds, n_fds);
}

static void control_on_listen(void *userdata, uint32_t events) {
        _cleanup_(fd_closep) int fd = -EBADF;
        Control *c = userdata;
        struct ucred peer;

        fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return;
        if (fd_peer_credentials(fd, &peer) < 0 || (peer.uid != 0 && peer.uid != geteuid())) {
                log_warning("Refused a connection that is not from root");
                return;
        }
        poller_unwatch(c->poller, &c->watch); /* of an older daemon, quietly */
        c->fd = fd_close(c->fd);
        c->finished = false;
        if (poller_watch(c->poller, &c->watch, fd, EPOLLIN | EPOLLRDHUP, control_on_ready, c) < 0)
                return;
        c->fd = TAKE_FD(fd);
        c->on_link(true, c->userdata);
        if (c->state)
                control_send_text(c, c->state);
}

int control_init(Control *c, Poller *p, int listen_fd, control_command_t on_command,
        control_link_t on_link, void *userdata) {
        *c = (Control) {
                .poller = p,
                .listen_fd = listen_fd,
                .fd = -EBADF,
                .on_command = on_command,
                .on_link = on_link,
                .userdata = userdata,
        };
        (void) fd_set_nonblock(listen_fd, true);
        return poller_watch(p, &c->listen_watch, listen_fd, EPOLLIN, control_on_listen, c);
}

void control_done(Control *c) {
        if (!c->poller)
                return;
        poller_unwatch(c->poller, &c->watch);
        poller_unwatch(c->poller, &c->listen_watch);
        c->fd = fd_close(c->fd);
        c->listen_fd = fd_close(c->listen_fd);
        c->state = mfree(c->state);
        c->poller = NULL;
}
