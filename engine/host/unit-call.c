/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/unit-properties.h"
#include "engine/host/units-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

#define SYSTEMD_NO_SUCH_UNIT  "org.freedesktop.systemd1.NoSuchUnit"
#define SYSTEMD_UNIT_EXISTS   "org.freedesktop.systemd1.UnitExists"
#define SYSTEMD_UNIT_NOT_LOAD "org.freedesktop.systemd1.UnitNotLoaded"

bool units_is_no_such_unit(const sd_bus_error *e) {
        return sd_bus_error_has_name(e, SYSTEMD_NO_SUCH_UNIT) ||
               sd_bus_error_has_name(e, SYSTEMD_UNIT_NOT_LOAD);
}

int units_error(Error *reterr, const sd_bus_error *e, const char *what, const char *name) {
        static const struct {
                const char *name;
                ErrorKind kind;
        } table[] = {
                { SYSTEMD_NO_SUCH_UNIT, ERROR_NOT_FOUND },
                { SYSTEMD_UNIT_NOT_LOAD, ERROR_NOT_FOUND },
                { SYSTEMD_UNIT_EXISTS, ERROR_EXISTS },
                { SD_BUS_ERROR_ACCESS_DENIED, ERROR_FORBIDDEN },
                { SD_BUS_ERROR_SERVICE_UNKNOWN, ERROR_UNAVAILABLE },
                { SD_BUS_ERROR_NAME_HAS_NO_OWNER, ERROR_UNAVAILABLE },
                { SD_BUS_ERROR_NO_REPLY, ERROR_TIMEOUT },
                { SD_BUS_ERROR_TIMEOUT, ERROR_TIMEOUT },
                { "org.freedesktop.DBus.Error.PropertyReadOnly", ERROR_INVALID },
                { SD_BUS_ERROR_INVALID_ARGS, ERROR_INVALID },
        };
        ErrorKind kind = ERROR_INTERNAL;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (sd_bus_error_has_name(e, table[i].name))
                        kind = table[i].kind;

        return error_set(reterr, kind, "systemd could not %s %s: %s", what, name,
                str_or(e->message, str_or(e->name, "no reason given")));
}

static const char *call_verb(UnitCallKind kind) {
        static const char *const verbs[] = {
                [UNIT_CALL_START] = "start",
                [UNIT_CALL_STOP] = "stop",
                [UNIT_CALL_KILL] = "kill",
                [UNIT_CALL_FREEZE] = "freeze",
                [UNIT_CALL_THAW] = "thaw",
                [UNIT_CALL_SET] = "change",
        };

        return verbs[kind];
}

UnitCall *unit_call_free(UnitCall *c) {
        if (!c)
                return NULL;

        list_remove(&c->node);
        if (c->job)
                hashmap_remove_value(c->units->jobs, c->job, c);
        sd_bus_slot_unref(c->slot);
        loop_source_free(c->deadline);
        free(c->job);
        free(c->name);
        free(c);
        return NULL;
}

static void call_finish(UnitCall *c, int r, const Error *e) {
        unit_done_t done = c->done;
        void *userdata = c->userdata;

        unit_call_free(c);
        if (done)
                done(r, e, userdata);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(error_done) Error e = {};
        UnitCall *c = userdata;
        int r;

        r = error_set(
                &e, ERROR_TIMEOUT, "systemd did not %s %s in time", call_verb(c->kind), c->name);
        call_finish(c, r, &e);
        return 0;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        UnitCall *c = userdata;
        const char *job;
        int r;

        c->slot = sd_bus_slot_unref(c->slot);

        if (sd_bus_message_is_method_error(m, NULL)) {
                const sd_bus_error *error = sd_bus_message_get_error(m);

                if (c->kind == UNIT_CALL_STOP && units_is_no_such_unit(error))
                        r = 0; /* gone is what was asked for */
                else
                        r = units_error(&e, error, call_verb(c->kind), c->name);
                call_finish(c, r, &e);
                return 0;
        }
        if (c->kind >= UNIT_CALL_KILL) {
                call_finish(c, 0, NULL);
                return 0;
        }

        r = sd_bus_message_read(m, "o", &job);
        if (r >= 0)
                r = str_copy(&c->job, job);
        if (r >= 0)
                r = hashmap_put(c->units->jobs, c->job, c);
        if (r < 0) {
                error_set_errno(&e, r, "Failed to %s %s", call_verb(c->kind), c->name);
                call_finish(c, r, &e);
        }
        return 0;
}

static int call_new(Units *u, UnitCallKind kind, const char *name, unit_done_t done, void *userdata,
        UnitCall **ret) {
        _cleanup_(unit_call_freep) UnitCall *c = NULL;
        int r;

        c = new0(UnitCall, 1);
        if (!c)
                return -ENOMEM;

        c->units = u;
        c->kind = kind;
        c->done = done;
        c->userdata = userdata;
        list_append(&u->calls, &c->node);
        r = str_copy(&c->name, name);
        if (r < 0)
                return r;
        r = loop_timer(u->event, UNITS_DEADLINE_USEC, LOOP_TIMER, "unit-deadline", on_deadline, c,
                &c->deadline);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

/* r: whether it went out. It lives until its answer then. */
static int call_sent(UnitCall *c, int r, UnitCall **ret) {
        if (r < 0) {
                unit_call_free(c);
                return r;
        }
        if (ret)
                *ret = c;
        return 0;
}

static int send_properties(UnitCall *c, const UnitProperties *properties) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        bool is_start = c->kind == UNIT_CALL_START;
        sd_bus *bus = c->units->bus;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                is_start ? "StartTransientUnit" : "SetUnitProperties");
        if (r >= 0)
                r = is_start ? sd_bus_message_append(m, "ss", c->name, "fail")
                             : sd_bus_message_append(m, "sb", c->name, /* runtime= */ true);
        if (r >= 0)
                r = unit_properties_append(properties, m);
        if (r >= 0 && is_start)
                r = sd_bus_message_append(m, "a(sa(sv))", 0);
        return r < 0 ? r : sd_bus_call_async(bus, &c->slot, m, on_answer, c, UNITS_DEADLINE_USEC);
}

int units_start_transient(Units *u, const char *name, const UnitProperties *properties,
        unit_done_t done, void *userdata, UnitCall **ret) {
        UnitCall *c;
        int r;

        assert(u);
        assert(name);

        r = call_new(u, UNIT_CALL_START, name, done, userdata, &c);
        return r < 0 ? r : call_sent(c, send_properties(c, properties), ret);
}

int units_stop(Units *u, const char *name, unit_done_t done, void *userdata, UnitCall **ret) {
        UnitCall *c;
        int r;

        assert(u);
        assert(name);

        r = call_new(u, UNIT_CALL_STOP, name, done, userdata, &c);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(u->bus, &c->slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "StopUnit", on_answer, c, "ss", name, "replace");
        return call_sent(c, r, ret);
}

int units_kill(
        Units *u, const char *name, int signal, unit_done_t done, void *userdata, UnitCall **ret) {
        UnitCall *c;
        int r;

        assert(u);
        assert(name);

        r = call_new(u, UNIT_CALL_KILL, name, done, userdata, &c);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(u->bus, &c->slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "KillUnit", on_answer, c, "ssi", name, "all", (int32_t) signal);
        return call_sent(c, r, ret);
}

int units_freeze(
        Units *u, const char *name, bool freeze, unit_done_t done, void *userdata, UnitCall **ret) {
        UnitCall *c;
        int r;

        assert(u);
        assert(name);

        r = call_new(u, freeze ? UNIT_CALL_FREEZE : UNIT_CALL_THAW, name, done, userdata, &c);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(u->bus, &c->slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                freeze ? "FreezeUnit" : "ThawUnit", on_answer, c, "s", name);
        return call_sent(c, r, ret);
}

int units_set_properties(Units *u, const char *name, const UnitProperties *properties,
        unit_done_t done, void *userdata, UnitCall **ret) {
        UnitCall *c;
        int r;

        assert(u);
        assert(name);

        r = call_new(u, UNIT_CALL_SET, name, done, userdata, &c);
        return r < 0 ? r : call_sent(c, send_properties(c, properties), ret);
}

void unit_call_handle_removed(UnitCall *c, const char *result) {
        _cleanup_(error_done) Error e = {};
        int r = 0;

        if (!streq(result, "done") && !(c->kind == UNIT_CALL_STOP && streq(result, "skipped")))
                r = error_set(&e, streq(result, "timeout") ? ERROR_TIMEOUT : ERROR_INTERNAL,
                        "systemd could not %s %s: the job ended with \"%s\"", call_verb(c->kind),
                        c->name, result);
        call_finish(c, r, &e);
}

static int on_call_looked(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        UnitCall *c = userdata;
        int active;

        c->slot = sd_bus_slot_unref(c->slot);
        active = units_read_active(m);
        if (active == (c->kind == UNIT_CALL_START))
                call_finish(c, 0, NULL);
        return 0;
}

void unit_call_look(UnitCall *c) {
        int r;

        if (!c->job || c->slot)
                return;
        r = units_look(c->units, c->name, on_call_looked, c, &c->slot);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to ask systemd for the state of %s: %m, ignoring", c->name);
}
