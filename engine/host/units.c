/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/units.h"

#include "engine/host/units-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

int units_get_text(Units *u, const char *path, const char *interface, const char *property,
        sd_bus_message_handler_t handler, void *userdata, sd_bus_slot **slot) {
        return sd_bus_call_method_async(u->bus, slot, SYSTEMD_NAME, path,
                "org.freedesktop.DBus.Properties", "Get", handler, userdata, "ss", interface,
                property);
}

int units_read_text(sd_bus_message *m, const char **ret) {
        int r;

        if (sd_bus_message_is_method_error(m, NULL))
                return -EIO;
        r = sd_bus_message_enter_container(m, 'v', "s");
        return r < 0 ? r : sd_bus_message_read(m, "s", ret);
}

/* 1 active (or on its way), 0 not. */
int units_read_active(sd_bus_message *m) {
        const char *state;
        int r;

        if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
                units_is_no_such_unit(sd_bus_message_get_error(m)))
                return 0;
        r = units_read_text(m, &state);
        return r < 0 ? r : !STR_IN_SET(state, "inactive", "failed");
}

int units_look(Units *u, const char *name, sd_bus_message_handler_t handler, void *userdata,
        sd_bus_slot **slot) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path);
        if (r < 0)
                return r;
        return units_get_text(u, path, SYSTEMD_UNIT, "ActiveState", handler, userdata, slot);
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *job, *unit, *result;
        Units *u = userdata;
        UnitCall *c;

        if (sd_bus_message_read(m, "uoss", NULL, &job, &unit, &result) < 0)
                return 0;
        if (u->host_stops && streq(unit, UNITS_SHUTDOWN))
                units_look_at_host(u); /* it may have been taken back */
        c = hashmap_get(u->jobs, job);
        if (c)
                unit_call_handle_removed(c, result);
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
                unit_watch_handle_removed(w);
        return 0;
}

/* Signals may have been lost: ask how all that we wait for is now. */
static void units_look_again(Units *u) {
        UnitWatch *w;
        UnitCall *c;

        HASHMAP_FOREACH (w, u->watches)
                unit_watch_look(w);
        LIST_FOREACH (c, &u->calls, node)
                unit_call_look(c);
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
                { "JobNew", units_on_job_new, offsetof(Units, match_job_new) },
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
        list_init(&u->barriers);
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
                return units_error(reterr, &error, "answer", "the engine");

        *ret = TAKE_PTR(u);
        return 0;
}

Units *units_free(Units *u) {
        UnitCall *c;

        if (!u)
                return NULL;

        while ((c = list_first(&u->calls, UnitCall, node)))
                unit_call_free(c);
        assert(list_empty(&u->barriers));
        assert(hashmap_empty(u->watches));

        sd_bus_slot_unref(u->state_slot);
        sd_bus_slot_unref(u->match_job_new);
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
