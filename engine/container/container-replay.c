/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "engine/container/attach.h"
#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/event/loop.h"

/* attach with logs: the client reads the log, then what comes live, nothing twice and nothing left out.
 *
 * While the log is read, from here and at the client's pace, the monitor knows nothing of him, so that he holds nobody up. When he has read all
 * there is, the monitor takes him with his output held, and says how far the log is at this moment, which is where his output there begins.
 * The little up to there is read, then the monitor is told to let go. When the process ends meanwhile, the log has everything, and is read to
 * its end; the monitor, from which the daemon has taken the exit, forgets the client. */

#define OUTPUT_HIGH ((size_t) 256 * 1024)
#define OUTPUT_LOW  ((size_t) 64 * 1024)
#define REPLAYS_MAX 1024U /* of all containers: each holds two fds and up to OUTPUT_HIGH bytes */

typedef enum ReplayPhase {
        REPLAY_READING, /* what was there, and what comes meanwhile */
        REPLAY_ASKED,   /* the monitor is asked to take the client; the reader rests */
        REPLAY_REST,    /* up to the place that it told */
        REPLAY_OVER,    /* what waits is the last */
} ReplayPhase;

typedef struct Replay {
        ListNode node; /* in the set */
        Containers *set;
        Container *container; /* NULL: it is gone, the log is still read */
        AttachClient *client; /* until the monitor has it */
        ContainerLog *log;
        int fd; /* a copy of the client's */
        StreamFraming framing;
        sd_event_source *io;
        Buffer output;
        ReplayPhase phase;
        uint64_t hold; /* of the monitor that keeps it for us; 0: none does */
} Replay;

static Replay *replay_free(Replay *p) {
        if (!p)
                return NULL;
        list_remove(&p->node);
        p->set->n_replays--;
        if (p->container)
                monitor_link_forget(p->container->link, p);
        container_log_free(p->log);
        loop_source_free(p->io);
        if (p->hold != 0)
                (void) shutdown(p->fd, SHUT_RDWR); /* nobody will ever let go of it */
        (void) fd_close(p->fd);
        attach_client_free(p->client);
        buffer_done(&p->output);
        return mfree(p);
}
DEFINE_CLEANUP(Replay *, replay_free);

static int replay_arm(Replay *p) {
        return sd_event_source_set_io_events(p->io, buffer_empty(&p->output) ? 0 : EPOLLOUT);
}

/* Nothing more comes but what is said here. */
static void replay_end(Replay *p, const char *error) {
        int r;

        p->log = container_log_free(p->log);
        p->phase = REPLAY_OVER;
        r = error ? attach_append_error(&p->output, p->framing, error)
                  : stream_frame_append_end(&p->output, p->framing);
        if (r < 0 || buffer_empty(&p->output) || replay_arm(p) < 0)
                replay_free(p);
}

static void on_asked(int r, const Error *e, void *userdata) {
        Replay *p = userdata;

        p->client = attach_client_free(p->client);
        if (r >= 0 && p->phase == REPLAY_ASKED)
                replay_free(p); /* it has left again */
        else if (r < 0 && (e->kind == ERROR_NOT_RUNNING || !p->container ||
                                  !container_is_running(p->container))) {
                p->phase = REPLAY_READING; /* the log says the rest, and ends */
                p->hold = 0;
                container_log_resume(p->log);
        } else if (r < 0) {
                p->hold = 0;
                replay_end(p, error_text(e, r));
        }
}

static int replay_ask(Replay *p) {
        AttachClient *k = p->client;
        Container *c = p->container;

        container_log_pause(p->log);
        p->phase = REPLAY_ASKED;
        p->hold = k->command.hold = ++c->set->last_hold;
        return monitor_link_command_fds(c->link, &k->command, (const int[]) { k->fd, k->early_fd },
                k->early_fd < 0 ? 1 : 2, on_asked, p);
}

/* The client has read all that there is for now. */
static void replay_caught_up(Replay *p) {
        _cleanup_(error_done) Error e = {};
        int r;

        if (p->phase == REPLAY_REST) {
                const MonitorCommand release = { .type = MONITOR_RELEASE, .hold = p->hold };

                if (p->container && p->container->link)
                        (void) monitor_link_command(p->container->link, &release, NULL, NULL);
                p->hold = 0;
                replay_free(p);
                return;
        }
        if (!p->client || !p->container)
                return; /* its process ends: on_end() follows */
        if (container_takes_clients(p->container))
                r = replay_ask(p);
        else {
                r = attach_client_go_on(p->client, &e);
                if (r >= 0) {
                        p->client = NULL; /* it waits for the start */
                        replay_free(p);
                        return;
                }
        }
        if (r < 0)
                replay_end(p, error_text(&e, r));
}

static void on_idle(void *userdata) {
        Replay *p = userdata;

        if (buffer_empty(&p->output) && p->phase != REPLAY_ASKED)
                replay_caught_up(p);
}

static void on_message(const LogMessage *m, void *userdata) {
        Replay *p = userdata;
        int r;

        r = stream_frame_append(&p->output, p->framing,
                m->stream == LOG_STREAM_STDERR ? FRAME_STDERR : FRAME_STDOUT, m->data, m->size);
        if (r >= 0)
                r = replay_arm(p);
        if (r < 0)
                replay_free(p);
        else if (buffer_size(&p->output) >= OUTPUT_HIGH)
                container_log_pause(p->log);
}

static void on_end(int r, void *userdata) {
        replay_end(userdata, r < 0 ? "the log cannot be read on" : NULL);
}

static int replay_flush(Replay *p) {
        while (!buffer_empty(&p->output)) {
                ssize_t n = send(p->fd, buffer_head(&p->output), buffer_size(&p->output),
                        MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                buffer_consume(&p->output, (size_t) n);
        }
        return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Replay *p = userdata;

        if ((revents & (EPOLLHUP | EPOLLERR)) || replay_flush(p) < 0 || replay_arm(p) < 0) {
                replay_free(p);
                return 0;
        }
        if (p->phase == REPLAY_OVER) {
                if (buffer_empty(&p->output))
                        replay_free(p);
                return 0;
        }
        if (p->phase != REPLAY_ASKED && buffer_size(&p->output) < OUTPUT_LOW)
                container_log_resume(p->log); /* looks once more, and is idle again */
        return 0;
}

/* ---- the container's side ---- */

void container_handle_held(Container *c, const MonitorRecord *record) {
        const LogPlace place = {
                .inode = record->log_inode,
                .offset = record->log_offset,
                .epoch = record->log_epoch,
                .ordinal = record->log_ordinal,
        };
        Replay *p;

        if (!c->set) /* it has not been in a set yet */
                return;
        LIST_FOREACH (p, &c->set->replays, node) {
                if (p->container != c || p->phase != REPLAY_ASKED || p->hold != record->hold)
                        continue;
                p->phase = REPLAY_REST;
                if (container_log_read_to(p->log, &place) < 0)
                        replay_free(p);
                else
                        container_log_resume(p->log);
                return;
        }
}

void container_replays_forget(Container *c) {
        Replay *p;

        if (!c->set) /* it has not been in a set yet */
                return;
        LIST_FOREACH (p, &c->set->replays, node) {
                if (p->container != c)
                        continue;
                p->container = NULL;
                p->client = attach_client_free(p->client);
        }
}

void container_replays_free(Containers *s) {
        Replay *p;

        LIST_FOREACH_SAFE (p, &s->replays, node)
                replay_free(p);
}

int container_replay(AttachClient *k, bool follow, Error *reterr) {
        _cleanup_(replay_freep) Replay *p = NULL;
        LogReadOptions options = LOG_READ_OPTIONS_ALL;
        Container *c = k->container;
        int r;

        if (c->set->n_replays >= REPLAYS_MAX)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "%u clients read logs before they are attached already", REPLAYS_MAX);
        p = new0(Replay, 1);
        if (!p)
                return -ENOMEM;
        p->set = c->set;
        p->set->n_replays++;
        p->container = c;
        p->framing = k->framing;
        p->fd = fd_dup(k->fd);
        if (p->fd < 0)
                return p->fd;
        list_append(&c->set->replays, &p->node);

        options.follow = follow;
        options.with_stdout = k->command.attach_stdout;
        options.with_stderr = k->command.attach_stderr;
        r = container_logs_keep(c, &options, on_message, on_idle, on_end, p, &p->log, reterr);
        if (r >= 0)
                r = loop_io(
                        c->set->event, p->fd, 0, LOOP_STREAM, "attach-replay", on_io, p, &p->io);
        if (r < 0)
                return r;

        attach_client_complete(k);
        p->client = k;
        TAKE_PTR(p);
        return 0;
}
