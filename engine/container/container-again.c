/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-again.h"
#include "engine/container/restart-policy.h"
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "engine/host/units.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

/* Starts by policy: after an exit with a pause, at the start of the daemon at once. They stand in one queue, so that hundreds of them
 * at boot neither storm systemd nor time out. What is saved as "restarting" goes on after a crash of ours. */

#define TOGETHER_MAX 8U

static bool is_passing(const Error *e) {
        return e && (e->kind == ERROR_UNAVAILABLE || e->kind == ERROR_TIMEOUT ||
                            e->kind == ERROR_NO_SPACE);
}

bool container_wants_again(Container *c, int64_t ran_nsec) {
        const RestartPolicy *p = &c->spec.host.restart_policy;

        if (restart_policy_is_none(p) || c->remove || c->restart_cancelled || c->set->ending ||
                !list_empty(&c->restarts) ||
                !restart_policy_wants(p, c->exit_code, c->restart_count, c->manually_stopped))
                return false;

        if (c->set->restoring) { /* as Docker: the daemon's start is a new beginning */
                c->restart_count = 0;
                c->restart_pause_usec = 0;
                return true;
        }
        c->restart_count++;
        c->restart_pause_usec = restart_policy_pause(c->restart_pause_usec, ran_nsec);
        return true;
}

static void again_begin(Container *c);

static void queue_proceed(Containers *s) {
        Container *c;

        while (!s->ending && !units_host_stops(s->units) && s->n_again < TOGETHER_MAX &&
                (c = list_first(&s->again, Container, by_again))) {
                list_remove(&c->by_again);
                again_begin(c);
        }
}

static void again_enqueue(Container *c) {
        c->again_timer = loop_source_free(c->again_timer);
        list_append(&c->set->again, &c->by_again);
        if (!c->set->restoring)
                queue_proceed(c->set);
}

void containers_again_proceed(Containers *s) {
        queue_proceed(s);
}

void containers_handle_host(bool stops, void *userdata) {
        if (!stops)
                queue_proceed(userdata);
}

void container_again_sure(Container *c) {
        if (!c->again_waits)
                return;
        c->again_waits = false;
        again_enqueue(c);
}

static void on_barrier(void *userdata) {
        Container *c = userdata;

        c->again_barrier = NULL;
        c->again_waits = true;
        if (!unit_watch_asks(c->scope))
                container_again_sure(c);
}

/* "systemctl stop" of the scope may have ended it, which systemd has told by the time that it answers. */
static int on_due(sd_event_source *source, uint64_t usec, void *userdata) {
        Container *c = userdata;

        if (units_barrier(c->set->units, on_barrier, c, &c->again_barrier) < 0)
                again_enqueue(c);
        return 0;
}

static void again_disarm(Container *c) {
        c->again_timer = loop_source_free(c->again_timer);
        c->again_barrier = units_barrier_free(c->again_barrier);
        c->again_waits = false;
        list_remove(&c->by_again);
}

void container_again_arm(Container *c) {
        int r;

        assert(c->state == CONTAINER_RESTARTING);

        if (c->restart_pause_usec == 0) {
                again_enqueue(c);
                return;
        }
        r = loop_timer(c->set->event, c->restart_pause_usec, LOOP_TIMER, "container-again", on_due,
                c, &c->again_timer);
        if (r < 0) {
                (void) log_container_error(c, r, "Failed to wait for the next start: %m");
                again_enqueue(c);
        }
}

static void again_rest(Container *c) {
        int r;

        container_move(c, CONTAINER_EXITED);
        r = container_save(c);
        if (r < 0)
                (void) log_container_error(c, r, "Failed to save: %m");
}

/* Its start failed. What may pass is tried again, as an exit would be; the rest stays as it is. */
static void again_failed(Container *c, int r, const Error *e) {
        (void) log_container_error(c, 0, "Restart by policy failed: %s", error_text(e, r));
        if (c->set->ending || c->remove)
                return;
        if (c->state == CONTAINER_RESTARTING) /* it was refused at once */
                container_move(c, CONTAINER_EXITED);
        if (c->state != CONTAINER_EXITED)
                return;

        (void) str_copy(&c->error, error_text(e, r));
        if (is_passing(e) && container_wants_again(c, 0)) {
                container_move(c, CONTAINER_RESTARTING);
                r = container_save(c);
                if (r < 0)
                        (void) log_container_error(c, r, "Failed to save: %m, ignoring");
                container_again_arm(c);
                return;
        }
        r = container_save(c);
        if (r < 0)
                (void) log_container_error(c, r, "Failed to save: %m");
        container_waits_tell(c, /* removed= */ false);
}

static void on_started(int r, void *result, const Error *e, void *userdata) {
        Container *c = userdata;
        Containers *s = c->set;

        c->again = pending_unref(c->again);
        c->restarting = false;
        s->n_again--;
        if (r < 0)
                again_failed(c, r, e);
        queue_proceed(s);
}

static void again_begin(Container *c) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = pending_new(on_started, c, &c->again);
        if (r >= 0) {
                c->restarting = true;
                c->set->n_again++;
                r = container_start_by_policy(c, c->again, &e);
                if (r >= 0)
                        return;
                c->set->n_again--;
                c->restarting = false;
                pending_detach(c->again);
                c->again = pending_unref(c->again);
        }
        (void) error_set_errno(&e, r, "Failed to start container %s", c->name);
        again_failed(c, r, &e);
}

void container_again_forget(Container *c) {
        again_disarm(c);
        if (!c->again)
                return;
        pending_detach(c->again);
        c->again = pending_unref(c->again);
        c->restarting = false;
        c->set->n_again--;
}

void container_again_cancel(Container *c) {
        assert(c->state == CONTAINER_RESTARTING);

        again_disarm(c);
        c->restart_cancelled = true;
        again_rest(c);
        container_waits_tell(c, /* removed= */ false);
}

void container_note_signal(Container *c, int signal) {
        bool is_new = !c->manually_stopped;
        int stop_signal = 0, r;

        if (!str_empty(c->spec.config.stop_signal))
                (void) parse_signal(c->spec.config.stop_signal, &stop_signal);
        if (restart_policy_is_cancelled_by(signal, stop_signal))
                c->restart_cancelled = true;
        c->manually_stopped = true;

        /* Who has no policy is saved at the exit. */
        if (!is_new || restart_policy_is_none(&c->spec.host.restart_policy))
                return;
        r = container_save(c);
        if (r < 0)
                (void) log_container_warning(
                        c, r, "Failed to save that it was stopped: %m, ignoring");
}

void container_restore_again(Container *c) {
        const RestartPolicy *p = &c->spec.host.restart_policy;

        if (c->remove || !c->has_started)
                return;
        if (c->state == CONTAINER_RESTARTING) { /* we were killed during the pause */
                if (!restart_policy_is_none(p)) {
                        c->restart_pause_usec = RESTART_PAUSE_MIN_USEC;
                        container_again_arm(c);
                        return;
                }
                again_rest(c);
        }
        if (c->state == CONTAINER_EXITED && container_wants_again(c, 0)) {
                container_move(c, CONTAINER_RESTARTING);
                container_again_arm(c);
        }
}
