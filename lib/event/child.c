/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/event/channel.h"
#include "lib/event/loop.h"

struct Child {
        sd_event *event;
        pid_t pid;
        int pidfd;
        bool ours; /* we are the parent: we reap */
        bool ended;
        Channel *channel;
        sd_event_source *exit_source;
        sd_event_source *kill_timer;
        uint64_t kill_at; /* monotonic, 0: no time set */
        const ChildOps *ops;
        void *userdata;
};

Child *child_free(Child *c) {
        siginfo_t si;

        if (!c)
                return NULL;

        loop_source_free(c->exit_source);
        loop_source_free(c->kill_timer);
        channel_free(c->channel);
        if (c->ours && !c->ended && c->pidfd >= 0) {
                (void) process_kill(c->pidfd, SIGKILL);
                (void) process_wait(c->pidfd, USEC_INFINITE, &si);
        }
        (void) fd_close(c->pidfd);
        sd_event_unref(c->event);
        free(c);
        return NULL;
}

static int on_channel_record(
        Channel *channel, Json *record, int *fds, size_t n_fds, void *userdata) {
        Child *c = userdata;

        if (!c->ops->on_record)
                return -EPROTO;

        return c->ops->on_record(c, record, fds, n_fds, c->userdata);
}

static int on_exit_event(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Child *c = userdata;
        siginfo_t si = {};

        /* The channel has the better priority, but reads in bursts and may be paused: what the
         * child said last is delivered now, whatever the order of the loop was. */
        if (c->channel) {
                (void) channel_pause(c->channel, false);
                if (channel_drain(c->channel) == 0)
                        return 0;
        }

        if (c->ours && process_wait(c->pidfd, USEC_INFINITE, &si) < 0)
                si = (siginfo_t) {}; /* somebody waited for all children: how it ended is lost */
        c->ended = true;
        c->exit_source = loop_source_free(c->exit_source);
        c->kill_timer = loop_source_free(c->kill_timer);

        if (c->ops->on_exit)
                c->ops->on_exit(c, &si, c->userdata);
        return 0;
}

static int attach(Child *c, int channel_fd) {
        int r;

        r = loop_io(c->event, c->pidfd, EPOLLIN, LOOP_CHILD, c->ops->name, on_exit_event, c,
                &c->exit_source);
        if (r < 0) {
                (void) fd_close(channel_fd);
                return r;
        }

        if (channel_fd >= 0)
                return channel_new(c->event, channel_fd, c->ops->name, on_channel_record, NULL, c,
                        &c->channel);
        return 0;
}

int child_adopt(sd_event *e, pid_t pid, int pidfd, int channel_fd, const ChildOps *ops,
        void *userdata, Child **ret) {
        _cleanup_(fd_closep) int taken_pidfd = pidfd, taken_channel = channel_fd;
        _cleanup_(child_freep) Child *c = NULL;
        int r;

        assert(e);
        assert(pidfd >= 0);
        assert(ops && ops->name);
        assert(ret);

        c = new0(Child, 1);
        if (!c)
                return -ENOMEM;

        c->event = sd_event_ref(e);
        c->pid = pid;
        c->pidfd = TAKE_FD(taken_pidfd);
        c->ops = ops;
        c->userdata = userdata;

        r = attach(c, TAKE_FD(taken_channel));
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

int child_spawn(sd_event *e, const ProcessSpec *spec, bool with_channel, const ChildOps *ops,
        void *userdata, Child **ret) {
        _cleanup_(fd_closep) int own_end = -EBADF, other_end = -EBADF, pidfd = -EBADF;
        ProcessFd fds[PROCESS_FDS_MAX];
        ProcessSpec copy;
        int copy_fd, r;
        pid_t pid;

        assert(e);
        assert(spec);
        assert(ops && ops->name);
        assert(ret);

        copy = *spec;
        if (with_channel) {
                int pair[2];

                if (spec->n_fds >= PROCESS_FDS_MAX)
                        return -E2BIG;
                r = channel_pair(pair);
                if (r < 0)
                        return r;
                own_end = pair[0];
                other_end = pair[1];

                for (size_t i = 0; i < spec->n_fds; i++) {
                        assert(spec->fds[i].target != CHILD_CHANNEL_FD);
                        fds[i] = spec->fds[i];
                }
                fds[copy.n_fds++] = (ProcessFd) { other_end, CHILD_CHANNEL_FD };
                copy.fds = fds;
        }

        r = process_spawn(&copy, &pid, &pidfd);
        if (r < 0)
                return r;

        copy_fd = fd_dup(pidfd);
        r = copy_fd < 0 ? copy_fd
                        : child_adopt(e, pid, copy_fd, TAKE_FD(own_end), ops, userdata, ret);
        if (r < 0) {
                siginfo_t si;

                (void) process_kill(pidfd, SIGKILL);
                (void) process_wait(pidfd, USEC_INFINITE, &si);
                return r;
        }
        (*ret)->ours = true;
        return 0;
}

int child_send(Child *c, const Json *record, const int *fds, size_t n_fds) {
        assert(c);

        if (!c->channel)
                return -ENOTCONN;

        return channel_queue(c->channel, record, fds, n_fds);
}

int child_kill(Child *c, int sig) {
        assert(c);

        return c->ended ? -ESRCH : process_kill(c->pidfd, sig);
}

static int on_kill_time(sd_event_source *s, uint64_t usec, void *userdata) {
        Child *c = userdata;

        (void) child_kill(c, SIGKILL);
        return 0;
}

int child_terminate(Child *c, uint64_t grace_usec) {
        uint64_t at;
        int r;

        assert(c);

        if (c->ended)
                return -ESRCH;

        at = usec_add(clock_monotonic_us(), grace_usec);
        if (c->kill_at != 0 && at >= c->kill_at)
                return 0;

        if (c->kill_at == 0) {
                r = child_kill(c, SIGTERM);
                if (r < 0)
                        return r;
        }

        r = loop_timer(
                c->event, grace_usec, LOOP_TIMER, c->ops->name, on_kill_time, c, &c->kill_timer);
        if (r < 0)
                return r;
        c->kill_at = at;
        return 0;
}

pid_t child_pid(const Child *c) {
        assert(c);

        return c->pid;
}

int child_pidfd(const Child *c) {
        assert(c);

        return c->pidfd;
}
