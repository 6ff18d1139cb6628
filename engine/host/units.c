/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/units.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "engine/host/unit-properties.h"
#include "lib/base/alloc.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

#define SYSTEMD_NAME          "org.freedesktop.systemd1"
#define SYSTEMD_PATH          "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER       "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT          "org.freedesktop.systemd1.Unit"
#define SYSTEMD_NO_SUCH_UNIT  "org.freedesktop.systemd1.NoSuchUnit"
#define SYSTEMD_UNIT_EXISTS   "org.freedesktop.systemd1.UnitExists"
#define SYSTEMD_UNIT_NOT_LOAD "org.freedesktop.systemd1.UnitNotLoaded"
#define START_UP_USEC         UINT64_C(10000000)

typedef enum UnitCallKind {
        UNIT_CALL_START,
        UNIT_CALL_STOP,
        UNIT_CALL_KILL,
} UnitCallKind;

/* Waits for an answer, then (not for kill) for the end of the job that the answer names. */
struct UnitCall {
        ListNode node;
        Units *units;
        UnitCallKind kind;
        char *name;
        char *job; /* object path, key of Units.jobs */
        sd_bus_slot *slot;
        sd_event_source *deadline;
        unit_done_t done;
        void *userdata;
};

struct UnitWatch {
        Units *units;
        char *name; /* key of Units.watches */
        sd_bus_slot *slot;
        unit_gone_t gone;
        void *userdata;
};

struct Units {
        sd_event *event;
        sd_bus *bus;
        sd_bus_slot *match_job_removed;
        sd_bus_slot *match_unit_removed;
        sd_bus_slot *match_reloading;
        sd_bus_slot *match_owner;
        List calls;
        Hashmap *jobs;    /* job path: UnitCall */
        Hashmap *watches; /* unit name: UnitWatch */
};

static bool is_no_such_unit(const sd_bus_error *e) {
        return sd_bus_error_has_name(e, SYSTEMD_NO_SUCH_UNIT) ||
               sd_bus_error_has_name(e, SYSTEMD_UNIT_NOT_LOAD);
}

static int error_from_bus(
        Error *reterr, const sd_bus_error *e, const char *what, const char *name) {
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
        return kind == UNIT_CALL_START ? "start" : kind == UNIT_CALL_STOP ? "stop" : "kill";
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

                if (c->kind == UNIT_CALL_STOP && is_no_such_unit(error))
                        r = 0; /* gone is what was asked for */
                else
                        r = error_from_bus(&e, error, call_verb(c->kind), c->name);
                call_finish(c, r, &e);
                return 0;
        }
        if (c->kind == UNIT_CALL_KILL) {
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

int units_start_transient(Units *u, const char *name, const UnitProperties *properties,
        unit_done_t done, void *userdata, UnitCall **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(unit_call_freep) UnitCall *c = NULL;
        int r;

        assert(u);
        assert(name);

        r = call_new(u, UNIT_CALL_START, name, done, userdata, &c);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(
                u->bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ss", name, "fail");
        if (r < 0)
                return r;
        r = unit_properties_append(properties, m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "a(sa(sv))", 0);
        if (r < 0)
                return r;
        r = sd_bus_call_async(u->bus, &c->slot, m, on_answer, c, UNITS_DEADLINE_USEC);
        if (r < 0)
                return r;

        if (ret)
                *ret = c;
        c = NULL;
        return 0;
}

int units_stop(Units *u, const char *name, unit_done_t done, void *userdata, UnitCall **ret) {
        _cleanup_(unit_call_freep) UnitCall *c = NULL;
        int r;

        assert(u);
        assert(name);

        r = call_new(u, UNIT_CALL_STOP, name, done, userdata, &c);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(u->bus, &c->slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "StopUnit", on_answer, c, "ss", name, "replace");
        if (r < 0)
                return r;

        if (ret)
                *ret = c;
        c = NULL;
        return 0;
}

int units_kill(
        Units *u, const char *name, int signal, unit_done_t done, void *userdata, UnitCall **ret) {
        _cleanup_(unit_call_freep) UnitCall *c = NULL;
        int r;

        assert(u);
        assert(name);

        r = call_new(u, UNIT_CALL_KILL, name, done, userdata, &c);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(u->bus, &c->slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "KillUnit", on_answer, c, "ssi", name, "all", (int32_t) signal);
        if (r < 0)
                return r;

        if (ret)
                *ret = c;
        c = NULL;
        return 0;
}

void units_reset_failed(Units *u, const char *name) {
        (void) sd_bus_call_method_async(u->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "ResetFailedUnit", NULL, NULL, "s", name);
}

static void watch_tell(UnitWatch *w) {
        unit_gone_t gone = TAKE_PTR(w->gone);

        hashmap_remove_value(w->units->watches, w->name, w);
        w->slot = sd_bus_slot_unref(w->slot);
        if (gone)
                gone(w->userdata);
}

UnitWatch *unit_watch_free(UnitWatch *w) {
        if (!w)
                return NULL;

        hashmap_remove_value(w->units->watches, w->name, w);
        sd_bus_slot_unref(w->slot);
        free(w->name);
        free(w);
        return NULL;
}

int units_watch(Units *u, const char *name, unit_gone_t gone, void *userdata, UnitWatch **ret) {
        _cleanup_(unit_watch_freep) UnitWatch *w = NULL;
        int r;

        assert(u);
        assert(name);
        assert(gone);
        assert(ret);

        w = new0(UnitWatch, 1);
        if (!w)
                return -ENOMEM;
        w->units = u;
        w->gone = gone;
        w->userdata = userdata;
        r = str_copy(&w->name, name);
        if (r < 0)
                return r;
        r = hashmap_put(u->watches, w->name, w);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        const char *job, *unit, *result;
        Units *u = userdata;
        UnitCall *c;
        int r;

        r = sd_bus_message_read(m, "uoss", NULL, &job, &unit, &result);
        if (r < 0)
                return 0;

        c = hashmap_get(u->jobs, job);
        if (!c)
                return 0;

        if (streq(result, "done") || (c->kind == UNIT_CALL_STOP && streq(result, "skipped")))
                r = 0;
        else
                r = error_set(&e, streq(result, "timeout") ? ERROR_TIMEOUT : ERROR_INTERNAL,
                        "systemd could not %s %s: the job ended with \"%s\"", call_verb(c->kind),
                        c->name, result);
        call_finish(c, r, &e);
        return 0;
}

static int on_unit_removed(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *name, *path;
        Units *u = userdata;
        UnitWatch *w;

        if (sd_bus_message_read(m, "so", &name, &path) < 0)
                return 0;

        w = hashmap_get(u->watches, name);
        if (w)
                watch_tell(w);
        return 0;
}

/* 1 active (or on its way), 0 not. */
static int read_active(sd_bus_message *m) {
        const char *state;
        int r;

        if (sd_bus_message_is_method_error(m, NULL))
                return is_no_such_unit(sd_bus_message_get_error(
                               m)) || sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_OBJECT)
                             ? 0
                             : -EIO;
        r = sd_bus_message_enter_container(m, 'v', "s");
        if (r < 0)
                return r;
        r = sd_bus_message_read(m, "s", &state);
        if (r < 0)
                return r;
        return !STR_IN_SET(state, "inactive", "failed");
}

static int on_watch_looked(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        UnitWatch *w = userdata;

        w->slot = sd_bus_slot_unref(w->slot);
        if (read_active(m) == 0)
                watch_tell(w);
        return 0;
}

static int on_call_looked(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        UnitCall *c = userdata;
        int active;

        c->slot = sd_bus_slot_unref(c->slot);
        active = read_active(m);
        if (active == (c->kind == UNIT_CALL_START))
                call_finish(c, 0, NULL);
        return 0;
}

static int look(Units *u, const char *name, sd_bus_message_handler_t handler, void *userdata,
        sd_bus_slot **slot) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path);
        if (r < 0)
                return r;
        return sd_bus_call_method_async(u->bus, slot, SYSTEMD_NAME, path,
                "org.freedesktop.DBus.Properties", "Get", handler, userdata, "ss", SYSTEMD_UNIT,
                "ActiveState");
}

void unit_watch_look(UnitWatch *w) {
        int r;

        if (!w || w->slot)
                return;
        r = look(w->units, w->name, on_watch_looked, w, &w->slot);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to ask systemd for the state of %s: %m, ignoring", w->name);
}

/* Signals may have been lost: ask how all that we wait for is now. */
static void units_look_again(Units *u) {
        UnitWatch *w;
        UnitCall *c;
        int r = 0;

        HASHMAP_FOREACH (w, u->watches)
                unit_watch_look(w);
        LIST_FOREACH (c, &u->calls, node)
                if (c->job && !c->slot)
                        r = look(u, c->name, on_call_looked, c, &c->slot);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to ask systemd for the state of a unit: %m, ignoring");
}

static int on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Units *u = userdata;
        int active;

        if (sd_bus_message_read(m, "b", &active) < 0 || active)
                return 0;
        units_look_again(u);
        return 0;
}

static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        units_look_again(userdata);
        return 0;
}

/* systemd came back on the bus: it does not know any more that we listen. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *name, *old, *new;
        Units *u = userdata;
        int r;

        if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0 || str_empty(new))
                return 0;
        r = sd_bus_call_method_async(u->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "Subscribe", on_subscribed, u, NULL);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to subscribe to systemd's signals: %m, ignoring");
        return 0;
}

static int units_match(Units *u) {
        static const struct {
                const char *member;
                sd_bus_message_handler_t handler;
                size_t slot;
        } table[] = {
                { "JobRemoved", on_job_removed, offsetof(Units, match_job_removed) },
                { "UnitRemoved", on_unit_removed, offsetof(Units, match_unit_removed) },
                { "Reloading", on_reloading, offsetof(Units, match_reloading) },
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                r = sd_bus_match_signal(u->bus, (sd_bus_slot **) ((char *) u + table[i].slot),
                        SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, table[i].member,
                        table[i].handler, u);
                if (r < 0)
                        return r;
        }
        return sd_bus_add_match(u->bus, &u->match_owner,
                "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                "arg0='" SYSTEMD_NAME "'",
                on_owner, u);
}

int units_new(sd_event *e, sd_bus *bus, Units **ret, Error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(units_freep) Units *u = NULL;
        int r;

        assert(e);
        assert(bus);
        assert(ret);

        u = new0(Units, 1);
        if (!u)
                return -ENOMEM;
        u->event = sd_event_ref(e);
        u->bus = sd_bus_ref(bus);
        list_init(&u->calls);
        u->jobs = hashmap_new(HASHMAP_STRING);
        u->watches = hashmap_new(HASHMAP_STRING);
        if (!u->jobs || !u->watches)
                return -ENOMEM;

        r = units_match(u);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to listen to systemd's signals");

        r = sd_bus_call_method(
                bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", &error, NULL, NULL);
        if (r < 0)
                return error_from_bus(reterr, &error, "answer", "the engine");

        *ret = TAKE_PTR(u);
        return 0;
}

Units *units_free(Units *u) {
        UnitCall *c;

        if (!u)
                return NULL;

        while ((c = list_first(&u->calls, UnitCall, node)))
                unit_call_free(c);
        assert(hashmap_empty(u->watches));

        sd_bus_slot_unref(u->match_job_removed);
        sd_bus_slot_unref(u->match_unit_removed);
        sd_bus_slot_unref(u->match_reloading);
        sd_bus_slot_unref(u->match_owner);
        hashmap_free(u->jobs);
        hashmap_free(u->watches);
        sd_bus_unref(u->bus);
        sd_event_unref(u->event);
        free(u);
        return NULL;
}

int units_list(Units *u, const char *pattern, char ***ret, Error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(strv_freep) char **names = NULL;
        const char *name, *state;
        int r;

        assert(u);
        assert(ret);

        r = sd_bus_message_new_method_call(
                u->bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "ListUnitsByPatterns");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "asas", 0, 1, pattern);
        if (r < 0)
                return r;
        r = sd_bus_call(u->bus, m, START_UP_USEC, &error, &reply);
        if (r < 0)
                return error_from_bus(reterr, &error, "list", pattern);

        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, &state, NULL,
                        NULL, NULL, NULL, NULL, NULL)) > 0) {
                if (STR_IN_SET(state, "inactive", "failed"))
                        continue;
                r = strv_add(&names, name);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        *ret = TAKE_PTR(names);
        return 0;
}
