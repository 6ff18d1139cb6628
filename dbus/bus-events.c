/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manager.GetEvents: what has happened, for those who were not there. */
#include <errno.h>
#include <inttypes.h>

#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/core/hub.h"
#include "engine/engine.h"
#include "engine/view/event-view.h"
#include "lib/api/filter.h"
#include "lib/base/clock.h"

typedef struct Replay {
        sd_bus_message *reply;
        const Filter *filter;
        int r;
} Replay;

static void on_event(const Event *e, void *userdata) {
        Replay *p = userdata;

        if (p->r < 0 || !event_matches(e, p->filter))
                return;
        p->r = sd_bus_message_open_container(p->reply, 'r', "sssta{ss}");
        if (p->r >= 0)
                p->r = bus_append_event(p->reply, e);
        if (p->r >= 0)
                p->r = sd_bus_message_close_container(p->reply);
}

/* Microseconds → nanoseconds, as late as there is when there are too many. */
static uint64_t nsec(uint64_t usec) {
        uint64_t n;

        return MUL_OVERFLOWS(usec, (uint64_t) NSEC_PER_USEC, &n) ? UINT64_MAX : n;
}

int bus_manager_get_events(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        uint64_t since, until;
        Replay replay;
        int r;

        r = sd_bus_message_read(m, "tt", &since, &until);
        if (r >= 0)
                r = bus_read_filter(m, event_filter_keys, &filter, &error);
        if (r >= 0 && until > 0 && since > until)
                r = error_set(&error, ERROR_INVALID,
                        "`since` time (%" PRIu64 ") cannot be after `until` time (%" PRIu64 ")",
                        since, until);
        if (r < 0)
                return bus_error(reterr, r, &error);

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sssta{ss})");
        if (r < 0)
                return r;
        replay = (Replay) { .reply = reply, .filter = filter };
        hub_replay(e->hub, nsec(since), until > 0 ? nsec(until) : UINT64_MAX, on_event, &replay);
        r = replay.r;
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}
