/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "engine/container/attach.h"
#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/container/start.h"
#include "engine/core/pending.h"
#include "lib/api/detach-keys.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

/* The monitor serves attached clients by itself. Who comes before there is one is kept until the next start, and handed over before the
 * process runs, so that he gets its first byte. */

#define WAITING_MAX 128U /* of one container */

AttachClient *attach_client_free(AttachClient *k) {
        if (!k)
                return NULL;
        list_remove(&k->node);
        loop_source_free(k->gone);
        (void) fd_close(k->fd);
        (void) fd_close(k->early_fd);
        pending_unref(k->pending);
        monitor_command_done(&k->command);
        return mfree(k);
}

/* ---- what goes wrong ---- */

int attach_append_error(Buffer *b, StreamFraming framing, const char *text) {
        _cleanup_(freep) char *line = NULL;
        int r;

        r = str_printf(&line, "Error attaching: %s\n", text);
        if (r >= 0)
                r = stream_frame_append(b, framing, FRAME_STDOUT, line, strlen(line));
        return r < 0 ? r : stream_frame_append_end(b, framing);
}

/* Its end, with a sentence or without. Never waits: nobody has written to it yet. */
static void tell_end(const AttachClient *k, const char *text) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        r = text ? attach_append_error(&b, k->framing, text)
                 : stream_frame_append_end(&b, k->framing);
        if (r >= 0)
                (void) !send(k->fd, buffer_head(&b), buffer_size(&b), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void attach_client_complete(AttachClient *k) {
        if (k->pending)
                pending_answer(0, NULL, TAKE_PTR(k->pending));
}

void attach_client_fail(AttachClient *k, int r, const Error *e) {
        if (k->pending)
                pending_complete(k->pending, r, NULL, e);
        else /* that it has ended is what everybody sees */
                tell_end(k, e->kind == ERROR_NOT_RUNNING ? NULL : error_text(e, r));
        attach_client_free(k);
}

/* ---- handing over ---- */

static void on_answer(int r, const Error *e, void *userdata) {
        AttachClient *k = userdata;

        if (r < 0) {
                attach_client_fail(k, r, e);
                return;
        }
        attach_client_complete(k);
        attach_client_free(k);
}

static int hand_over(AttachClient *k) {
        Container *c = k->container;

        return !c->link ? -ENOTCONN
                        : monitor_link_command_fds(c->link, &k->command,
                                  (const int[]) { k->fd, k->early_fd }, k->early_fd < 0 ? 1 : 2,
                                  on_answer, k);
}

void container_attach_hand_over(Container *c) {
        AttachClient *k;

        LIST_FOREACH_SAFE (k, &c->waiting_clients, node) {
                int r;

                list_remove(&k->node);
                k->gone = loop_source_free(k->gone);
                r = hand_over(k);
                if (r < 0) {
                        (void) log_container_warning(
                                c, r, "Failed to hand a client to the monitor: %m, dropping it");
                        attach_client_free(k);
                }
        }
}

void container_attach_drop(Container *c) {
        AttachClient *k;

        LIST_FOREACH_SAFE (k, &c->waiting_clients, node)
                attach_client_free(k);
}

static int on_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        attach_client_free(userdata);
        return 0;
}

static int wait_for_start(AttachClient *k, Error *reterr) {
        Container *c = k->container;
        AttachClient *other;
        unsigned n = 0;
        int r;

        LIST_FOREACH (other, &c->waiting_clients, node)
                n++;
        if (n >= WAITING_MAX)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "%u clients wait for the start of container %s already", n, c->id);
        r = loop_io(c->set->event, k->fd, EPOLLHUP, LOOP_REQUEST, "attach-waiting", on_gone, k,
                &k->gone);
        if (r < 0)
                return r;
        list_append(&c->waiting_clients, &k->node);
        attach_client_complete(k);
        return 0;
}

bool container_takes_clients(const Container *c) {
        return c->link &&
               (container_is_running(c) ||
                       (c->start && c->start->phase == START_MONITOR && c->start->scope_done));
}

int attach_client_go_on(AttachClient *k, Error *reterr) {
        int r;

        if (!container_takes_clients(k->container))
                return wait_for_start(k, reterr);
        r = hand_over(k);
        return r < 0 ? error_set_errno(reterr, r, "the monitor of container %s does not take it",
                               k->container->id)
                     : 0;
}

/* ---- attach ---- */

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

static int make_command(const Container *c, const AttachOptions *o, MonitorCommand *ret) {
        *ret = (MonitorCommand) {
                .type = MONITOR_ATTACH,
                .attach_stdin = o->in && c->spec.config.open_stdin,
                .attach_stdout = o->out,
                .attach_stderr = o->err,
                .raw = o->raw,
                .websocket = o->websocket == STREAM_WEBSOCKET_TEXT ? 1
                           : o->websocket == STREAM_WEBSOCKET      ? 2
                                                                   : 0,
        };
        return str_copy(&ret->detach_keys, str_or_empty(o->detach_keys));
}

static int attach(AttachClient *k, const AttachOptions *o, const void *early, size_t early_size,
        Error *reterr) {
        Container *c = k->container;
        int r;

        r = container_attach_check(c, o, reterr);
        if (r >= 0)
                r = make_command(c, o, &k->command);
        if (r < 0)
                return r;
        if (early_size > 0) {
                k->early_fd = fd_memfd_sealed("early-input", early, early_size);
                if (k->early_fd < 0)
                        return k->early_fd;
        }
        container_publish(c, "attach", NULL, NULL);
        if (o->no_stream && !o->logs) {
                tell_end(k, NULL);
                attach_client_complete(k);
                attach_client_free(k);
                return 0;
        }
        return o->logs ? container_replay(k, !o->no_stream, reterr)
                       : attach_client_go_on(k, reterr);
}

int container_attach(Container *c, const AttachOptions *o, int fd, const void *early,
        size_t early_size, Pending *p, Error *reterr) {
        AttachClient *k;
        int r;

        assert(c);
        assert(o);

        k = new0(AttachClient, 1);
        if (!k) {
                (void) fd_close(fd);
                return -ENOMEM;
        }
        k->container = c;
        k->fd = fd;
        k->early_fd = -EBADF;
        k->framing = o->websocket                 ? o->websocket
                   : o->raw || c->spec.config.tty ? STREAM_BARE
                                                  : STREAM_FRAMES;
        k->pending = p ? pending_ref(p) : NULL;

        r = attach(k, o, early, early_size, reterr);
        if (r < 0) {
                if (!p)
                        tell_end(k, error_text(reterr, r));
                attach_client_free(k);
        }
        return r;
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
