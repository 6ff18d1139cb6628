/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/firewalld.h"

#include <string.h>
#include <systemd/sd-bus.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define FIREWALLD_NAME "org.fedoraproject.FirewallD1"
#define FIREWALLD_PATH "/org/fedoraproject/FirewallD1"
#define FIREWALLD_ZONE FIREWALLD_NAME ".zone"
#define CALL_USEC      UINT64_C(25000000)

static const char *const zones[] = { "docker", "trusted" };

struct Firewalld {
        sd_bus *bus;
        sd_bus_slot *owner_match, *reloaded_match, *owner_call;
        firewalld_reloaded_t reloaded;
        void *userdata;
        char **bridges;
        bool present;

        /* One bridge after the other, one call at a time. */
        sd_bus_slot *call;
        size_t at;   /* in bridges */
        size_t zone; /* in zones: the one that is tried */
        bool again;  /* something has changed meanwhile: all once more */
};

static void next(Firewalld *f);

Firewalld *firewalld_free(Firewalld *f) {
        if (!f)
                return NULL;
        sd_bus_slot_unref(f->call);
        sd_bus_slot_unref(f->owner_call);
        sd_bus_slot_unref(f->owner_match);
        sd_bus_slot_unref(f->reloaded_match);
        sd_bus_unref(f->bus);
        strv_free(f->bridges);
        free(f);
        return NULL;
}

/* Asks without starting it: a firewall that was stopped stays so. */
static int ask(Firewalld *f, const char *member, const char *zone, const char *bridge,
        sd_bus_message_handler_t answered) {
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                f->bus, &m, FIREWALLD_NAME, FIREWALLD_PATH, FIREWALLD_ZONE, member);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0 && zone)
                r = sd_bus_message_append(m, "s", zone);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", bridge);
        if (r >= 0)
                r = answered ? sd_bus_call_async(f->bus, &f->call, m, answered, f, CALL_USEC)
                             : sd_bus_send(f->bus, m, NULL);
        sd_bus_message_unref(m);
        return r;
}

static void done_with(Firewalld *f) {
        f->at++;
        f->zone = 0;
        next(f);
}

static int on_added(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        Firewalld *f = userdata;
        const char *bridge = f->again ? NULL : f->bridges[f->at];

        f->call = sd_bus_slot_unref(f->call);
        if (!e || !bridge) {
                if (bridge)
                        log_info(
                                "Bridge %s is in firewalld's zone \"%s\".", bridge, zones[f->zone]);
                done_with(f);
        } else if (strstr(str_or_empty(e->message), "INVALID_ZONE") &&
                   f->zone + 1 < ARRAY_SIZE(zones)) {
                f->zone++;
                if (ask(f, "addInterface", zones[f->zone], bridge, on_added) < 0)
                        done_with(f);
        } else {
                log_warning("firewalld does not take bridge %s into its zone \"%s\", ignoring: %s",
                        bridge, zones[f->zone], str_or(e->message, e->name));
                done_with(f);
        }
        return 0;
}

static int on_zone(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Firewalld *f = userdata;
        const char *zone = NULL;

        f->call = sd_bus_slot_unref(f->call);
        if (f->again || sd_bus_message_is_method_error(m, NULL) ||
                sd_bus_message_read(m, "s", &zone) < 0 || !str_empty(zone) ||
                ask(f, "addInterface", zones[0], f->bridges[f->at], on_added) < 0)
                done_with(f);
        return 0;
}

static void next(Firewalld *f) {
        if (f->call)
                return;
        if (f->again)
                f->at = f->zone = 0;
        f->again = false;
        if (!f->present)
                return;
        while (f->at < strv_length(f->bridges)) {
                if (ask(f, "getZoneOfInterface", NULL, f->bridges[f->at], on_zone) >= 0)
                        return;
                f->at++;
        }
}

static void all_again(Firewalld *f) {
        f->again = true;
        next(f);
}

static void came(Firewalld *f) {
        f->present = true;
        all_again(f);
        if (f->reloaded)
                f->reloaded(f->userdata);
}

static int on_reloaded(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        came(userdata);
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *name, *old, *new;
        Firewalld *f = userdata;

        if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0)
                return 0;
        if (str_empty(new))
                f->present = false;
        else
                came(f);
        return 0;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Firewalld *f = userdata;

        f->owner_call = sd_bus_slot_unref(f->owner_call);
        if (!sd_bus_message_is_method_error(m, NULL) && !f->present)
                came(f);
        return 0;
}

int firewalld_new(sd_bus *bus, firewalld_reloaded_t reloaded, void *userdata, Firewalld **ret) {
        _cleanup_(firewalld_freep) Firewalld *f = NULL;
        int r;

        assert(bus);
        assert(ret);

        f = new0(Firewalld, 1);
        if (!f)
                return -ENOMEM;
        f->bus = sd_bus_ref(bus);
        f->reloaded = reloaded;
        f->userdata = userdata;

        r = sd_bus_add_match_async(bus, &f->owner_match,
                "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0="
                "'" FIREWALLD_NAME "'",
                on_owner_changed, NULL, f);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, &f->reloaded_match, FIREWALLD_NAME,
                        FIREWALLD_PATH, FIREWALLD_NAME, "Reloaded", on_reloaded, NULL, f);
        if (r >= 0)
                r = sd_bus_call_method_async(bus, &f->owner_call, "org.freedesktop.DBus",
                        "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner", on_owner,
                        f, "s", FIREWALLD_NAME);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

int firewalld_add(Firewalld *f, const char *bridge) {
        int r;

        assert(f);
        assert(bridge);

        if (!strv_contains(f->bridges, bridge)) {
                r = strv_add(&f->bridges, bridge);
                if (r < 0)
                        return r;
        }
        next(f);
        return 0;
}

void firewalld_remove(Firewalld *f, const char *bridge) {
        int r;

        assert(f);

        if (strv_remove(f->bridges, bridge) == 0)
                return;
        /* The places of the others have changed. */
        f->again = true;
        if (!f->present)
                return;
        r = ask(f, "removeInterface", "", bridge, NULL);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Bridge %s cannot be taken out of firewalld, ignoring: %m", bridge);
}
