/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "engine/host/cgroup.h"
#include "engine/host/units.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

/* Pausing is freezing the scope, by systemd: "systemctl freeze" and ours are one thing. What is so is said by the kernel, in cgroup.events
 * of what runs inside, whoever froze it (the scope, a slice above); nothing of it is saved. The monitor is frozen too. */

struct ContainerFreezer {
        int fd; /* cgroup.events */
        sd_event_source *watch;
};

ContainerFreezer *container_freezer_free(ContainerFreezer *f) {
        if (!f)
                return NULL;

        loop_source_free(f->watch);
        fd_close(f->fd);
        free(f);
        return NULL;
}

void container_set_paused(Container *c, bool paused) {
        if (c->state != (paused ? CONTAINER_RUNNING : CONTAINER_PAUSED))
                return;
        container_move(c, paused ? CONTAINER_PAUSED : CONTAINER_RUNNING);
        if (!c->set->restoring)
                container_publish(c, paused ? "pause" : "unpause", NULL, NULL);
}

/* 1, 0; negative: nobody can tell, or it is over. */
static int is_frozen(const ContainerFreezer *f) {
        char text[256];
        ssize_t n;

        n = pread(f->fd, text, sizeof(text) - 1, 0);
        if (n < 0)
                return -errno;
        text[n] = 0;
        if (cgroup_parse_keyed(text, "populated") == 0)
                return -ESRCH;
        return cgroup_parse_keyed(text, "frozen") == 1;
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Container *c = userdata;
        int r;

        r = is_frozen(c->freezer);
        if (r >= 0)
                container_set_paused(c, r > 0);
        else
                c->freezer->watch = loop_source_free(c->freezer->watch);
        return 0;
}

static int freezer_open(Container *c) {
        _cleanup_(freep) char *folder = container_cgroup_folder(c);
        _cleanup_(freep) char *file = folder ? str_concat(folder, "/cgroup.events") : NULL;
        ContainerFreezer *f;
        int r;

        f = file ? new0(ContainerFreezer, 1) : NULL;
        if (!f)
                return -ENOMEM;
        f->fd = open(file, O_RDONLY | O_CLOEXEC);
        r = f->fd < 0 ? -errno
                      : loop_io(c->set->event, f->fd, EPOLLPRI, LOOP_SYSTEM, "container-freezer",
                                on_events, c, &f->watch);
        if (r < 0) {
                container_freezer_free(f);
                return r;
        }
        c->freezer = f;
        return 0;
}

void container_follow_freezer(Container *c) {
        int r;

        assert(container_is_running(c));

        c->freezer = container_freezer_free(c->freezer);
        r = freezer_open(c);
        if (r < 0) {
                (void) log_container_debug(c, r, "Its cgroup cannot be followed: %m, ignoring");
                return;
        }
        container_set_paused(c, is_frozen(c->freezer) > 0);
}

/* ---- the verbs ---- */

typedef struct FreezeCall {
        ListNode node;
        Container *container;
        Pending *pending;
        UnitCall *call;
        bool freeze;
} FreezeCall;

static void freeze_call_free(FreezeCall *x) {
        list_remove(&x->node);
        unit_call_free(x->call);
        pending_unref(x->pending);
        free(x);
}

void container_freezes_forget(Container *c) {
        FreezeCall *x;

        while ((x = list_first(&c->freezes, FreezeCall, node)))
                freeze_call_free(x);
}

static void on_done(int r, const Error *e, void *userdata) {
        FreezeCall *x = userdata;
        Pending *p = pending_ref(x->pending);
        Container *c = x->container;
        bool freeze = x->freeze;

        x->call = NULL;
        freeze_call_free(x);
        if (r >= 0)
                container_set_paused(c, freeze);
        pending_answer(r, e, p);
}

static int freeze(Container *c, bool freeze, Pending *p, Error *reterr) {
        char scope[CONTAINER_SCOPE_SIZE];
        FreezeCall *x;
        int r;

        x = new0(FreezeCall, 1);
        if (!x)
                return -ENOMEM;
        x->container = c;
        x->freeze = freeze;
        x->pending = pending_ref(p);
        list_append(&c->freezes, &x->node);
        r = units_freeze(c->set->units, container_scope(c, scope), freeze, on_done, x, &x->call);
        if (r < 0) {
                freeze_call_free(x);
                return error_set_errno(
                        reterr, r, "Cannot %s container %s", freeze ? "pause" : "unpause", c->name);
        }
        return 0;
}

int container_check_running(const Container *c, Error *reterr) {
        if (container_is_running(c))
                return 0;
        if (container_is_restarting(c))
                return error_set(reterr, ERROR_CONFLICT,
                        "Container %s is restarting, wait until the container is running", c->id);
        return error_set(reterr, ERROR_NOT_RUNNING, "container %s is not running", c->id);
}

int container_pause(Container *c, Pending *p, Error *reterr) {
        int r;

        assert(c);
        assert(p);

        r = container_check_running(c, reterr);
        if (r < 0)
                return r;
        if (c->state == CONTAINER_PAUSED)
                return error_set(reterr, ERROR_CONFLICT, "container %s is already paused", c->id);
        return freeze(c, true, p, reterr);
}

int container_unpause(Container *c, Pending *p, Error *reterr) {
        assert(c);
        assert(p);

        if (c->state != CONTAINER_PAUSED)
                return error_set(reterr, ERROR_INTERNAL, "Container %s is not paused", c->id);
        return freeze(c, false, p, reterr);
}
