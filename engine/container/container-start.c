/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/container/start.h"
#include "engine/core/pending.h"
#include "engine/host/launcher.h"
#include "engine/host/sysinfo.h"
#include "engine/host/unit-properties.h"
#include "engine/host/units.h"
#include "engine/network/sandbox.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

/* A start has two halves. The steps of the table (start-steps.c) are quick, walked forward and on failure backward. Then the
 * monitor mounts while systemd makes the scope; "go" is said when the scope is there, and that a start was begun is saved while the
 * runtime works. The monitor's record ends the start. What is told to the world is on disk by then. */

#define OLD_SCOPE_USEC (9 * USEC_PER_SEC)
#define NETWORK_USEC   (35 * USEC_PER_SEC)
#define LAUNCH_USEC    (9 * USEC_PER_SEC)
#define PREPARE_USEC   (9 * USEC_PER_SEC)  /* of systemd and of the monitor, both at once */
#define STARTED_USEC   (60 * USEC_PER_SEC) /* the network, hooks and the runtime's own work */

static void start_fail(Container *c, int r, const Error *e);

static Pending *take_pending(ContainerStart *s) {
        if (s->n_pendings == 0)
                return NULL;
        return s->pendings[--s->n_pendings];
}

/* Forgets what it waits for. */
static void start_let_go(ContainerStart *s) {
        if (s->launch_tag != 0)
                launcher_forget(s->container->set->launcher, TAKE(s->launch_tag, 0));
        s->scope_call = unit_call_free(s->scope_call);
        s->deadline = loop_source_free(s->deadline);
        start_steps_done(s);
        s->pidfd = fd_close(s->pidfd);
}

/* Undoes nothing: see start_undo(). */
ContainerStart *container_start_free(ContainerStart *s) {
        Pending *p;

        if (!s)
                return NULL;

        start_let_go(s);
        while ((p = take_pending(s)))
                pending_unref(p);
        free(s->pendings);
        strv_free(s->device_rules);
        free(s);
        return NULL;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(error_done) Error e = {};
        Container *c = userdata;
        ContainerStart *s = c->start;
        int r;

        r = error_set(&e, ERROR_TIMEOUT, "container %s: %s", c->name,
                s->phase == START_OLD_SCOPE        ? "the scope of its last run does not end"
                : s->phase == START_STEPS          ? "no network namespace is made for it"
                : s->phase == START_LAUNCH         ? "the launcher does not answer"
                : s->scope_asked && !s->scope_done ? "systemd does not make its scope"
                : !s->ready                        ? "what it mounts does not answer"
                : !s->network_done                 ? "its network is not made"
                                                   : "its monitor does not answer");
        start_fail(c, r, &e);
        return 0;
}

static int arm(Container *c, uint64_t usec) {
        return loop_timer(c->set->event, usec, LOOP_TIMER, "container-start", on_deadline, c,
                &c->start->deadline);
}

/* The pendings are told last: they may do anything. After a failure the container may be gone by then. */
static void start_end(Container *c, int r, const Error *e) {
        ContainerStart *s = TAKE_PTR(c->start);
        Pending *p;

        start_let_go(s);
        container_stops_proceed(c);
        if (r < 0 && c->remove)
                container_remove_proceed(c);
        else if (r < 0)
                (void) container_auto_remove(c);

        while ((p = take_pending(s)))
                pending_answer(r, e, p);
        container_start_free(s);
}

/* Ends what the start has made so far. A monitor that runs is killed with all that is in its scope. */
static void start_undo(Container *c) {
        ContainerStart *s = c->start;

        if (s->pidfd >= 0)
                (void) process_kill(s->pidfd, SIGKILL);
        c->link = monitor_link_free(c->link);
        s->scope_call = unit_call_free(s->scope_call);
        unit_watch_look(c->scope);
        if (s->scope_asked || s->phase == START_OLD_SCOPE)
                container_end_scope(c);
        start_steps_undo(s);
        container_network_close(c); /* of a start that another daemon began, too */
}

static void start_rest(Container *c, int64_t code, const char *text) {
        int r;

        container_attach_drop(c);
        container_move(c, c->has_started ? CONTAINER_EXITED : CONTAINER_CREATED);
        c->exit_code = code;
        (void) str_copy(&c->error, text);
        r = container_save(c);
        if (r < 0)
                (void) log_container_error(c, r, "Failed to save: %m");
        mount_points_unmount(c);
}

static void start_fail(Container *c, int r, const Error *e) {
        _cleanup_(error_done) Error copy = {};

        (void) error_copy(&copy, e);
        (void) error_set_errno(&copy, r, "Failed to start container %s", c->name);
        log_container_warning(c, 0, "Start failed: %s", error_text(&copy, r));

        start_undo(c);
        start_rest(c, 128, error_text(&copy, r));
        start_end(c, r, &copy);
}

void container_start_cancel(Container *c) {
        _cleanup_(error_done) Error e = {};
        int r;

        assert(c->start);

        r = error_set(&e, ERROR_CANCELLED,
                "the start of container %s was given up: its end is wished", c->name);
        start_fail(c, r, &e);
}

/* The monitor could not start it: it cleans up and leaves by itself. */
static void start_refused(Container *c, const MonitorRecord *record) {
        _cleanup_(error_done) Error e = {};
        ErrorKind kind = error_kind_from_string(str_or_empty(record->error_kind));
        bool wrong_command = record->exit_code == 126 || record->exit_code == 127;
        int r;

        if (kind <= ERROR_NONE)
                kind = wrong_command ? ERROR_INVALID : ERROR_INTERNAL;
        r = error_set(&e, kind, "failed to start container %s: %s", c->name,
                str_or(record->error, "no reason given"));

        if (!c->start->scope_done && c->start->scope_asked)
                container_end_scope(c);
        start_steps_undo(c->start);
        container_network_close(c);
        start_rest(c, record->exit_code, error_text(&e, r));
        if (c->link)
                monitor_link_release(c->link);
        start_end(c, r, &e);
}

static void start_done(Container *c, const MonitorRecord *record) {
        _cleanup_(fd_closep) int folder = -EBADF;
        char text[64];
        int r;

        c->pid = record->pid;
        c->started_ns = (int64_t) record->started_at;
        c->has_started = true;

        /* What dies with the boot is kept in /run; that a start was begun is on disk already, or was when its daemon lived on. */
        if (c->start->resumed) {
                r = container_save(c);
                if (r < 0)
                        (void) log_container_warning(
                                c, r, "Failed to save the start: %m, ignoring");
        }
        folder = file_open_dir(c->set->run_fd, c->id);
        (void) snprintf(
                text, sizeof(text), "%lld %lld\n", (long long) c->started_ns, (long long) c->pid);
        r = folder < 0 ? folder : file_write_atomic_string(folder, START_MARK, text, 0600, 0);
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to note the start: %m, ignoring");

        start_steps_keep(c->start);
        container_move(c, CONTAINER_RUNNING);
        container_network_publish(c, "connect");
        mount_points_publish(c, /* mounted= */ true);
        container_publish(c, "start", NULL, NULL);
        container_follow_freezer(c);
        container_follow_limits(c);
        start_end(c, 0, NULL);
}

/* Said and prepared: what remains is the runtime's. */
static void start_prepared(Container *c) {
        _cleanup_(error_done) Error e = {};
        int r;

        if (!c->start->ready || !c->start->scope_done)
                return;
        r = arm(c, STARTED_USEC);
        if (r < 0) {
                (void) error_set_errno(
                        &e, r, "Failed to wait for the start of container %s", c->name);
                start_fail(c, r, &e);
        }
}

/* The save costs two syncs (none for a container that removes itself), so it goes on while the runtime works. Nobody is told of the start
 * before it is done, and a start that a crash cuts off before it is none: restore.c ends it. */
static void start_go(Container *c) {
        const MonitorCommand go = { .type = MONITOR_GO };
        _cleanup_(error_done) Error e = {};
        int r;

        if (!c->start->scope_done || !c->start->network_done) {
                start_prepared(c);
                return; /* the other one goes on */
        }
        container_attach_hand_over(c);
        r = c->link ? monitor_link_command(c->link, &go, NULL, NULL) : -ENOTCONN;
        if (r >= 0)
                r = container_save(c);
        if (r < 0) {
                (void) error_set_errno(&e, r, "Failed to save container %s", c->name);
                start_fail(c, r, &e);
                return;
        }
        start_prepared(c);
}

static void on_scope_started(int r, const Error *e, void *userdata);

static int ask_for_scope(Container *c) {
        _cleanup_(unit_properties_done) UnitProperties p = {};
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        r = start_make_scope(c->start, &p);
        if (r < 0)
                return r;
        r = container_watch_scope(c);
        if (r < 0)
                return r;
        r = units_start_transient(c->set->units, container_scope(c, scope), &p, on_scope_started, c,
                &c->start->scope_call);
        if (r >= 0)
                c->start->scope_asked = true;
        return r;
}

/* An earlier run's, which the last daemon did not see end: it is killed, then asked for again. */
static int clear_the_way(Container *c) {
        char scope[CONTAINER_SCOPE_SIZE];

        c->start->scope_in_the_way = c->start->scope_asked_again = true;
        unit_watch_look(c->scope);
        return units_kill(c->set->units, container_scope(c, scope), SIGKILL, NULL, NULL, NULL);
}

static void on_scope_started(int r, const Error *e, void *userdata) {
        Container *c = userdata;

        c->start->scope_call = NULL;
        if (r == -EEXIST && !c->start->scope_asked_again)
                r = clear_the_way(c);
        if (r < 0) {
                start_fail(c, r, e);
                return;
        }
        if (c->start->scope_in_the_way)
                return;
        c->start->scope_done = true;
        start_go(c);
}

/* Its own words say which devices are meant, and only the monitor sees the host's /dev: then the scope has to wait for "ready". */
static bool has_devices(const Container *c) {
        const Resources *r = &c->spec.host.resources;

        return (r->n_devices > 0 || r->n_device_requests > 0) && !c->spec.host.privileged;
}

static void start_on_ready(Container *c, const MonitorRecord *record) {
        _cleanup_(error_done) Error e = {};
        ContainerStart *s = c->start;
        int r;

        /* A start that a crash cut off: nobody waits for it any more. */
        if (s->resumed) {
                start_fail(c, error_set(&e, ERROR_CANCELLED, "the engine ended meanwhile"), &e);
                return;
        }
        s->ready = true;
        if (!has_devices(c) || s->scope_asked) {
                start_prepared(c);
                return;
        }
        r = strv_set(&s->device_rules, record->device_rules);
        if (r >= 0 && s->phase == START_MONITOR)
                r = ask_for_scope(c);
        if (r < 0)
                start_fail(c, r, &e);
}

static void on_launched(int r, int pid, int pidfd, void *userdata) {
        _cleanup_(error_done) Error e = {};
        Container *c = userdata;
        ContainerStart *s = c->start;

        s->launch_tag = 0;
        s->pidfd = pidfd;
        s->monitor_pid = pid;
        s->phase = START_MONITOR;
        s->listen_fd = fd_close(s->listen_fd);
        if (r >= 0)
                r = arm(c, PREPARE_USEC);
        if (r >= 0 && (!has_devices(c) || s->ready))
                r = ask_for_scope(c);

        if (r == -ECONNRESET) /* whether it has started the monitor is not known: no second try */
                (void) error_set(&e, ERROR_INTERNAL,
                        "Failed to start the monitor of container %s: the launcher ended meanwhile",
                        c->name);
        if (r < 0) {
                (void) error_set_errno(
                        &e, r, "Failed to start the monitor of container %s", c->name);
                start_fail(c, r, &e);
        }
}

static void on_network_joined(int r, const Error *e, void *userdata) {
        _cleanup_(error_done) Error error = {};
        Container *c = userdata;

        if (r >= 0)
                r = container_network_save(c);
        if (r < 0) {
                if (e)
                        (void) error_copy(&error, e);
                (void) error_prefix(&error, r, "failed to set up container networking");
                start_fail(c, r, &error);
                return;
        }
        c->start->network_done = true;
        start_go(c);
}

/* Beside the monitor's own beginning. */
static int join_networks(Container *c, Error *reterr) {
        int r;

        r = c->sandbox ? sandbox_join(c->sandbox, on_network_joined, c, reterr) : 1;
        if (r > 0 && c->sandbox)
                r = container_network_save(c) < 0 ? -EIO : 1;
        if (r < 0)
                return error_prefix(reterr, r, "failed to set up container networking");
        c->start->network_done = r > 0;
        return 0;
}

static int launch(Container *c) {
        ContainerStart *s = c->start;
        const int fds[] = { s->spec_fd, s->listen_fd };
        int r;

        s->phase = START_LAUNCH;
        r = arm(c, LAUNCH_USEC);
        if (r < 0)
                return r;
        r = launcher_start(c->set->launcher, LAUNCHER_MONITOR, c->id, fds, ARRAY_SIZE(fds),
                on_launched, c, &s->launch_tag);
        if (r < 0)
                return r;
        s->spec_fd = fd_close(s->spec_fd);

        /* It is in the backlog until the monitor is there. */
        return monitor_link_open(c, &c->link);
}

static void walk(Container *c) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = start_steps_walk(c->start, &e);
        if (r > 0)
                r = arm(c, NETWORK_USEC); /* container_start_on_network() goes on */
        else if (r == 0) {
                r = launch(c);
                if (r >= 0)
                        r = join_networks(c, &e);
        }
        if (r < 0)
                start_fail(c, r, &e);
}

void container_start_on_network(int r, const Error *e, void *container) {
        Container *c = container;

        if (r < 0)
                start_fail(c, r, e);
        else
                walk(c);
}

static int on_walk(sd_event_source *source, void *userdata) {
        Container *c = userdata;

        c->start->begin = loop_source_free(c->start->begin);
        walk(c);
        return 0;
}

int container_start(Container *c, Pending *p, Error *reterr) {
        int r;

        assert(c);
        assert(p);

        if (c->state == CONTAINER_PAUSED)
                return error_set(reterr, ERROR_CONFLICT,
                        "cannot start a paused container, try unpause instead");
        if (container_is_up(c))
                return error_set(
                        reterr, ERROR_NOT_MODIFIED, "Container %s is already running", c->id);
        r = container_start_by_policy(c, p, reterr);
        if (r < 0)
                return r;
        c->restart_count = 0;
        c->restart_pause_usec = 0;
        return 0;
}

int container_start_by_policy(Container *c, Pending *p, Error *reterr) {
        ContainerStart *s;
        int r;

        if (c->state == CONTAINER_REMOVING || c->remove)
                return error_set(reterr, ERROR_CONFLICT,
                        "container is marked for removal and cannot be started");
        if (container_files_writing(c))
                return error_set(reterr, ERROR_CONFLICT,
                        "files are being copied into container %s: start it when that is done",
                        c->name);

        s = c->start;
        if (!s) {
                launcher_wake(c->set->launcher);
                s = new0(ContainerStart, 1);
                if (!s)
                        return -ENOMEM;
                start_steps_init(s, c);
                c->start = s;
                r = str_copy(&c->start_boot, c->set->sysinfo->boot_id);
                /* From the loop: whoever asks may hold something that a failure would take away. */
                if (r >= 0)
                        r = loop_defer(c->set->event, LOOP_SYSTEM, "container-start", on_walk, c,
                                &s->begin);
                if (r >= 0 && (c->scope || c->link)) {
                        s->begin = loop_source_free(s->begin);
                        unit_watch_look(c->scope);
                        s->phase = START_OLD_SCOPE;
                        r = arm(c, OLD_SCOPE_USEC);
                }
                if (r < 0) {
                        c->start = container_start_free(s);
                        return r;
                }
                container_move(c, CONTAINER_STARTING);
                container_health_reset(c);
                c->oom_killed = false;
                c->manually_stopped = false;
                c->restart_cancelled = false;
                c->scope_stopped = false;
                c->exit_code = 0;
                c->error = mfree(c->error);
        }

        r = array_grow(&s->pendings, &s->n_pendings_allocated, s->n_pendings + 1);
        if (r < 0)
                return r;
        s->pendings[s->n_pendings++] = pending_ref(p);
        return 0;
}

void container_start_on_record(Container *c, const MonitorRecord *record) {
        switch (record->type) {
        case MONITOR_READY:
                start_on_ready(c, record);
                return;
        case MONITOR_STARTED:
                start_done(c, record);
                return;
        case MONITOR_FAILED:
                start_refused(c, record);
                return;
        case MONITOR_EXITED:
                /* So short that its start came together with its end. */
                start_done(c, &(MonitorRecord) { .started_at = record->started_at });
                if (container_is_running(c))
                        container_handle_exit(c, record);
                return;
        default:
                return;
        }
}

/* The monitor died before it could say anything, or its last words are in the file. */
void container_start_on_hangup(Container *c) {
        _cleanup_(monitor_record_done) MonitorRecord record = {};
        _cleanup_(error_done) Error e = {};
        int r;

        if (c->start->phase == START_OLD_SCOPE) {
                container_start_on_scope_gone(c);
                return;
        }
        if (container_read_exit(c, &record) >= 0) {
                container_start_on_record(c, &record);
                return;
        }
        r = error_set(
                &e, ERROR_INTERNAL, "failed to start container %s: its monitor ended", c->name);
        start_fail(c, r, &e);
}

void container_start_on_scope_gone(Container *c) {
        _cleanup_(error_done) Error e = {};
        ContainerStart *s = c->start;
        int r;

        if (TAKE(s->scope_in_the_way, false)) {
                r = ask_for_scope(c);
                if (r < 0)
                        start_fail(c, r, &e);
                return;
        }
        if (s->phase != START_OLD_SCOPE || c->scope || c->link)
                return;
        (void) loop_timer_stop(s->deadline);
        walk(c);
}

int container_start_resume(Container *c) {
        ContainerStart *s;
        int r;

        s = new0(ContainerStart, 1);
        if (!s)
                return -ENOMEM;
        start_steps_init(s, c);
        s->phase = START_MONITOR;
        s->resumed = s->scope_asked = s->scope_done = s->network_done = true;
        c->start = s;
        r = arm(c, STARTED_USEC);
        if (r < 0)
                c->start = container_start_free(s);
        return r;
}
