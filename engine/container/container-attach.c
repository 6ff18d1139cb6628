/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <sys/epoll.h>

#include "engine/container/containers.h"
#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/container/start.h"
#include "engine/core/pending.h"
#include "lib/api/detach-keys.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

/* The monitor serves attached clients by itself. Who comes before there is one is kept until the next start, and handed over before the
 * process runs, so that he gets its first byte. */

#define WAITING_MAX 128U /* of one container */

typedef struct Waiting {
        ListNode node;
        int fd;
        int early_fd; /* sealed memfd, or none */
        MonitorCommand command;
        sd_event_source *gone;
} Waiting;

static Waiting *waiting_free(Waiting *w) {
        if (!w)
                return NULL;
        list_remove(&w->node);
        loop_source_free(w->gone);
        (void) fd_close(w->fd);
        (void) fd_close(w->early_fd);
        monitor_command_done(&w->command);
        return mfree(w);
}
DEFINE_CLEANUP(Waiting *, waiting_free);

static int on_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        waiting_free(userdata);
        return 0;
}

static int hand_over(Container *c, const Waiting *w) {
        const int fds[] = { w->fd, w->early_fd };

        return monitor_link_command_fds(
                c->link, &w->command, fds, w->early_fd < 0 ? 1 : 2, NULL, NULL);
}

void container_attach_hand_over(Container *c) {
        Waiting *w;

        LIST_FOREACH_SAFE (w, &c->waiting_clients, node) {
                int r = c->link ? hand_over(c, w) : -ENOTCONN;

                if (r < 0)
                        (void) log_container_warning(
                                c, r, "Failed to hand a client to the monitor: %m, dropping it");
                waiting_free(w);
        }
}

void container_attach_drop(Container *c) {
        Waiting *w;

        LIST_FOREACH_SAFE (w, &c->waiting_clients, node)
                waiting_free(w);
}

int container_attach_check(Container *c, const AttachOptions *o, Error *reterr) {
        DetachKeys keys;

        assert(c);
        assert(o);

        if (c->state == CONTAINER_REMOVING || c->remove)
                return error_set(reterr, ERROR_CONFLICT,
                        "container %s is marked for removal and cannot be attached to", c->id);
        if (c->state == CONTAINER_PAUSED)
                return error_set(reterr, ERROR_CONFLICT,
                        "container %s is paused, unpause the container before attach", c->id);
        if (container_is_restarting(c))
                return error_set(reterr, ERROR_CONFLICT,
                        "container %s is restarting, wait until the container is running", c->id);
        return detach_keys_parse(o->detach_keys, &keys, reterr);
}

static bool has_process(const Container *c) {
        return c->link &&
               (container_is_running(c) ||
                       (c->start && c->start->phase == START_MONITOR && c->start->scope_done));
}

int container_attach(Container *c, const AttachOptions *o, int fd, const void *early,
        size_t early_size, Error *reterr) {
        _cleanup_(waiting_freep) Waiting *w = NULL;
        int r;

        assert(c);
        assert(o);

        w = new0(Waiting, 1);
        if (!w) {
                (void) fd_close(fd);
                return -ENOMEM;
        }
        w->fd = fd;
        w->early_fd = -EBADF;
        r = container_attach_check(c, o, reterr);
        if (r < 0)
                return r;

        w->command = (MonitorCommand) {
                .type = MONITOR_ATTACH,
                .attach_stdin = o->in && c->spec.config.open_stdin,
                .attach_stdout = o->out,
                .attach_stderr = o->err,
                .raw = o->raw,
        };
        r = str_copy(&w->command.detach_keys, str_or_empty(o->detach_keys));
        if (r < 0)
                return r;
        if (early_size > 0) {
                w->early_fd = fd_memfd_sealed("early-input", early, early_size);
                if (w->early_fd < 0)
                        return w->early_fd;
        }

        if (has_process(c)) {
                r = hand_over(c, w);
                if (r < 0)
                        return error_set_errno(reterr, r,
                                "the monitor of container %s does not take "
                                "it",
                                c->id);
        } else {
                unsigned n = 0;
                Waiting *other;

                LIST_FOREACH (other, &c->waiting_clients, node)
                        n++;
                if (n >= WAITING_MAX)
                        return error_set(reterr, ERROR_UNAVAILABLE,
                                "%u clients wait for the start of container %s already", n, c->id);
                r = loop_io(c->set->event, w->fd, EPOLLHUP, LOOP_REQUEST, "attach-waiting", on_gone,
                        w, &w->gone);
                if (r < 0)
                        return r;
                list_append(&c->waiting_clients, &w->node);
                TAKE_PTR(w);
        }
        container_publish(c, "attach", NULL, NULL);
        return 0;
}

/* ---- resize ---- */

int container_resize(Container *c, uint32_t height, uint32_t width, Pending *p, Error *reterr) {
        const MonitorCommand command = { .type = MONITOR_RESIZE, .height = height, .width = width };
        _cleanup_(strv_freep) char **attributes = NULL;
        int r;

        assert(c);
        assert(p);

        r = container_check_running(c, reterr);
        if (r < 0)
                return r;
        if (!c->link)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "the monitor of container %s is not there", c->id);
        if (strv_addf(&attributes, "height=%" PRIu32, height) < 0 ||
                strv_addf(&attributes, "width=%" PRIu32, width) < 0)
                return -ENOMEM;

        r = monitor_link_command(c->link, &command, pending_answer, pending_ref(p));
        if (r < 0) {
                pending_unref(p);
                return error_set_errno(
                        reterr, r, "the monitor of container %s does not answer", c->id);
        }
        container_publish_pairs(c, "resize", attributes);
        return 0;
}
