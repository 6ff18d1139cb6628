/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-again.h"
#include "engine/container/container-check.h"
#include "engine/container/monitor-link.h"
#include "engine/container/restart-policy.h"
#include "engine/container/scope.h"
#include "engine/container/set.h"
#include "engine/container/update-merge.h"
#include "engine/core/pending.h"
#include "engine/host/unit-properties.h"
#include "engine/host/units.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"

/* First systemd, then the monitor (the limit of tasks inside is the runtime's, not the scope's), then the disk and memory. The wish is
 * merged once more at the end: another update may have been faster. */

typedef struct ContainerUpdate {
        ListNode node;
        Container *container;
        Pending *pending;
        UnitCall *call;
        ContainerSpec wish; /* its host */
        int64_t pids_limit; /* JSON_NO_INT64: as it is */
        char **warnings;
} ContainerUpdate;

static void update_free(ContainerUpdate *u) {
        list_remove(&u->node);
        monitor_link_forget(u->container->link, u);
        unit_call_free(u->call);
        pending_unref(u->pending);
        container_spec_done(&u->wish);
        strv_free(u->warnings);
        free(u);
}

static void update_over(ContainerUpdate *u) {
        Container *c = u->container;

        update_free(u);
        container_follow_update_over(c);
}

void container_updates_forget(Container *c) {
        ContainerUpdate *u;

        while ((u = list_first(&c->updates, ContainerUpdate, node)))
                update_free(u);
}

static void update_finish(ContainerUpdate *u, int r, const Error *e) {
        _cleanup_(error_done) Error copy = {};
        Pending *p = pending_ref(u->pending);
        char **warnings = TAKE_PTR(u->warnings);

        if (r < 0) {
                (void) error_copy(&copy, e);
                r = error_prefix(&copy, r, "Cannot update container %s", u->container->id);
        }
        update_over(u);
        pending_complete(p, r, warnings, &copy);
        pending_unref(p);
        strv_free(warnings);
}

/* What the container would be. */
static int merge(ContainerUpdate *u, ContainerSpec *ret, Error *reterr) {
        _cleanup_(container_spec_done) ContainerSpec spec = {}, wish = {};
        Container *c = u->container;
        const CheckContext x = {
                .settings = c->set->settings,
                .sysinfo = c->set->sysinfo,
                .warnings = &u->warnings,
        };
        int r;

        container_spec_init(&spec);
        container_spec_init(&wish);
        u->warnings = strv_free(u->warnings);
        r = container_spec_copy(&c->spec, &spec);
        if (r >= 0)
                r = container_spec_copy(&u->wish, &wish);
        if (r >= 0)
                r = update_merge(&wish.host, &spec.host, reterr);
        if (r >= 0)
                r = check_restart_policy(&spec.host.restart_policy, reterr);
        if (r >= 0)
                r = check_resources(&spec.host, &x, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(spec);
        return 0;
}

static void update_commit(ContainerUpdate *u) {
        _cleanup_(container_spec_done) ContainerSpec spec = {}, old;
        _cleanup_(error_done) Error e = {};
        Container *c = u->container;
        int r;

        old = c->spec;
        r = merge(u, &spec, &e);
        if (r >= 0) {
                c->spec = spec;
                r = container_save(c);
                if (r < 0) {
                        (void) error_set_errno(&e, r, "Failed to save it");
                        c->spec = old;
                        old = spec;
                }
                spec = (ContainerSpec) {};
        } else
                old = (ContainerSpec) {};
        if (r < 0) {
                update_finish(u, r, &e);
                return;
        }
        if (c->state == CONTAINER_RESTARTING &&
                restart_policy_is_none(&c->spec.host.restart_policy))
                container_again_cancel(c);
        container_publish(c, "update", NULL, NULL);
        update_finish(u, 0, NULL);
}

static void on_tasks_limited(int r, const Error *e, void *userdata) {
        if (r < 0)
                update_finish(userdata, r, e);
        else
                update_commit(userdata);
}

static void on_set(int r, const Error *e, void *userdata) {
        ContainerUpdate *u = userdata;
        Container *c = u->container;
        int64_t pids = u->pids_limit;
        const MonitorCommand command = { .type = MONITOR_LIMIT_TASKS,
                .limit = pids > 0 ? pids : -1 };

        u->call = NULL;
        if (r < 0 && r != -ENOENT) { /* ended meanwhile: as one that did not run */
                update_finish(u, r, e);
                return;
        }
        if (pids == JSON_NO_INT64 || !c->link || !container_is_running(c)) {
                update_commit(u);
                return;
        }
        /* A frozen one does it when it is thawed. */
        r = monitor_link_command(
                c->link, &command, c->state == CONTAINER_PAUSED ? NULL : on_tasks_limited, u);
        if (r < 0)
                update_finish(u, r, NULL);
        else if (c->state == CONTAINER_PAUSED)
                update_commit(u);
}

static int ask_systemd(ContainerUpdate *u, const ContainerSpec *spec) {
        _cleanup_(unit_properties_done) UnitProperties p = {}, old = {};
        Container *c = u->container;
        char scope[CONTAINER_SCOPE_SIZE];
        const char *keep = NULL;
        int r;

        r = scope_make_limits(&spec->host.resources, &p);
        if (r >= 0)
                r = scope_make_limits(&c->spec.host.resources, &old);
        if (r < 0)
                return r;
        if (u->wish.host.resources.pids_limit != JSON_NO_INT64) {
                u->pids_limit = spec->host.resources.pids_limit;
                keep = "TasksMax";
        }
        /* What nobody wants to change stays exactly as an administrator may have set it. */
        unit_properties_subtract(&p, &old, keep);
        return units_set_properties(
                c->set->units, container_scope(c, scope), &p, on_set, u, &u->call);
}

int container_update(Container *c, ContainerSpec *wish, Pending *p, Error *reterr) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        ContainerUpdate *u;
        int r;

        assert(c);
        assert(wish);
        assert(p);

        container_spec_init(&spec);
        if (c->state == CONTAINER_REMOVING || c->remove)
                return error_set(reterr, ERROR_CONFLICT,
                        "Cannot update container %s: container is marked for removal and cannot "
                        "be \"update\"",
                        c->id);

        u = new0(ContainerUpdate, 1);
        if (!u)
                return -ENOMEM;
        u->container = c;
        u->pending = pending_ref(p);
        u->wish = *wish;
        u->pids_limit = JSON_NO_INT64;
        container_spec_init(wish);
        list_append(&c->updates, &u->node);

        r = merge(u, &spec, reterr);
        if (r < 0)
                r = error_prefix(reterr, r, "Cannot update container %s", c->id);
        else if (container_is_running(c))
                r = ask_systemd(u, &spec);
        else {
                update_commit(u);
                return 0;
        }
        if (r < 0)
                update_over(u);
        return r;
}
