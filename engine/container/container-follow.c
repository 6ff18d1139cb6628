/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/inotify.h>

#include "engine/container/acting-limits.h"
#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/host/cgroup-limits.h"
#include "engine/host/sysinfo.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"

/* "systemctl set-property" on a scope is an update of the container. systemd sends no signal for it, but it writes the files of the
 * scope's cgroup, which inotify tells: nothing is polled, nothing happens while nobody writes. Read is what the kernel has, so it does not
 * matter who wrote (systemctl, a drop-in and a reload, we ourselves), nor whether we were there at the time. */

#define SETTLE_USEC (20 * USEC_PER_MSEC) /* systemd writes file by file */

struct ContainerFollower {
        sd_event_source *watch;
        sd_event_source *settle;
        bool waits; /* for the updates under way */
};

ContainerFollower *container_follower_free(ContainerFollower *f) {
        if (!f)
                return NULL;

        loop_source_free(f->watch);
        loop_source_free(f->settle);
        free(f);
        return NULL;
}

/* The runtime set a limit of tasks of its own below that of the scope. */
static void limit_tasks_inside(Container *c) {
        int64_t pids = c->spec.host.resources.pids_limit;
        const MonitorCommand command = {
                .type = MONITOR_LIMIT_TASKS,
                .limit = pids != JSON_NO_INT64 && pids > 0 ? pids : -1,
        };
        int r;

        r = c->link ? monitor_link_command(c->link, &command, NULL, NULL) : -ENOTCONN;
        if (r < 0)
                (void) log_container_warning(
                        c, r, "Failed to hand the limit of tasks on: %m, ignoring");
}

/* 1: they are other ones than before, and saved. */
static int take_limits(Container *c) {
        _cleanup_(cgroup_limits_done) CgroupLimits now = {};
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        _cleanup_(freep) char *folder = container_scope_folder(c);
        ContainerSpec old;
        int r;

        if (!folder)
                return -ENOMEM;
        container_spec_init(&spec);
        r = container_spec_copy(&c->spec, &spec);
        if (r < 0)
                return r;
        cgroup_read_limits(folder, &now);
        r = acting_limits_take(&now, c->set->sysinfo->n_cpus, &spec.host.resources);
        if (r <= 0)
                return r;

        old = c->spec;
        c->spec = spec;
        spec = old;
        r = container_save(c);
        if (r < 0) /* acting they are all the same */
                (void) log_container_warning(
                        c, r, "Failed to save the limits that were set at its scope: %m, ignoring");
        if (c->spec.host.resources.pids_limit != old.host.resources.pids_limit)
                limit_tasks_inside(c);
        return 1;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        Container *c = userdata;
        int r;

        c->follower->settle = loop_source_free(c->follower->settle);
        c->follower->waits = !list_empty(&c->updates); /* ours: it is the wish when it is through */
        if (c->follower->waits)
                return 0;
        r = take_limits(c);
        if (r < 0)
                (void) log_container_warning(
                        c, r, "Failed to read the limits of its scope: %m, ignoring");
        if (r > 0)
                container_publish(c, "update", NULL, NULL);
        return 0;
}

static void look_soon(Container *c) {
        int r;

        if (c->follower->settle)
                return;
        r = loop_timer(c->set->event, SETTLE_USEC, LOOP_TIMER, "container-limits", on_settled, c,
                &c->follower->settle);
        if (r < 0)
                (void) log_container_warning(
                        c, r, "Failed to follow the limits of its scope: %m, ignoring");
}

void container_follow_update_over(Container *c) {
        if (c->follower && c->follower->waits && list_empty(&c->updates))
                look_soon(c);
}

static int on_written(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        if (event->mask & IN_Q_OVERFLOW || (event->len > 0 && cgroup_is_limit_file(event->name)))
                look_soon(userdata);
        return 0;
}

void container_follow_limits(Container *c) {
        _cleanup_(freep) char *folder = container_scope_folder(c);
        int r;

        assert(container_is_running(c));

        c->follower = container_follower_free(c->follower);
        c->follower = folder ? new0(ContainerFollower, 1) : NULL;
        if (!c->follower) {
                (void) log_oom();
                return;
        }
        r = loop_inotify(c->set->event, folder, IN_MODIFY | IN_ONLYDIR, LOOP_SYSTEM,
                "container-limits", on_written, c, &c->follower->watch);
        if (r < 0)
                (void) log_container_debug(
                        c, r, "The limits of its scope cannot be followed: %m, ignoring");
        look_soon(c);
}
