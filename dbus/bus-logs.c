/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-logs.h"

#include <sys/epoll.h>

#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/list.h"
#include "lib/event/loop.h"

#define LOGS_BUFFER_HIGH (256U * 1024)
#define LOGS_PER_UID_MAX 256U /* each is three descriptors of ours and a pipe in the kernel */

typedef struct BusLogs {
        ListNode node;
        uid_t uid;
        ContainerLog *log;
        Buffer buffer;
        int fd;
        sd_event_source *source;
        bool timestamps;
        bool ended;
        bool paused;
} BusLogs;

/* They live by themselves. */
static List all_logs;

static BusLogs *bus_logs_free(BusLogs *l) {
        if (!l)
                return NULL;

        list_remove(&l->node);
        container_log_free(l->log);
        loop_source_free(l->source);
        fd_close(l->fd);
        buffer_done(&l->buffer);
        return mfree(l);
}
DEFINE_CLEANUP(BusLogs *, bus_logs_free);

static int on_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        BusLogs *l = userdata;
        ssize_t n = 0;

        if (!buffer_empty(&l->buffer))
                n = buffer_write_fd(&l->buffer, l->fd);

        /* EPOLLERR: nobody has the other end any more. */
        if ((n < 0 && n != -EAGAIN && n != -EINTR) || (revents & EPOLLERR) ||
                (l->ended && buffer_empty(&l->buffer))) {
                bus_logs_free(l);
                return 0;
        }

        if (buffer_empty(&l->buffer)) {
                (void) sd_event_source_set_io_events(l->source, 0); /* EPOLLERR still comes */
                if (l->paused) {
                        l->paused = false;
                        container_log_resume(l->log);
                }
        }
        return 0;
}

static void on_message(const LogMessage *m, void *userdata) {
        char time[CLOCK_TEXT_SIZE];
        BusLogs *l = userdata;
        int r = 0;

        if (l->timestamps)
                r = buffer_printf(
                        &l->buffer, "%s ", clock_format_fixed((int64_t) m->time_nsec, time));
        if (r >= 0)
                (void) buffer_append(&l->buffer, m->data, m->size);
        (void) sd_event_source_set_io_events(l->source, EPOLLOUT);

        if (buffer_size(&l->buffer) >= LOGS_BUFFER_HIGH && !l->paused) {
                l->paused = true;
                container_log_pause(l->log);
        }
}

static void on_end(int r, void *userdata) {
        BusLogs *l = userdata;

        l->ended = true;
        l->log = container_log_free(l->log);
        (void) sd_event_source_set_io_events(l->source, EPOLLOUT);
}

static unsigned count_logs(uid_t uid) {
        unsigned n = 0;
        BusLogs *l;

        if (!list_empty(&all_logs))
                LIST_FOREACH (l, &all_logs, node)
                        n += l->uid == uid;
        return n;
}

int bus_logs_open(Container *c, const LogReadOptions *options, int timestamps, uid_t uid,
        int *ret_fd, Error *reterr) {
        _cleanup_(bus_logs_freep) BusLogs *l = NULL;
        _cleanup_(fd_closep) int read_fd = -EBADF;
        int fds[2], r;

        if (count_logs(uid) >= LOGS_PER_UID_MAX)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "%u logs are open already: close one before you ask for another",
                        LOGS_PER_UID_MAX);

        l = new0(BusLogs, 1);
        if (!l)
                return -ENOMEM;
        l->uid = uid;
        l->timestamps = timestamps;
        list_append(&all_logs, &l->node);
        l->fd = -EBADF;

        r = fd_pipe(fds, O_NONBLOCK);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make a pipe for the log");
        read_fd = fds[0];
        l->fd = fds[1];
        (void) fd_set_nonblock(read_fd, false);

        r = loop_io(
                container_event(c), l->fd, 0, LOOP_STREAM, "bus-logs", on_writable, l, &l->source);
        if (r < 0)
                return r;

        r = container_logs(c, options, on_message, on_end, l, &l->log, reterr);
        if (r < 0)
                return r;

        (void) TAKE_PTR(l);
        *ret_fd = TAKE_FD(read_fd);
        return 0;
}
