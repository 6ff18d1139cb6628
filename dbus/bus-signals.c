/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/core/hub.h"
#include "engine/core/job.h"
#include "engine/engine.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* The hub's news as signals: the engine never names the bus. */
struct BusSignals {
        sd_bus *bus;
        Engine *engine;
        HubSubscription *subscription;
        List jobs; /* JobSignals under way */
};

typedef struct JobSignals {
        ListNode by_signals;
        BusSignals *signals;
        Job *job;
        JobWatch *watch;
        char *path;
} JobSignals;

/* ---- events ---- */

/* Everybody on the bus sees signals. Labels may hold anything: they are for those who may look at the object. */
static const char *const public_attributes[] = { "debug", "execDuration", "exitCode", "image",
        "name", "signal", NULL };

/* Of a label and an attribute with the same key the attribute comes last. */
static int append_attribute(sd_bus_message *m, char *const *attributes, const char *key) {
        const char *value = NULL;

        STRV_FOREACH (attribute, attributes) {
                const char *rest = str_starts(*attribute, key);

                if (rest && *rest == '=')
                        value = rest + 1;
        }
        return value ? sd_bus_message_append(m, "{ss}", key, value) : 0;
}

static int append_attributes(sd_bus_message *m, char *const *attributes) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        for (const char *const *key = public_attributes; r >= 0 && *key; key++)
                r = append_attribute(m, attributes, *key);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int emit_event(BusSignals *s, const Event *e) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_signal(s->bus, &m, BUS_ROOT, BUS_INTERFACE_MANAGER, "Event");
        if (r >= 0)
                r = sd_bus_message_append(m, "sss", e->type, e->action, e->id);
        if (r >= 0)
                r = sd_bus_message_append(m, "t", e->time_nsec / 1000);
        if (r >= 0)
                r = append_attributes(m, e->attributes);
        if (r < 0)
                return r;
        return sd_bus_send(s->bus, m, NULL);
}

static int emit_container(BusSignals *s, const Event *e) {
        static char *state[] = { (char *) "State", (char *) "Pid", (char *) "ExitCode",
                (char *) "OOMKilled", (char *) "Error", (char *) "StartedTimestamp",
                (char *) "FinishedTimestamp", (char *) "Name", NULL };
        _cleanup_(freep) char *path = NULL;
        int r;

        r = bus_path_make(BUS_CONTAINER_ROOT, e->id, &path);
        if (r < 0)
                return r;

        if (streq(e->action, "create"))
                return sd_bus_emit_interfaces_added(s->bus, path, BUS_INTERFACE_CONTAINER, NULL);
        if (streq(e->action, "destroy"))
                return sd_bus_emit_interfaces_removed(s->bus, path, BUS_INTERFACE_CONTAINER, NULL);
        if (STR_IN_SET(e->action, "start", "die", "oom", "rename", "pause", "unpause", "update"))
                return sd_bus_emit_properties_changed_strv(
                        s->bus, path, BUS_INTERFACE_CONTAINER, state);
        return 0;
}

static int emit_image(BusSignals *s, const Event *e) {
        const char *digits = str_starts(e->id, "sha256:");
        _cleanup_(freep) char *path = NULL;
        int r;

        if (!digits)
                return 0;

        r = bus_path_make(BUS_IMAGE_ROOT, digits, &path);
        if (r < 0)
                return r;

        if (STR_IN_SET(e->action, "load", "import", "pull", "create"))
                return sd_bus_emit_interfaces_added(s->bus, path, BUS_INTERFACE_IMAGE, NULL);
        if (streq(e->action, "delete"))
                return sd_bus_emit_interfaces_removed(s->bus, path, BUS_INTERFACE_IMAGE, NULL);
        if (STR_IN_SET(e->action, "tag", "untag"))
                return sd_bus_emit_properties_changed(
                        s->bus, path, BUS_INTERFACE_IMAGE, "RepoTags", "RepoDigests", NULL);
        return 0;
}

static void on_event(const Event *e, void *userdata) {
        BusSignals *s = userdata;
        int r = 0, k;

        if (streq(e->type, "container"))
                r = emit_container(s, e);
        else if (streq(e->type, "image"))
                r = emit_image(s, e);

        k = emit_event(s, e);
        if (r < 0 || k < 0)
                log_warning_errno(r < 0 ? r : k,
                        "Failed to send signals for %s %s of %s, ignoring: %m", e->type, e->action,
                        e->id);
}

/* ---- jobs ---- */

static JobSignals *job_signals_free(JobSignals *j) {
        if (!j)
                return NULL;

        list_remove(&j->by_signals);
        job_watch_free(j->watch);
        job_unref(j->job);
        free(j->path);
        return mfree(j);
}

static void on_job_progress(Job *job, const TaskProgress *p, void *userdata) {
        JobSignals *j = userdata;

        (void) sd_bus_emit_signal(j->signals->bus, j->path, BUS_INTERFACE_JOB, "ProgressUpdate",
                "ds", job->progress, str_or_empty(job->status));
}

static int emit_job_removed(JobSignals *j, int r, const Error *e) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        BusSignals *s = j->signals;
        const char *result = job_state_to_string(j->job->state);
        int k;

        k = sd_bus_message_new_signal(s->bus, &m, j->path, BUS_INTERFACE_JOB, "Removed");
        if (k >= 0)
                k = sd_bus_message_append(m, "ss", result, r < 0 ? error_text(e, r) : "");
        if (k >= 0)
                k = sd_bus_message_append_strv(m, j->job->lines);
        if (k >= 0)
                k = sd_bus_send(s->bus, m, NULL);
        if (k >= 0)
                k = sd_bus_emit_signal(s->bus, BUS_ROOT, BUS_INTERFACE_MANAGER, "JobRemoved", "uos",
                        j->job->id, j->path, result);
        if (k >= 0)
                k = sd_bus_emit_interfaces_removed(s->bus, j->path, BUS_INTERFACE_JOB, NULL);
        return k;
}

static void on_job_done(Job *job, int r, const Error *e, void *userdata) {
        JobSignals *j = userdata;
        int k;

        k = emit_job_removed(j, r, e);
        if (k < 0)
                log_warning_errno(k, "Failed to say that job %u ended, ignoring: %m", job->id);
        job_signals_free(j);
}

static int watch_job(BusSignals *s, Job *job) {
        JobSignals *j;
        int r;

        j = new0(JobSignals, 1);
        if (!j)
                return -ENOMEM;

        j->signals = s;
        j->job = job_ref(job);
        list_append(&s->jobs, &j->by_signals);

        r = bus_job_path(job, &j->path);
        if (r >= 0)
                r = job_watch(job, on_job_progress, on_job_done, j, &j->watch);
        if (r >= 0)
                r = sd_bus_emit_interfaces_added(s->bus, j->path, BUS_INTERFACE_JOB, NULL);
        if (r >= 0)
                r = sd_bus_emit_signal(
                        s->bus, BUS_ROOT, BUS_INTERFACE_MANAGER, "JobNew", "uo", job->id, j->path);
        if (r < 0)
                job_signals_free(j);
        return r;
}

static void on_job(Job *job, bool added, void *userdata) {
        int r;

        if (!added)
                return; /* its JobSignals say so */

        r = watch_job(userdata, job);
        if (r < 0)
                log_warning_errno(r, "Failed to announce job %u, ignoring: %m", job->id);
}

/* ---- making and ending ---- */

int bus_signals_new(sd_bus *bus, Engine *e, BusSignals **ret) {
        BusSignals *s;
        int r;

        s = new0(BusSignals, 1);
        if (!s)
                return -ENOMEM;
        s->bus = bus;
        s->engine = e;
        list_init(&s->jobs);

        r = hub_subscribe(e->hub, on_event, s, &s->subscription);
        if (r >= 0)
                r = jobs_watch(e->jobs, on_job, s);
        if (r < 0) {
                bus_signals_free(s);
                return r;
        }

        *ret = s;
        return 0;
}

BusSignals *bus_signals_free(BusSignals *s) {
        JobSignals *j;

        if (!s)
                return NULL;

        LIST_FOREACH_SAFE (j, &s->jobs, by_signals)
                job_signals_free(j);
        jobs_unwatch(s->engine->jobs, s);
        hub_subscription_free(s->subscription);
        return mfree(s);
}
