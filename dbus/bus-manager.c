/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "config/settings.h"
#include "dbus/bus-auth.h"
#include "dbus/bus-container-spec.h"
#include "dbus/bus-container-life.h"
#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container-check.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "engine/image/images.h"
#include "engine/system.h"
#include "engine/view/container-view.h"
#include "lib/api/container-spec.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "stauer-config.h"

#define CREATE_JSON_MAX (1024U * 1024)

#define GETTER(name)                                                          \
        static int name(sd_bus *bus, const char *path, const char *interface, \
                const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr)

/* ---- properties ---- */

GETTER(get_version) {
        return sd_bus_message_append(reply, "s", STAUER_VERSION);
}

GETTER(get_data_root) {
        const Engine *e = userdata;

        return sd_bus_message_append(reply, "s", e->settings->data_root);
}

GETTER(get_storage_driver) {
        const Engine *e = userdata;

        return sd_bus_message_append(reply, "s", engine_storage_driver(e));
}

GETTER(get_log_driver) {
        const Engine *e = userdata;

        return sd_bus_message_append(reply, "s", e->settings->log_driver);
}

GETTER(get_runtime) {
        const Engine *e = userdata;

        return sd_bus_message_append(reply, "s", e->settings->default_runtime);
}

GETTER(get_n_containers) {
        const Engine *e = userdata;

        return sd_bus_message_append(reply, "u", containers_count(e->containers));
}

GETTER(get_n_running) {
        const Engine *e = userdata;

        return sd_bus_message_append(reply, "u", containers_count_running(e->containers));
}

GETTER(get_n_images) {
        const Engine *e = userdata;

        return sd_bus_message_append(reply, "u", images_count(e->images));
}

/* ---- filters: a{sas}, keys and values as in Docker's API ---- */

int bus_read_filter(sd_bus_message *m, const char *const *keys, Filter **ret, Error *reterr) {
        _cleanup_(filter_freep) Filter *f = NULL;
        int r;

        r = filter_new(&f);
        if (r < 0)
                return r;

        r = sd_bus_message_enter_container(m, 'a', "{sas}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sas")) > 0) {
                _cleanup_(strv_freep) char **values = NULL;
                const char *key;

                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = sd_bus_message_read_strv(m, &values);
                STRV_FOREACH (value, values)
                        if (r >= 0)
                                r = filter_add(f, key, *value);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;

        r = filter_check_keys(f, keys, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
}

uint64_t bus_usec(int64_t ns) {
        return ns == CLOCK_NEVER ? 0 : (uint64_t) (ns / NSEC_PER_USEC);
}

/* ---- containers ---- */

static int append_containers(sd_bus_message *reply, Container **list, size_t n) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(sssstuo)");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *path = NULL;
                const Container *c = list[i];

                r = bus_container_path(c, &path);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "(sssstuo)", c->id, c->name,
                                str_or_empty(c->spec.config.image), container_status(c),
                                bus_usec(c->created_ns), (uint32_t) c->pid, path);
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

static int method_list_containers(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(freep) Container **list = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        size_t n;
        int all, r;

        r = sd_bus_message_read(m, "b", &all);
        if (r >= 0)
                r = bus_read_filter(m, container_filter_keys, &filter, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = containers_list(e->containers, all, -1, filter, &list, &n, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_containers(reply, list, n);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

static int method_get_container(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        _cleanup_(freep) char *path = NULL;
        Engine *e = userdata;
        const char *name;
        Container *c;
        int found, r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;

        found = containers_find(e->containers, name, &c, &error);
        r = found < 0 ? bus_auth(m, AUTH_VIEW, name, NULL, reterr)
                      : bus_container_auth(m, AUTH_VIEW, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (found < 0)
                return bus_error(reterr, found, &error);

        r = bus_container_path(c, &path);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "o", path);
}

static int reply_created(sd_bus_message *m, void *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *path = NULL;
        const Container *c = result;
        int r;

        r = bus_container_path(c, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "o", path);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, c->warnings);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

static int create(
        sd_bus_message *m, Engine *e, ContainerSpec *spec, const char *name, sd_bus_error *reterr) {
        const char *privilege = container_check_privilege(spec);
        const char *const details[] = { "container", name, "image",
                str_or_empty(spec->config.image), "privilege", str_or(privilege, "none"), NULL };
        _cleanup_(error_done) Error error = {};
        BusReply *b;
        int r;

        r = bus_auth(m, privilege ? AUTH_CREATE_PRIVILEGED : AUTH_MANAGE_CONTAINERS, name, details,
                reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new(m, reply_created, &b);
        if (r < 0)
                return r;

        r = containers_create(e->containers, spec, name, NULL, b->pending, &error);
        if (r < 0) {
                bus_reply_free(b);
                return bus_error(reterr, r, &error);
        }
        return 1;
}

static int method_create_container(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(container_spec_done) ContainerSpec spec;
        _cleanup_(error_done) Error error = {};
        const char *name, *image;
        int r;

        container_spec_init(&spec);

        r = sd_bus_message_read(m, "ss", &name, &image);
        if (r >= 0)
                r = str_copy(&spec.config.image, image);
        if (r >= 0)
                r = bus_read_container_spec(m, &spec, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);

        return create(m, userdata, &spec, name, reterr);
}

static int method_create_container_from_json(
        sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(container_spec_done) ContainerSpec spec;
        _cleanup_(error_done) Error error = {};
        const char *name, *text;
        int r;

        container_spec_init(&spec);

        r = sd_bus_message_read(m, "ss", &name, &text);
        if (r < 0)
                return r;

        if (strlen(text) > CREATE_JSON_MAX)
                r = error_set(&error, ERROR_TOO_LARGE, "the document is larger than %u bytes",
                        CREATE_JSON_MAX);
        else
                r = container_spec_read_text(text, strlen(text), &spec, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);

        return create(m, userdata, &spec, name, reterr);
}

/* ---- documents ---- */

static int reply_document(sd_bus_message *m, Engine *e, int (*view)(Engine *, unsigned, Json **),
        sd_bus_error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = view(e, VIEW_API_LATEST, &v);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "s", text);
}

static int method_get_info(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return reply_document(m, userdata, system_info, reterr);
}

static int method_get_version(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return reply_document(m, userdata, system_version, reterr);
}

/* clang-format off */
const sd_bus_vtable bus_manager_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DataRoot", "s", get_data_root, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StorageDriver", "s", get_storage_driver, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LogDriver", "s", get_log_driver, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DefaultRuntime", "s", get_runtime, 0, 0),
        SD_BUS_PROPERTY("NContainers", "u", get_n_containers, 0, 0),
        SD_BUS_PROPERTY("NContainersRunning", "u", get_n_running, 0, 0),
        SD_BUS_PROPERTY("NImages", "u", get_n_images, 0, 0),

        SD_BUS_METHOD_WITH_ARGS("ListContainers", SD_BUS_ARGS("b", all, "a{sas}", filters), SD_BUS_RESULT("a(sssstuo)", containers), method_list_containers, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListContainersAsJSON", SD_BUS_ARGS("b", all, "a{sas}", filters, "x", limit, "b", size), SD_BUS_RESULT("s", json), bus_manager_list_containers_as_json, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetContainer", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", container), method_get_container, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateContainer", SD_BUS_ARGS("s", name, "s", image, "a{sv}", properties), SD_BUS_RESULT("o", container, "as", warnings), method_create_container, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateContainerFromJSON", SD_BUS_ARGS("s", name, "s", json), SD_BUS_RESULT("o", container, "as", warnings), method_create_container_from_json, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("PruneContainers", SD_BUS_ARGS("a{sas}", filters), SD_BUS_RESULT("as", ids, "t", bytes), bus_manager_prune_containers, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetExec", SD_BUS_ARGS("s", id), SD_BUS_RESULT("o", exec), bus_manager_get_exec, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListImages", SD_BUS_ARGS("b", all, "a{sas}", filters), SD_BUS_RESULT("a(sastto)", images), bus_manager_list_images, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListImagesAsJSON", SD_BUS_ARGS("b", all, "a{sas}", filters), SD_BUS_RESULT("s", json), bus_manager_list_images_as_json, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetImage", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", image), bus_manager_get_image, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RemoveImage", SD_BUS_ARGS("s", name, "b", force, "b", no_prune), SD_BUS_RESULT("as", actions), bus_manager_remove_image, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("LoadImage", SD_BUS_ARGS("h", archive), SD_BUS_RESULT("o", job), bus_manager_load_image, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("PullImage", SD_BUS_ARGS("s", name, "s", tag, "s", platform, "s", credentials), SD_BUS_RESULT("o", job), bus_manager_pull_image, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ImportImage", SD_BUS_ARGS("h", archive, "s", repository, "s", tag, "s", message, "as", changes, "s", platform), SD_BUS_RESULT("o", job), bus_manager_import_image, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("BuildImage", SD_BUS_ARGS("h", archive, "as", names, "s", dockerfile, "s", target, "s", platform, "a{ss}", arguments, "a{ss}", labels, "s", host_config, "b", no_cache), SD_BUS_RESULT("o", job), bus_manager_build_image, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("PruneBuildCache", SD_BUS_ARGS("b", all, "a{sas}", filters), SD_BUS_RESULT("as", keys, "t", bytes), bus_manager_prune_build_cache, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListNetworks", SD_BUS_ARGS("a{sas}", filters), SD_BUS_RESULT("a(sssto)", networks), bus_manager_list_networks, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetNetwork", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", network), bus_manager_get_network, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateNetwork", SD_BUS_ARGS("s", name, "s", driver, "a{sv}", properties), SD_BUS_RESULT("o", network), bus_manager_create_network, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateNetworkFromJSON", SD_BUS_ARGS("s", json), SD_BUS_RESULT("o", network), bus_manager_create_network_from_json, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("PruneNetworks", SD_BUS_ARGS("a{sas}", filters), SD_BUS_RESULT("as", names), bus_manager_prune_networks, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListVolumes", SD_BUS_ARGS("a{sas}", filters), SD_BUS_RESULT("a(ssstuo)", volumes), bus_manager_list_volumes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetVolume", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", volume), bus_manager_get_volume, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateVolume", SD_BUS_ARGS("s", name, "s", driver, "a{ss}", options, "a{ss}", labels), SD_BUS_RESULT("o", volume), bus_manager_create_volume, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("PruneVolumes", SD_BUS_ARGS("a{sas}", filters), SD_BUS_RESULT("as", names, "t", bytes), bus_manager_prune_volumes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(usssdo)", jobs), bus_manager_list_jobs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetInfo", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_get_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetDiskUsage", SD_BUS_ARGS("as", types), SD_BUS_RESULT("s", json), bus_manager_get_disk_usage, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetVersion", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_get_version, SD_BUS_VTABLE_UNPRIVILEGED),

        SD_BUS_METHOD_WITH_ARGS("Subscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_manager_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unsubscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_manager_unsubscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetEvents", SD_BUS_ARGS("t", since, "t", until, "a{sas}", filters), SD_BUS_RESULT("a(sssta{ss})", events), bus_manager_get_events, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SubscribeStats", SD_BUS_ARGS("as", containers), SD_BUS_NO_RESULT, bus_manager_subscribe_stats, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("UnsubscribeStats", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_manager_unsubscribe_stats, SD_BUS_VTABLE_UNPRIVILEGED),

        SD_BUS_SIGNAL_WITH_ARGS("StatsChanged", SD_BUS_ARGS("a(sta{st})", figures), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Event", SD_BUS_ARGS("s", type, "s", action, "s", id, "t", timestamp, "a{ss}", attributes), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("u", id, "o", job), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", SD_BUS_ARGS("u", id, "o", job, "s", result), 0),

        SD_BUS_VTABLE_END
};
/* clang-format on */
