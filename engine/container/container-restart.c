/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "lib/base/alloc.h"

/* Restart by a person: stop, then start. While it is under way neither --rm nor the policy may act on the exit between the two. */

typedef struct ContainerRestart {
        ListNode node;
        Container *container;
        Pending *pending;
        Pending *step; /* the stop or the start under way */
} ContainerRestart;

static void restart_free(ContainerRestart *x) {
        list_remove(&x->node);
        if (x->step)
                pending_detach(x->step);
        pending_unref(x->step);
        pending_unref(x->pending);
        free(x);
}

static void restart_finish(ContainerRestart *x, int r, const Error *e) {
        _cleanup_(error_done) Error copy = {};
        Pending *p = pending_ref(x->pending);
        Container *c = x->container;

        if (r < 0) {
                (void) error_copy(&copy, e);
                r = error_prefix(&copy, r, "Cannot restart container %s", c->name);
        }
        restart_free(x);
        if (r >= 0)
                container_publish(c, "restart", NULL, NULL);
        else if (c->state == CONTAINER_EXITED)
                (void) container_auto_remove(c); /* what was held back */
        pending_answer(r, &copy, p);
}

static void on_started(int r, void *result, const Error *e, void *userdata) {
        ContainerRestart *x = userdata;

        x->step = pending_unref(x->step);
        restart_finish(x, r, e);
}

static void restart_start(ContainerRestart *x) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = pending_new(on_started, x, &x->step);
        if (r >= 0)
                r = container_start(x->container, x->step, &e);
        if (r >= 0)
                return;
        if (r == -EALREADY) /* another one was faster */
                r = 0;
        else
                (void) error_set_errno(&e, r, "Failed to start it");
        restart_finish(x, r, &e);
}

static void on_stopped(int r, void *result, const Error *e, void *userdata) {
        ContainerRestart *x = userdata;

        x->step = pending_unref(x->step);
        if (r < 0)
                restart_finish(x, r, e);
        else
                restart_start(x);
}

int container_restart(
        Container *c, int64_t timeout_sec, const char *signal, Pending *p, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        ContainerRestart *x;
        int r;

        assert(c);
        assert(p);

        if (c->state == CONTAINER_REMOVING || c->remove)
                return error_set(reterr, ERROR_CONFLICT,
                        "Cannot restart container %s: container is marked for removal and cannot "
                        "be started",
                        c->name);

        x = new0(ContainerRestart, 1);
        if (!x)
                return -ENOMEM;
        x->container = c;
        x->pending = pending_ref(p);
        list_append(&c->restarts, &x->node);
        r = pending_new(on_stopped, x, &x->step);
        if (r >= 0)
                r = container_stop(c, timeout_sec, signal, x->step, &e);
        if (r >= 0)
                return 0;
        if (r == -EALREADY) {
                x->step = pending_unref(x->step);
                restart_start(x);
                return 0;
        }
        error_move(reterr, &e);
        restart_free(x);
        return r;
}

void container_restarts_forget(Container *c) {
        ContainerRestart *x;

        while ((x = list_first(&c->restarts, ContainerRestart, node)))
                restart_free(x);
}
