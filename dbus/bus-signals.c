/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "dbus/bus-auth.h"
#include "dbus/bus-container-limits.h"
#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-subscribers.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/container/exec.h"
#include "engine/core/hub.h"
#include "engine/core/job.h"
#include "engine/engine.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/network/networks.h"
#include "engine/volume/volumes.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

/* The hub's news as signals: the engine never names the bus. */
struct BusSignals {
        sd_bus *bus;
        Engine *engine;
        BusSubscribers *subscribers;
        HubSubscription *subscription;
        List jobs; /* JobSignals under way */
};

typedef struct JobSignals {
        ListNode by_signals;
        BusSignals *signals;
        Job *job;
        JobWatch *watch;
        char *path;
        char *owner; /* who began it on the bus; NULL: not there, or not known */
} JobSignals;

/* The one of the bus that a daemon serves: handlers of the manager are given the engine, which knows of no bus. */
static BusSignals *instance;

/* ---- events ---- */

/* A container or image that is gone by now has no properties any more. */
typedef struct ObjectNews {
        const char *path;
        const char *interface;
        const sd_bus_vtable *vtable;
        void *object;
        const char *const *names; /* of properties that changed */
} ObjectNews;

/* Of a label and an attribute with the same key the attribute comes last. */
static int read_attributes(const Event *e, char ***ret) {
        _cleanup_(strv_freep) char **pairs = NULL;
        int r;

        STRV_FOREACH (attribute, e->attributes) {
                _cleanup_(freep) char *key = NULL, *value = NULL;

                r = str_split_pair(*attribute, '=', &key, &value);
                if (r >= 0)
                        r = pairs_set(&pairs, key, value);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(pairs);
        return 0;
}

int bus_append_event(sd_bus_message *m, const Event *e) {
        _cleanup_(strv_freep) char **pairs = NULL;
        const char *key, *value;
        int r;

        r = read_attributes(e, &pairs);
        if (r < 0)
                return r;

        r = sd_bus_message_append(
                m, "ssst", e->type, e->action, e->id, e->time_nsec / (uint64_t) NSEC_PER_USEC);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{ss}");
        PAIRS_FOREACH(key, value, pairs) {
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'e', "ss");
                if (r >= 0)
                        r = bus_append_text(m, key);
                if (r >= 0)
                        r = bus_append_text(m, value);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int fill_event(sd_bus_message *m, const void *userdata) {
        return bus_append_event(m, userdata);
}

static int fill_added(sd_bus_message *m, const void *userdata) {
        const ObjectNews *n = userdata;
        int r;

        r = sd_bus_message_append(m, "o", n->path);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", n->interface);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = bus_append_properties(m, n->path, n->interface, n->vtable, n->object, NULL);
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int fill_removed(sd_bus_message *m, const void *userdata) {
        const ObjectNews *n = userdata;

        return sd_bus_message_append(m, "oas", n->path, 1, n->interface);
}

static int fill_changed(sd_bus_message *m, const void *userdata) {
        const ObjectNews *n = userdata;
        int r;

        r = sd_bus_message_append(m, "s", n->interface);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = bus_append_properties(m, n->path, n->interface, n->vtable, n->object, n->names);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_append(m, "as", 0);
}

static int send_objects(BusSignals *s, const char *also_to, const char *member, bus_fill_t fill,
        const ObjectNews *n) {
        return bus_subscribers_send(
                s->subscribers, &(BusSignal) { BUS_ROOT, "org.freedesktop.DBus.ObjectManager",
                                        member, also_to, fill, n });
}

static int send_changed(BusSignals *s, const ObjectNews *n) {
        return bus_subscribers_send(
                s->subscribers, &(BusSignal) { n->path, "org.freedesktop.DBus.Properties",
                                        "PropertiesChanged", NULL, fill_changed, n });
}

static int emit_event(BusSignals *s, const Event *e) {
        return bus_subscribers_send(s->subscribers,
                &(BusSignal) { BUS_ROOT, BUS_INTERFACE_MANAGER, "Event", NULL, fill_event, e });
}

static int emit_container(BusSignals *s, const Event *e) {
        static const char *const state[] = { "State", "Pid", "ExitCode", "OOMKilled", "Error",
                "StartedTimestamp", "FinishedTimestamp", "Name", "Paused", "RestartCount", NULL };
        static const char *const all[] = { "State", "Pid", "ExitCode", "OOMKilled", "Error",
                "StartedTimestamp", "FinishedTimestamp", "Name", "Paused", "RestartCount",
                BUS_CONTAINER_LIMIT_NAMES, NULL };
        ObjectNews n = {
                .interface = BUS_INTERFACE_CONTAINER,
                .vtable = bus_container_vtable,
                .names = state,
        };
        _cleanup_(freep) char *path = NULL;
        Container *c;
        int r;

        r = bus_path_make(BUS_CONTAINER_ROOT, e->id, &path);
        if (r < 0)
                return r;
        n.path = path;

        if (streq(e->action, "destroy"))
                return send_objects(s, NULL, "InterfacesRemoved", fill_removed, &n);
        if (containers_find(s->engine->containers, e->id, &c, NULL) < 0)
                return 0;
        n.object = c;
        if (streq(e->action, "create"))
                return send_objects(s, NULL, "InterfacesAdded", fill_added, &n);
        if (streq(e->action, "update"))
                n.names = all; /* it may have ended its restarts, too */
        if (STR_IN_SET(e->action, "start", "die", "oom", "rename", "pause", "unpause", "update",
                    "stop"))
                return send_changed(s, &n);
        return 0;
}

static int emit_image(BusSignals *s, const Event *e) {
        static const char *const names[] = { "RepoTags", "RepoDigests", NULL };
        ObjectNews n = {
                .interface = BUS_INTERFACE_IMAGE,
                .vtable = bus_image_vtable,
                .names = names,
        };
        const char *digits = str_starts(e->id, "sha256:");
        _cleanup_(freep) char *path = NULL;
        Image *i;
        int r;

        if (!digits)
                return 0;

        r = bus_path_make(BUS_IMAGE_ROOT, digits, &path);
        if (r < 0)
                return r;
        n.path = path;

        if (streq(e->action, "delete"))
                return send_objects(s, NULL, "InterfacesRemoved", fill_removed, &n);
        if (images_find(s->engine->images, e->id, &i, NULL) < 0)
                return 0;
        n.object = i;
        if (STR_IN_SET(e->action, "load", "import", "pull", "create"))
                return send_objects(s, NULL, "InterfacesAdded", fill_added, &n);
        if (STR_IN_SET(e->action, "tag", "untag"))
                return send_changed(s, &n);
        return 0;
}

static int emit_volume(BusSignals *s, const Event *e) {
        ObjectNews n = { .interface = BUS_INTERFACE_VOLUME, .vtable = bus_volume_vtable };
        _cleanup_(freep) char *path = NULL;
        Volume *v;
        int r;

        if (!STR_IN_SET(e->action, "create", "destroy"))
                return 0;
        r = bus_path_make(BUS_VOLUME_ROOT, e->id, &path);
        if (r < 0)
                return r;
        n.path = path;

        if (streq(e->action, "destroy"))
                return send_objects(s, NULL, "InterfacesRemoved", fill_removed, &n);
        if (volumes_find(s->engine->volumes, e->id, &v, NULL) < 0)
                return 0;
        n.object = v;
        return send_objects(s, NULL, "InterfacesAdded", fill_added, &n);
}

static int emit_network(BusSignals *s, const Event *e) {
        ObjectNews n = { .interface = BUS_INTERFACE_NETWORK, .vtable = bus_network_vtable };
        _cleanup_(freep) char *path = NULL;
        Network *network;
        int r;

        if (!STR_IN_SET(e->action, "create", "destroy"))
                return 0;
        r = bus_path_make(BUS_NETWORK_ROOT, e->id, &path);
        if (r < 0)
                return r;
        n.path = path;

        if (streq(e->action, "destroy"))
                return send_objects(s, NULL, "InterfacesRemoved", fill_removed, &n);
        if (networks_find(s->engine->networks, e->id, &network, NULL) < 0)
                return 0;
        n.object = network;
        return send_objects(s, NULL, "InterfacesAdded", fill_added, &n);
}

static void on_event(const Event *e, void *userdata) {
        BusSignals *s = userdata;
        int r = 0, k;

        if (streq(e->type, "container"))
                r = emit_container(s, e);
        else if (streq(e->type, "image"))
                r = emit_image(s, e);
        else if (streq(e->type, "volume"))
                r = emit_volume(s, e);
        else if (streq(e->type, "network"))
                r = emit_network(s, e);

        k = emit_event(s, e);
        if (r < 0 || k < 0)
                log_warning_errno(r < 0 ? r : k,
                        "Failed to send signals for %s %s of %s, ignoring: %m", e->type, e->action,
                        e->id);
}

static void on_exec(Exec *x, ExecNews news, void *userdata) {
        static const char *const names[] = { "State", "Pid", "ExitCode", NULL };
        ObjectNews n = {
                .interface = BUS_INTERFACE_EXEC,
                .vtable = bus_exec_vtable,
                .object = x,
                .names = names,
        };
        _cleanup_(freep) char *path = NULL;
        BusSignals *s = userdata;
        int r;

        r = bus_exec_path(x, &path);
        n.path = path;
        if (r >= 0)
                r = news == EXEC_NEWS_ADDED
                          ? send_objects(s, NULL, "InterfacesAdded", fill_added, &n)
                  : news == EXEC_NEWS_GONE
                          ? send_objects(s, NULL, "InterfacesRemoved", fill_removed, &n)
                          : send_changed(s, &n);
        if (r < 0)
                log_warning_errno(r, "Failed to send signals for exec %s, ignoring: %m", x->id);
}

/* ---- jobs ---- */

static JobSignals *job_signals_free(JobSignals *j) {
        if (!j)
                return NULL;

        list_remove(&j->by_signals);
        job_watch_free(j->watch);
        job_unref(j->job);
        free(j->path);
        free(j->owner);
        return mfree(j);
}

static int fill_progress(sd_bus_message *m, const void *userdata) {
        const Job *j = userdata;
        int r;

        r = sd_bus_message_append(m, "d", j->progress);
        return r < 0 ? r : bus_append_text(m, str_or_empty(j->status));
}

static void on_job_progress(Job *job, const TaskProgress *p, void *userdata) {
        JobSignals *j = userdata;

        (void) bus_subscribers_send(
                j->signals->subscribers, &(BusSignal) { j->path, BUS_INTERFACE_JOB,
                                                 "ProgressUpdate", j->owner, fill_progress, job });
}

typedef struct JobEnd {
        const JobSignals *signals;
        const char *error;
} JobEnd;

static int fill_end(sd_bus_message *m, const void *userdata) {
        const JobEnd *end = userdata;
        const Job *job = end->signals->job;
        int r;

        r = sd_bus_message_append(m, "s", job_state_to_string(job->state));
        if (r >= 0)
                r = bus_append_text(m, end->error);
        return r < 0 ? r : sd_bus_message_append_strv(m, job->lines);
}

static int fill_job(sd_bus_message *m, const void *userdata) {
        const JobSignals *j = userdata;

        return sd_bus_message_append(m, "uo", j->job->id, j->path);
}

static int fill_job_removed(sd_bus_message *m, const void *userdata) {
        const JobSignals *j = userdata;

        return sd_bus_message_append(
                m, "uos", j->job->id, j->path, job_state_to_string(j->job->state));
}

static int emit_job_removed(JobSignals *j, int r, const Error *e) {
        const JobEnd end = { j, r < 0 ? error_text(e, r) : "" };
        const ObjectNews n = { .path = j->path, .interface = BUS_INTERFACE_JOB };
        BusSignals *s = j->signals;
        int k;

        k = bus_subscribers_send(s->subscribers,
                &(BusSignal) { j->path, BUS_INTERFACE_JOB, "Removed", j->owner, fill_end, &end });
        if (k >= 0)
                k = bus_subscribers_send(
                        s->subscribers, &(BusSignal) { BUS_ROOT, BUS_INTERFACE_MANAGER,
                                                "JobRemoved", j->owner, fill_job_removed, j });
        if (k >= 0)
                k = send_objects(s, j->owner, "InterfacesRemoved", fill_removed, &n);
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

static int announce(JobSignals *j) {
        const ObjectNews n = {
                .path = j->path,
                .interface = BUS_INTERFACE_JOB,
                .vtable = bus_job_vtable,
                .object = j->job,
        };
        BusSignals *s = j->signals;
        int r;

        r = send_objects(s, NULL, "InterfacesAdded", fill_added, &n);
        if (r < 0)
                return r;
        return bus_subscribers_send(s->subscribers,
                &(BusSignal) { BUS_ROOT, BUS_INTERFACE_MANAGER, "JobNew", NULL, fill_job, j });
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
                r = announce(j);
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

void bus_signals_job_of(Job *job, sd_bus_message *m) {
        JobSignals *j;

        if (!instance)
                return;
        LIST_FOREACH (j, &instance->jobs, by_signals)
                if (j->job == job)
                        (void) str_copy(&j->owner, sd_bus_message_get_sender(m));
}

/* ---- methods of the manager ---- */

int bus_manager_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        int r;

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = instance ? bus_subscribers_add(instance->subscribers,
                               str_or_empty(sd_bus_message_get_sender(m)), &error)
                     : -ESHUTDOWN;
        if (r < 0)
                return bus_error(reterr, r, &error);
        return sd_bus_reply_method_return(m, NULL);
}

int bus_manager_unsubscribe(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        int r;

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        if (instance)
                bus_subscribers_remove(
                        instance->subscribers, str_or_empty(sd_bus_message_get_sender(m)));
        return sd_bus_reply_method_return(m, NULL);
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

        r = bus_subscribers_new(bus, &s->subscribers);
        if (r >= 0)
                r = hub_subscribe(e->hub, on_event, s, &s->subscription);
        if (r >= 0)
                r = jobs_watch(e->jobs, on_job, s);
        if (r < 0) {
                bus_signals_free(s);
                return r;
        }

        containers_watch_execs(e->containers, on_exec, s);
        instance = s;
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
        containers_watch_execs(s->engine->containers, NULL, NULL);
        hub_subscription_free(s->subscription);
        bus_subscribers_free(s->subscribers);
        instance = NULL;
        return mfree(s);
}
