/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>

#include "engine/container/container-again.h"
#include "engine/container/set.h"
#include "engine/host/units.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

/* A scope ends when its last process has gone, and systemd says so. One that became empty before systemd had it ready is missed: such
 * a scope is stopped after a while, also when its container is not there any more. */

#define SCOPE_LINGERS_USEC (2 * USEC_PER_SEC)

typedef struct LeftScope {
        ListNode node;
        Containers *set;
        char *name;
        UnitWatch *watch;
        sd_event_source *timer;
} LeftScope;

static int end_scope(Containers *s, const char *name) {
        int r;

        r = units_kill(s->units, name, SIGKILL, NULL, NULL, NULL);
        return r < 0 ? r : units_stop(s->units, name, NULL, NULL, NULL);
}

void container_end_scope(Container *c) {
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        r = end_scope(c->set, container_scope(c, scope));
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to end the scope: %m, ignoring");
}

static void on_scope_gone(void *userdata) {
        Container *c = userdata;

        c->scope = unit_watch_free(c->scope);
        c->scope_lingers = loop_source_free(c->scope_lingers);
        container_handle_scope_gone(c);
}

static void on_scope_job(bool is_stop, void *userdata) {
        Container *c = userdata;

        if (is_stop)
                container_handle_scope_stopped(c);
        else
                container_again_sure(c);
}

int container_watch_scope(Container *c) {
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        if (c->scope)
                return 0;
        r = units_watch(c->set->units, container_scope(c, scope), on_scope_gone, c, &c->scope);
        if (r >= 0)
                unit_watch_on_job(c->scope, on_scope_job);
        return r;
}

static int on_scope_lingers(sd_event_source *source, uint64_t usec, void *userdata) {
        Container *c = userdata;

        (void) log_container_debug(c, 0, "The scope has not ended with its monitor, stopping it");
        container_end_scope(c);
        return 0;
}

void container_expect_end_of_scope(Container *c) {
        int r;

        if (!c->scope)
                return;
        r = loop_timer(c->set->event, SCOPE_LINGERS_USEC, LOOP_TIMER, "container-scope",
                on_scope_lingers, c, &c->scope_lingers);
        if (r < 0)
                container_end_scope(c);
}

static LeftScope *left_scope_free(LeftScope *l) {
        if (!l)
                return NULL;

        list_remove(&l->node);
        unit_watch_free(l->watch);
        loop_source_free(l->timer);
        free(l->name);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(LeftScope *, left_scope_free);

static void on_left_scope_gone(void *userdata) {
        left_scope_free(userdata);
}

static int on_left_scope_lingers(sd_event_source *source, uint64_t usec, void *userdata) {
        LeftScope *l = userdata;
        int r;

        r = end_scope(l->set, l->name);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to end %s: %m, ignoring", l->name);
        left_scope_free(l);
        return 0;
}

static int leave_scope(Container *c) {
        _cleanup_(left_scope_freep) LeftScope *l = NULL;
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        l = new0(LeftScope, 1);
        if (!l)
                return -ENOMEM;
        l->set = c->set;
        r = str_copy(&l->name, container_scope(c, scope));
        if (r < 0)
                return r;
        r = units_watch(c->set->units, l->name, on_left_scope_gone, l, &l->watch);
        if (r < 0)
                return r;
        r = loop_timer(c->set->event, SCOPE_LINGERS_USEC, LOOP_TIMER, "left-scope",
                on_left_scope_lingers, l, &l->timer);
        if (r < 0)
                return r;

        list_append(&c->set->left_scopes, &l->node);
        l = NULL;
        return 0;
}

void container_leave_scope(Container *c) {
        if (!c->scope)
                return;
        c->scope = unit_watch_free(c->scope);
        if (leave_scope(c) < 0)
                container_end_scope(c);
}

void containers_forget_scopes(Containers *s) {
        LeftScope *l;

        while ((l = list_first(&s->left_scopes, LeftScope, node)))
                left_scope_free(l);
}
