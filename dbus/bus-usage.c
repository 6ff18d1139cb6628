/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manager.GetDiskUsage and Container.GetSize: a worker measures, then the call is answered. */
#include <errno.h>

#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/core/pending.h"
#include "engine/engine.h"
#include "engine/system.h"
#include "engine/view/container-view.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* A call that waits. The container may be gone when it has been measured. */
typedef struct UsageCall {
        Engine *engine; /* or */
        Containers *containers;
        char *id;
        SystemUsage what;
        sd_bus_message *m;
        Pending *pending;
} UsageCall;

static UsageCall *call_free(UsageCall *c) {
        if (!c)
                return NULL;

        pending_detach(c->pending);
        pending_unref(c->pending);
        sd_bus_message_unref(c->m);
        free(c->id);
        return mfree(c);
}

static int reply_usage(UsageCall *c, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = system_usage(c->engine, VIEW_API_LATEST, c->what, &v);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        return r < 0 ? r : sd_bus_reply_method_return(c->m, "s", text);
}

static int reply_size(UsageCall *c, Error *reterr) {
        uint64_t own, all;
        Container *found;
        int r;

        r = containers_find(c->containers, c->id, &found, reterr);
        if (r < 0)
                return r;
        container_size(found, &own, &all);
        return sd_bus_reply_method_return(c->m, "tt", own, all);
}

static void on_measured(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(error_done) Error own = {};
        UsageCall *c = userdata;

        if (r < 0)
                (void) error_copy(&own, e);
        else
                r = c->engine ? reply_usage(c, &own) : reply_size(c, &own);
        if (r < 0) {
                (void) bus_error(&error, r, &own);
                r = sd_bus_reply_method_error(c->m, &error);
        }
        if (r < 0)
                log_debug_errno(r, "Failed to answer a call about sizes, ignoring: %m");
        call_free(c);
}

static int call_new(sd_bus_message *m, UsageCall **ret) {
        UsageCall *c;
        int r;

        c = new0(UsageCall, 1);
        if (!c)
                return -ENOMEM;
        r = pending_new(on_measured, c, &c->pending);
        if (r < 0) {
                free(c);
                return r;
        }
        c->m = sd_bus_message_ref(m);
        *ret = c;
        return 0;
}

int bus_manager_get_disk_usage(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **types = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        SystemUsage what;
        UsageCall *c;
        int r;

        r = sd_bus_message_read_strv(m, &types);
        if (r >= 0)
                r = system_usage_parse(types, &what, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = call_new(m, &c);
        if (r < 0)
                return r;
        c->engine = e;
        c->what = what;
        r = system_usage_measure(e, what, c->pending, &error);
        if (r < 0) {
                call_free(c);
                return bus_error(reterr, r, &error);
        }
        return 1;
}

int bus_container_get_size(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        Container *container = userdata;
        UsageCall *c;
        int r;

        r = bus_container_auth(m, AUTH_VIEW, container, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = call_new(m, &c);
        if (r < 0)
                return r;
        c->containers = container->set;
        r = str_copy(&c->id, container->id);
        if (r >= 0)
                r = containers_measure(container->set, &container, 1, c->pending, &error);
        if (r < 0) {
                call_free(c);
                return bus_error(reterr, r, &error);
        }
        return 1;
}
