/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "engine/container/container-again.h"
#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "engine/host/units.h"
#include "engine/image/images.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

#define MONITOR_LEAVES_USEC (5 * USEC_PER_SEC)
#define INLINE_BYTES_MAX    (UINT64_C(64) * 1024 * 1024) /* what unlink() frees without being felt */

/* A removal is told as soon as nobody finds the container any more, also after a crash: one rename. What is left of it (files, the
 * layer, the folder in /run) goes away behind that, when the monitor has unmounted the root file system, which may take a sync of
 * the disk. Until then the container is in the set's list of those that leave. What a crash leaves the next start sweeps. */

struct ContainerRemove {
        Container *container;
        Pending *pending; /* NULL: it removes itself, or has been told */
        Pending *kill;
        bool forced;
        bool volumes; /* its anonymous volumes go, too */
        bool told;
        size_t n_done;              /* of rest_steps */
        bool needs_worker;          /* too much is in the trash to be removed from here */
        char trash[2 * IDENT_SIZE]; /* its folder below tmp/trash */
        sd_event_source *timer;
};

ContainerRemove *container_remove_free(ContainerRemove *r) {
        if (!r)
                return NULL;

        pending_detach(r->kill);
        pending_unref(r->kill);
        pending_unref(r->pending);
        loop_source_free(r->timer);
        free(r);
        return NULL;
}

static void remove_fail(Container *c, int r, const Error *e) {
        Pending *p = TAKE_PTR(c->remove->pending);

        c->remove = container_remove_free(c->remove);
        if (c->state == CONTAINER_REMOVING)
                container_move(c, c->has_started ? CONTAINER_EXITED : CONTAINER_CREATED);
        if (p)
                pending_answer(r, e, p);
        else
                log_warning("Failed to remove container %s: %s, ignoring", c->id, error_text(e, r));
}

/* From here on nobody finds it any more, whatever happens to us. One sync, none for one that removes itself. */
static int move_to_trash(Container *c) {
        char *name = c->remove->trash;
        Containers *s = c->set;

        (void) snprintf(name, sizeof(c->remove->trash), "%s-%016llx", c->id,
                (unsigned long long) random_u64());
        if (renameat(s->root_fd, c->id, s->trash_fd, name) < 0)
                return errno == ENOENT ? 0 : -errno;
        return container_is_durable(c) ? file_sync_dir(s->root_fd) : 0;
}

/* A log may be large: that is for a worker. */
static bool is_small(int trash_fd, const char *name) {
        uint64_t blocks;

        return file_tree_usage(trash_fd, name, &blocks, NULL) < 0 || blocks <= INLINE_BYTES_MAX;
}

static void rest_layer(Container *c) {
        int r;

        r = storage_layer_remove(c->set->storage, c->id);
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to remove the layer: %m, ignoring");
        c->remove->needs_worker = r > 0;
}

static void rest_folder(Container *c) {
        ContainerRemove *remove = c->remove;
        Containers *s = c->set;
        int r;

        if (!is_small(s->trash_fd, remove->trash)) {
                remove->needs_worker = true;
                return;
        }
        r = file_remove_tree(s->trash_fd, remove->trash);
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to remove the folder: %m, ignoring");
}

static void rest_run(Container *c) {
        int r;

        r = containers_clear_run(c->set, c->id);
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to remove the run folder: %m, ignoring");
}

/* In slices, so that it does not stand in the way of others. What goes wrong is tidied up at the next start. */
static void (*const rest_steps[])(Container *c) = { rest_layer, rest_folder, rest_run };

static void remove_rest(Container *c) {
        Containers *s = c->set;

        containers_trim_soon(s);
        while (c->remove->n_done < ARRAY_SIZE(rest_steps))
                rest_steps[c->remove->n_done++](c);
        if (c->remove->needs_worker)
                containers_empty_trash(s);

        container_leave_scope(c);
        list_remove(&c->by_age);
        container_detach(c);
        container_free(c);
}

static int on_monitor_stays(sd_event_source *source, uint64_t usec, void *userdata) {
        char scope[CONTAINER_SCOPE_SIZE];
        Container *c = userdata;
        int r;

        (void) log_container_warning(c, 0, "The monitor does not leave, killing it");
        r = units_kill(c->set->units, container_scope(c, scope), SIGKILL, NULL, NULL, NULL);
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to kill the scope: %m, ignoring");
        c->link = monitor_link_free(c->link);
        remove_rest(c);
        return 0;
}

static int on_idle(sd_event_source *source, void *userdata) {
        Container *c = userdata;

        if (c->remove->n_done < ARRAY_SIZE(rest_steps)) {
                rest_steps[c->remove->n_done++](c);
                return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        remove_rest(c);
        return 0;
}

/* Goes on when the monitor is gone, or when nothing else is to be done. */
static void remove_later(Container *c) {
        ContainerRemove *r = c->remove;
        int q;

        r->timer = loop_source_free(r->timer);
        q = c->link
                  ? loop_timer(c->set->event, MONITOR_LEAVES_USEC, LOOP_TIMER, "container-remove",
                            on_monitor_stays, c, &r->timer)
                  : loop_defer(c->set->event, LOOP_IDLE, "container-remove", on_idle, c, &r->timer);
        if (q < 0) {
                (void) log_container_warning(
                        c, q, "Failed to wait for the rest of the removal: %m, doing it at once");
                c->link = monitor_link_free(c->link);
                remove_rest(c);
        }
}

static void remove_now(Container *c) {
        _cleanup_(error_done) Error e = {};
        Containers *s = c->set;
        Pending *p;
        int r;

        if (c->remove->volumes)
                mount_points_mark_leaving(c, true);
        r = move_to_trash(c);
        if (r < 0) {
                if (c->remove->volumes)
                        mount_points_mark_leaving(c, false);
                r = error_set_errno(&e, r, "unable to remove the files of container %s", c->id);
                remove_fail(c, r, &e);
                return;
        }
        if (c->image)
                image_remove_user(TAKE_PTR(c->image), c->id);
        containers_remove(s, c);
        list_append(&s->leaving, &c->by_age);
        c->remove->told = true;
        p = TAKE_PTR(c->remove->pending);

        container_publish(c, "destroy", NULL, NULL);
        mount_points_leave(c, c->remove->volumes);
        container_waits_tell(c, /* removed= */ true);
        container_logs_finish(c, /* removed= */ true);
        remove_later(c);

        if (p)
                pending_answer(0, NULL, p);
}

/* Called whenever something has changed that the removal may wait for. */
void container_remove_proceed(Container *c) {
        ContainerRemove *r = c->remove;

        if (!r || container_is_running(c) || c->state == CONTAINER_STARTING)
                return;
        if (r->told) {
                if (!c->link)
                        remove_later(c);
                return;
        }
        if (c->state != CONTAINER_REMOVING)
                container_move(c, CONTAINER_REMOVING);
        if (!c->lost)
                remove_now(c);
}

static void on_killed(int r, void *result, const Error *e, void *userdata) {
        Container *c = userdata;

        /* Well: container-exit.c goes on with the removal. */
        if (r < 0)
                remove_fail(c, r, e);
}

static int remove_new(Container *c, bool volumes, Pending *p) {
        ContainerRemove *r;

        r = new0(ContainerRemove, 1);
        if (!r)
                return -ENOMEM;
        r->container = c;
        r->pending = p ? pending_ref(p) : NULL;
        r->volumes = volumes;
        c->remove = r;
        return 0;
}

static int check_removable(const Container *c, Error *reterr) {
        if (c->state == CONTAINER_PAUSED)
                return error_set(reterr, ERROR_CONFLICT,
                        "cannot remove container \"/%s\": container is paused and must be "
                        "unpaused first",
                        c->name);
        if (container_is_up(c) || c->state == CONTAINER_STARTING)
                return error_set(reterr, ERROR_CONFLICT,
                        "cannot remove container \"/%s\": container is %s: stop the container "
                        "before removing or force remove",
                        c->name, container_is_restarting(c) ? "restarting" : "running");
        return 0;
}

int container_remove(Container *c, bool force, bool volumes, Pending *p, Error *reterr) {
        int r;

        assert(c);
        assert(p);

        if (c->remove)
                return error_set(reterr, ERROR_CONFLICT,
                        "removal of container %s is already in progress", c->name);
        if (!force) {
                r = check_removable(c, reterr);
                if (r < 0)
                        return r;
        }

        r = remove_new(c, volumes, p);
        if (r < 0)
                return r;
        if (c->state == CONTAINER_RESTARTING)
                container_again_cancel(c);
        container_files_cancel(c);
        if (!container_is_running(c) && c->state != CONTAINER_STARTING) {
                container_remove_proceed(c);
                return 0;
        }

        c->remove->forced = true;
        r = pending_new(on_killed, c, &c->remove->kill);
        if (r >= 0)
                r = container_kill(c, "KILL", c->remove->kill, reterr);
        if (r < 0 && c->remove) {
                c->remove = container_remove_free(c->remove);
                return r;
        }
        return 0;
}

/* --rm: after the exit, or a start that failed. */
int container_auto_remove(Container *c) {
        int r;

        if (!c->spec.host.auto_remove || c->remove || c->set->ending || !list_empty(&c->restarts))
                return 0;
        r = remove_new(c, /* volumes= */ true, NULL);
        if (r < 0)
                return log_container_error(c, r, "Failed to remove the container: %m");
        container_remove_proceed(c);
        return 1;
}
