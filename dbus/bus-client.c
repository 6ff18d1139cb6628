/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-client.h"

#include <errno.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

struct BusClient {
        char *name;
        sd_bus *bus;
        sd_bus_slot *match;
        sd_bus_slot *check;
        void (*on_gone)(void *userdata);
        void *userdata;
};

static void gone(BusClient *c) {
        void (*on_gone)(void *userdata) = TAKE_PTR(c->on_gone);

        if (on_gone)
                on_gone(c->userdata);
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *name, *before, *now;
        int r;

        r = sd_bus_message_read(m, "sss", &name, &before, &now);
        if (r >= 0 && str_empty(now))
                gone(userdata);
        return 0;
}

static int on_checked(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        int there;

        if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "b", &there) < 0 ||
                !there)
                gone(userdata);
        return 0;
}

/* It may have left before the match was there. */
static int on_installed(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        BusClient *c = userdata;
        int r = -EIO;

        if (!sd_bus_message_is_method_error(m, NULL))
                r = sd_bus_call_method_async(c->bus, &c->check, "org.freedesktop.DBus",
                        "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", on_checked,
                        c, "s", c->name);
        if (r < 0) {
                log_warning_errno(r, "Cannot watch bus client %s: %m, it gets nothing", c->name);
                gone(c);
        }
        return 0;
}

int bus_client_new(sd_bus *bus, const char *name, void (*on_gone)(void *userdata), void *userdata,
        BusClient **ret) {
        _cleanup_(bus_client_freep) BusClient *c = NULL;
        _cleanup_(freep) char *match = NULL;
        int r;

        assert(bus);
        assert(name);
        assert(on_gone);
        assert(ret);

        c = new0(BusClient, 1);
        if (!c)
                return -ENOMEM;
        c->bus = sd_bus_ref(bus);
        c->on_gone = on_gone;
        c->userdata = userdata;
        r = str_copy(&c->name, name);
        if (r >= 0)
                r = str_printf(&match,
                        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                        name);
        if (r >= 0)
                r = sd_bus_add_match_async(
                        bus, &c->match, match, on_owner_changed, on_installed, c);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

BusClient *bus_client_free(BusClient *c) {
        if (!c)
                return NULL;

        sd_bus_slot_unref(c->check);
        sd_bus_slot_unref(c->match);
        sd_bus_unref(c->bus);
        free(c->name);
        return mfree(c);
}

const char *bus_client_name(const BusClient *c) {
        return c->name;
}
