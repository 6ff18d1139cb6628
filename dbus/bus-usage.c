/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manager.GetDiskUsage and Container.GetSize: a worker measures, then the call is answered. */
#include <errno.h>

#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "engine/system.h"
#include "engine/view/container-view.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* What a call asked for. The container may be gone when it has been measured. */
typedef struct UsageCall {
        Engine *engine; /* or */
        Containers *containers;
        char *id;
        SystemUsage what;
} UsageCall;

static void call_free(void *userdata) {
        UsageCall *c = userdata;

        free(c->id);
        free(c);
}

static int reply_usage(sd_bus_message *m, void *result, void *userdata) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        UsageCall *c = userdata;
        int r;

        r = system_usage(c->engine, VIEW_API_LATEST, c->what, &v);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        return r < 0 ? r : sd_bus_reply_method_return(m, "s", text);
}

static int reply_size(sd_bus_message *m, void *result, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(error_done) Error e = {};
        UsageCall *c = userdata;
        Container *found;
        uint64_t own, all;
        int r;

        r = containers_find(c->containers, c->id, &found, &e);
        if (r < 0) {
                (void) bus_error(&error, r, &e);
                return sd_bus_reply_method_error(m, &error);
        }
        container_size(found, &own, &all);
        return sd_bus_reply_method_return(m, "tt", own, all);
}

static int call_new(sd_bus_message *m, int (*reply)(sd_bus_message *m, void *result, void *call),
        BusReply **ret, UsageCall **ret_call) {
        UsageCall *c;
        BusReply *b;
        int r;

        c = new0(UsageCall, 1);
        if (!c)
                return -ENOMEM;
        r = bus_reply_new(m, NULL, &b);
        if (r < 0) {
                free(c);
                return r;
        }
        b->late_reply = reply;
        b->userdata = c;
        b->free_userdata = call_free;
        *ret = b;
        *ret_call = c;
        return 0;
}

int bus_manager_get_disk_usage(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **types = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        SystemUsage what;
        UsageCall *c;
        BusReply *b;
        int r;

        r = sd_bus_message_read_strv(m, &types);
        if (r >= 0)
                r = system_usage_parse(types, &what, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = call_new(m, reply_usage, &b, &c);
        if (r < 0)
                return r;
        c->engine = e;
        c->what = what;
        r = system_usage_measure(e, what, b->pending, &error);
        return bus_reply_return(b, r, &error, reterr);
}

int bus_container_get_size(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        Container *container = userdata;
        UsageCall *c;
        BusReply *b;
        int r;

        r = bus_container_auth(m, AUTH_VIEW, container, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = call_new(m, reply_size, &b, &c);
        if (r < 0)
                return r;
        c->containers = container->set;
        r = str_copy(&c->id, container->id);
        if (r >= 0)
                r = containers_measure(container->set, &container, 1, b->pending, &error);
        return bus_reply_return(b, r, &error, reterr);
}
