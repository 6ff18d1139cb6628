/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>

#include "dbus/bus-auth.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/core/job.h"
#include "lib/base/str.h"

#define GETTER(name)                                                          \
        static int name(sd_bus *bus, const char *path, const char *interface, \
                const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr)

GETTER(get_kind) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", job_kind_to_string(j->kind));
}

GETTER(get_state) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", job_state_to_string(j->state));
}

GETTER(get_text) {
        return sd_bus_message_append(reply, "s", str_or_empty(*(char **) userdata));
}

GETTER(get_started) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "t", j->started_nsec / 1000);
}

GETTER(get_lines) {
        const Job *j = userdata;

        return sd_bus_message_append_strv(reply, j->lines);
}

static int method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Job *j = userdata;
        AuthAction action = j->kind == JOB_LAYER || j->kind == JOB_MEASURE || j->kind == JOB_COPY
                                  ? AUTH_MANAGE_CONTAINERS
                                  : AUTH_MANAGE_IMAGES;
        int r;

        r = bus_auth(m, action, j->title, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = job_cancel(j);
        if (r < 0)
                return bus_error(reterr, r, NULL);
        return sd_bus_reply_method_return(m, NULL);
}

/* clang-format off */
const sd_bus_vtable bus_job_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Id", "u", NULL, offsetof(Job, id), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Kind", "s", get_kind, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Title", "s", get_text, offsetof(Job, title), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_state, 0, 0),
        SD_BUS_PROPERTY("Status", "s", get_text, offsetof(Job, status), 0),
        SD_BUS_PROPERTY("Progress", "d", NULL, offsetof(Job, progress), 0),
        SD_BUS_PROPERTY("StartedTimestamp", "t", get_started, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Lines", "as", get_lines, 0, 0),

        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),

        SD_BUS_SIGNAL_WITH_ARGS("ProgressUpdate", SD_BUS_ARGS("d", progress, "s", status), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Removed", SD_BUS_ARGS("s", result, "s", error, "as", lines), 0),

        SD_BUS_VTABLE_END
};
/* clang-format on */
