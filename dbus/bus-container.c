/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "dbus/bus-auth.h"
#include "dbus/bus-container-attach.h"
#include "dbus/bus-container-files.h"
#include "dbus/bus-container-life.h"
#include "dbus/bus-container-limits.h"
#include "dbus/bus-logs.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container-check.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/log/driver.h"
#include "engine/view/container-view.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

/* ---- properties ---- */

#define GETTER(name)                                                          \
        static int name(sd_bus *bus, const char *path, const char *interface, \
                const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr)

GETTER(get_image) {
        const Container *c = userdata;

        return sd_bus_message_append(reply, "s", str_or_empty(c->spec.config.image));
}

GETTER(get_state) {
        return sd_bus_message_append(reply, "s", container_status(userdata));
}

GETTER(get_command) {
        const Container *c = userdata;

        return sd_bus_message_append_strv(reply, c->path_and_args);
}

GETTER(get_labels) {
        const Container *c = userdata;
        const char *key, *value;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{ss}");
        PAIRS_FOREACH(key, value, c->spec.config.labels)
        if (r >= 0)
                r = sd_bus_message_append(reply, "{ss}", key, value);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

GETTER(get_scope) {
        char scope[CONTAINER_SCOPE_SIZE];

        return sd_bus_message_append(reply, "s", container_scope(userdata, scope));
}

GETTER(get_text) { /* char *, NULL is "" */
        return sd_bus_message_append(reply, "s", str_or_empty(*(char **) userdata));
}

GETTER(get_timestamp) { /* int64_t nanoseconds → usec since the epoch, 0 for never */
        int64_t ns = *(int64_t *) userdata;

        return sd_bus_message_append(
                reply, "t", ns == CLOCK_NEVER ? UINT64_C(0) : (uint64_t) (ns / NSEC_PER_USEC));
}

GETTER(get_pid) {
        const Container *c = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) c->pid);
}

GETTER(get_exit_code) {
        const Container *c = userdata;

        return sd_bus_message_append(reply, "i", (int32_t) c->exit_code);
}

GETTER(get_paused) {
        const Container *c = userdata;

        return sd_bus_message_append(reply, "b", c->state == CONTAINER_PAUSED);
}

GETTER(get_bool) {
        return sd_bus_message_append(reply, "b", (int) *(bool *) userdata);
}

/* Figures are named as in systemd's units; UINT64_MAX: the host cannot tell. */
typedef struct FigureName {
        const char *property;
        size_t offset;
} FigureName;

/* clang-format off */
static const FigureName figures[] = {
        { "CPUUsageNSec",     offsetof(ContainerFigures, accounting.cpu_usage_nsec) },
        { "CPUUserNSec",      offsetof(ContainerFigures, accounting.cpu_user_nsec) },
        { "CPUSystemNSec",    offsetof(ContainerFigures, accounting.cpu_system_nsec) },
        { "MemoryCurrent",    offsetof(ContainerFigures, memory_current) },
        { "MemoryPeak",       offsetof(ContainerFigures, accounting.memory_peak) },
        { "TasksCurrent",     offsetof(ContainerFigures, tasks_current) },
        { "TasksPeak",        offsetof(ContainerFigures, accounting.pids_peak) },
        { "IOReadBytes",      offsetof(ContainerFigures, accounting.io_read_bytes) },
        { "IOWriteBytes",     offsetof(ContainerFigures, accounting.io_write_bytes) },
        { "IOReadOperations", offsetof(ContainerFigures, accounting.io_read_operations) },
        { "IOWriteOperations",offsetof(ContainerFigures, accounting.io_write_operations) },
        { "OOMKills",         offsetof(ContainerFigures, accounting.oom_kills) },
};
/* clang-format on */

GETTER(get_figure) {
        ContainerFigures f;

        container_figures(userdata, &f);
        for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
                if (streq(property, figures[i].property))
                        return sd_bus_message_append(
                                reply, "t", *(uint64_t *) ((char *) &f + figures[i].offset));
        return -ENOENT;
}

/* ---- methods ---- */

int bus_container_auth(
        sd_bus_message *m, AuthAction action, const Container *c, sd_bus_error *reterr) {
        const char *const details[] = { "container", c->name, "image",
                str_or_empty(c->spec.config.image), "privilege",
                str_or(container_check_privilege(&c->spec), "none"), NULL };

        return bus_auth(m, action, c->id, details, reterr);
}

int bus_container_files_auth(sd_bus_message *m, const Container *c, sd_bus_error *reterr) {
        AuthAction action = container_check_privilege(&c->spec) ? AUTH_CREATE_PRIVILEGED
                                                                : AUTH_MANAGE_CONTAINERS;

        return bus_container_auth(m, action, c, reterr);
}

static int method_inspect(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        Container *c = userdata;
        int r;

        r = bus_container_auth(m, AUTH_VIEW, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = container_view_inspect(c, VIEW_API_LATEST, /* size= */ false, &v);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "s", text);
}

#define FIGURE(name) SD_BUS_PROPERTY(name, "t", get_figure, 0, 0)

/* clang-format off */
const sd_bus_vtable bus_container_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Id", "s", get_text, offsetof(Container, id), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Name", "s", get_text, offsetof(Container, name), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Image", "s", get_image, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ImageId", "s", get_text, offsetof(Container, image_id), SD_BUS_VTABLE_PROPERTY_CONST),
        /* What may hold a secret is read when asked for, and not broadcast with InterfacesAdded. */
        SD_BUS_PROPERTY("Command", "as", get_command, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Labels", "a{ss}", get_labels, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Scope", "s", get_scope, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("CreatedTimestamp", "t", get_timestamp, offsetof(Container, created_ns), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Pid", "u", get_pid, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ExitCode", "i", get_exit_code, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("RestartCount", "t", NULL, offsetof(Container, restart_count), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Paused", "b", get_paused, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("OOMKilled", "b", get_bool, offsetof(Container, oom_killed), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Error", "s", get_text, offsetof(Container, error), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("StartedTimestamp", "t", get_timestamp, offsetof(Container, started_ns), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("FinishedTimestamp", "t", get_timestamp, offsetof(Container, finished_ns), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        BUS_CONTAINER_LIMITS,
        FIGURE("CPUUsageNSec"),
        FIGURE("CPUUserNSec"),
        FIGURE("CPUSystemNSec"),
        FIGURE("MemoryCurrent"),
        FIGURE("MemoryPeak"),
        FIGURE("TasksCurrent"),
        FIGURE("TasksPeak"),
        FIGURE("IOReadBytes"),
        FIGURE("IOWriteBytes"),
        FIGURE("IOReadOperations"),
        FIGURE("IOWriteOperations"),
        FIGURE("OOMKills"),

        SD_BUS_METHOD_WITH_ARGS("Start", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_container_start, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Stop", SD_BUS_ARGS("t", timeout_usec), SD_BUS_NO_RESULT, bus_container_stop, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("StopWithSignal", SD_BUS_ARGS("s", signal, "t", timeout_usec), SD_BUS_NO_RESULT, bus_container_stop_with_signal, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Restart", SD_BUS_ARGS("s", signal, "t", timeout_usec), SD_BUS_NO_RESULT, bus_container_restart, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("s", signal), SD_BUS_NO_RESULT, bus_container_kill, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_container_pause, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unpause", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_container_unpause, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Rename", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, bus_container_rename, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("UpdateFromJSON", SD_BUS_ARGS("s", json), SD_BUS_RESULT("as", warnings), bus_container_update, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Top", SD_BUS_ARGS("s", ps_args), SD_BUS_RESULT("as", titles, "aas", processes), bus_container_top, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_ARGS("s", condition), SD_BUS_RESULT("i", exit_code), bus_container_wait, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ConnectNetwork", SD_BUS_ARGS("s", network, "a{sv}", properties), SD_BUS_NO_RESULT, bus_container_connect_network, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DisconnectNetwork", SD_BUS_ARGS("s", network, "b", force), SD_BUS_NO_RESULT, bus_container_disconnect_network, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("b", force, "b", volumes), SD_BUS_NO_RESULT, bus_container_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_inspect, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetSize", SD_BUS_NO_ARGS, SD_BUS_RESULT("t", own, "t", all), bus_container_get_size, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), bus_container_get_stats, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetLogs", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("h", fd), bus_container_get_logs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Attach", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("h", stream), bus_container_attach, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Resize", SD_BUS_ARGS("u", height, "u", width), SD_BUS_NO_RESULT, bus_container_resize, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateExec", SD_BUS_ARGS("as", command, "a{sv}", options), SD_BUS_RESULT("o", exec), bus_container_create_exec, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Exec", SD_BUS_ARGS("as", command, "a{sv}", options), SD_BUS_RESULT("o", exec, "h", stream), bus_container_exec, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("StatPath", SD_BUS_ARGS("s", path), SD_BUS_RESULT("s", json), bus_container_stat_path, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CopyFrom", SD_BUS_ARGS("s", path), SD_BUS_RESULT("h", fd), bus_container_copy_from, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CopyTo", SD_BUS_ARGS("s", path, "h", archive, "a{sv}", options), SD_BUS_NO_RESULT, bus_container_copy_to, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Export", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", fd), bus_container_export, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetChanges", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ys)", changes), bus_container_changes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Commit", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job), bus_container_commit, SD_BUS_VTABLE_UNPRIVILEGED),

        SD_BUS_VTABLE_END
};
/* clang-format on */
