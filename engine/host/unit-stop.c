/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/units-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

/* Who stops a unit: a job of kind "stop" that is not ours is a person's, unless the host goes down. systemd announces a job (JobNew) before
 * it acts on it, and what one sender says arrives in order: when it has answered a question asked after the end of a unit, the job that ended
 * it has been heard of. */

#define BARRIER_USEC (5 * USEC_PER_SEC)
#define SYSTEMD_JOB  "org.freedesktop.systemd1.Job"

static bool have_call(const Units *u, const char *name) {
        UnitCall *c;

        LIST_FOREACH (c, &u->calls, node)
                if (c->kind < UNIT_CALL_KILL && streq(c->name, name))
                        return true;
        return false;
}

int units_on_job_new(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *job, *name;
        Units *u = userdata;
        UnitWatch *w;

        if (sd_bus_message_read(m, "uos", NULL, &job, &name) < 0)
                return 0;
        if (streq(name, UNITS_SHUTDOWN)) {
                units_look_at_host(u);
                return 0;
        }
        w = hashmap_get(u->watches, name);
        if (w && w->told && !have_call(u, name))
                unit_watch_handle_job(w, job);
        return 0;
}

/* 1: it goes down; 0: not; negative: it did not say. */
static int read_host(sd_bus_message *m) {
        const char *state;
        int r;

        r = units_read_text(m, &state);
        return r < 0 ? r : streq(state, "stopping");
}

static int ask_host(
        Units *u, sd_bus_message_handler_t handler, void *userdata, sd_bus_slot **slot) {
        return units_get_text(
                u, SYSTEMD_PATH, SYSTEMD_MANAGER, "SystemState", handler, userdata, slot);
}

static void set_host(Units *u, bool stops) {
        if (u->host_stops == stops)
                return;
        u->host_stops = stops;
        if (u->host_changed)
                u->host_changed(stops, u->host_userdata);
}

static int on_host(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Units *u = userdata;
        int r;

        u->state_slot = sd_bus_slot_unref(u->state_slot);
        r = read_host(m);
        if (r >= 0)
                set_host(u, r > 0);
        return 0;
}

void units_look_at_host(Units *u) {
        int r;

        u->state_slot = sd_bus_slot_unref(u->state_slot);
        r = ask_host(u, on_host, u, &u->state_slot);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to ask systemd whether the host goes down: %m, ignoring");
}

bool units_host_stops(const Units *u) {
        assert(u);

        return u->host_stops;
}

void units_on_host(Units *u, units_host_t changed, void *userdata) {
        assert(u);

        u->host_changed = changed;
        u->host_userdata = userdata;
}

/* ---- somebody's job ---- */

void unit_watch_on_job(UnitWatch *w, unit_job_t told) {
        assert(w);

        w->told = told;
}

static void job_told(UnitWatch *w, bool is_stop) {
        bool removed = w->removed;

        w->job_slot = sd_bus_slot_unref(w->job_slot);
        if (w->told)
                w->told(is_stop, w->userdata);
        if (removed)
                unit_watch_handle_removed(w);
}

bool unit_watch_asks(const UnitWatch *w) {
        return w && w->job_slot;
}

/* All jobs of a shutdown are made at once: if this one is of it, it says so. */
static int on_job_host(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        UnitWatch *w = userdata;
        int r;

        r = read_host(m);
        if (r >= 0)
                set_host(w->units, r > 0);
        job_told(w, r == 0);
        return 0;
}

static int on_job_type(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        UnitWatch *w = userdata;
        const char *type = "stop"; /* it is over already, and what runs can hardly be started */
        int r = 0;

        w->job_slot = sd_bus_slot_unref(w->job_slot);
        if (!sd_bus_message_is_method_error(m, NULL))
                r = units_read_text(m, &type);
        if (r >= 0 && streq(type, "stop"))
                r = ask_host(w->units, on_job_host, w, &w->job_slot);
        else
                r = -ENOENT;
        if (r < 0)
                job_told(w, false);
        return 0;
}

void unit_watch_handle_job(UnitWatch *w, const char *job) {
        int r;

        if (w->job_slot)
                return;
        r = units_get_text(w->units, job, SYSTEMD_JOB, "JobType", on_job_type, w, &w->job_slot);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to ask systemd who stops %s: %m, ignoring", w->name);
}

/* ---- barriers ---- */

UnitsBarrier *units_barrier_free(UnitsBarrier *b) {
        if (!b)
                return NULL;

        list_remove(&b->node);
        sd_bus_slot_unref(b->slot);
        loop_source_free(b->deadline);
        free(b);
        return NULL;
}

static void barrier_finish(UnitsBarrier *b) {
        units_barrier_t done = b->done;
        void *userdata = b->userdata;

        units_barrier_free(b);
        done(userdata);
}

static int on_barrier(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        UnitsBarrier *b = userdata;
        Units *u = b->units;
        int r;

        b->slot = sd_bus_slot_unref(b->slot);
        r = read_host(m);
        if (r >= 0)
                set_host(u, r > 0);
        barrier_finish(b);
        return 0;
}

static int on_barrier_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        barrier_finish(userdata);
        return 0;
}

int units_barrier(Units *u, units_barrier_t done, void *userdata, UnitsBarrier **ret) {
        UnitsBarrier *b;
        int r;

        assert(u);
        assert(done);
        assert(ret);

        b = new0(UnitsBarrier, 1);
        if (!b)
                return -ENOMEM;
        b->units = u;
        b->done = done;
        b->userdata = userdata;
        list_append(&u->barriers, &b->node);
        r = loop_timer(u->event, BARRIER_USEC, LOOP_TIMER, "units-barrier", on_barrier_deadline, b,
                &b->deadline);
        if (r >= 0)
                r = ask_host(u, on_barrier, b, &b->slot);
        if (r < 0) {
                units_barrier_free(b);
                return r;
        }
        *ret = b;
        return 0;
}
