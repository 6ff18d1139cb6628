/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes: their objects, and what the manager does with them. */
#include <errno.h>

#include "dbus/bus-auth.h"
#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-spec-read.h"
#include "dbus/bus-util.h"
#include "engine/engine.h"
#include "engine/view/volume-view.h"
#include "engine/volume/volumes.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define GETTER(name)                                                          \
        static int name(sd_bus *bus, const char *path, const char *interface, \
                const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr)

int bus_volume_path(const Volume *v, char **ret) {
        return bus_path_make(BUS_VOLUME_ROOT, v->name, ret);
}

static int volume_auth(
        sd_bus_message *m, AuthAction action, const Volume *v, sd_bus_error *reterr) {
        return bus_auth(
                m, action, v->name, (const char *const[]) { "volume", v->name, NULL }, reterr);
}

/* ---- the object ---- */

GETTER(get_name) {
        const Volume *v = userdata;

        return sd_bus_message_append(reply, "s", v->name);
}

GETTER(get_driver) {
        return sd_bus_message_append(reply, "s", VOLUME_DRIVER);
}

GETTER(get_mountpoint) {
        _cleanup_(freep) char *mountpoint = volume_mountpoint(userdata);

        return mountpoint ? sd_bus_message_append(reply, "s", mountpoint) : -ENOMEM;
}

GETTER(get_created) {
        const Volume *v = userdata;

        return sd_bus_message_append(reply, "t", bus_usec(v->created_ns));
}

GETTER(get_anonymous) {
        return sd_bus_message_append(reply, "b", (int) volume_is_anonymous(userdata));
}

GETTER(get_n_containers) {
        return sd_bus_message_append(reply, "u", volume_count_users(userdata));
}

GETTER(get_pairs) {
        char *const *pairs = *(char ***) userdata;
        const char *key, *value;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{ss}");
        PAIRS_FOREACH(key, value, pairs) {
                if (r >= 0)
                        r = sd_bus_message_open_container(reply, 'e', "ss");
                if (r >= 0)
                        r = bus_append_text(reply, key);
                if (r >= 0)
                        r = bus_append_text(reply, value);
                if (r >= 0)
                        r = sd_bus_message_close_container(reply);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int method_remove(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        Volume *v = userdata;
        int r;

        r = volume_auth(m, AUTH_MANAGE_VOLUMES, v, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = volumes_remove(v->set, v, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_inspect(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(json_unrefp) Json *document = NULL;
        _cleanup_(freep) char *text = NULL;
        Volume *v = userdata;
        int r;

        r = volume_auth(m, AUTH_VIEW, v, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = volume_view(v, /* usage= */ false, &document);
        if (r >= 0)
                r = json_print(document, JSON_COMPACT, &text);
        return r < 0 ? r : sd_bus_reply_method_return(m, "s", text);
}

/* clang-format off */
const sd_bus_vtable bus_volume_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Name", "s", get_name, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Driver", "s", get_driver, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Mountpoint", "s", get_mountpoint, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("CreatedTimestamp", "t", get_created, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Anonymous", "b", get_anonymous, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Labels", "a{ss}", get_pairs, offsetof(Volume, labels), SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Options", "a{ss}", get_pairs, offsetof(Volume, options), SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("NContainers", "u", get_n_containers, 0, 0),

        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_inspect, SD_BUS_VTABLE_UNPRIVILEGED),

        SD_BUS_VTABLE_END
};
/* clang-format on */

/* ---- the manager ---- */

static int append_volumes(sd_bus_message *reply, Volume **list, size_t n) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(ssstuo)");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *mountpoint = volume_mountpoint(list[i]), *path = NULL;

                r = mountpoint ? bus_volume_path(list[i], &path) : -ENOMEM;
                if (r >= 0)
                        r = sd_bus_message_append(reply, "(ssstuo)", list[i]->name, VOLUME_DRIVER,
                                mountpoint, bus_usec(list[i]->created_ns),
                                volume_count_users(list[i]), path);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_manager_list_volumes(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(error_done) Error error = {};
        _cleanup_(freep) Volume **list = NULL;
        Engine *e = userdata;
        size_t n;
        int r;

        r = bus_read_filter(m, volume_filter_keys, &filter, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = volumes_list(e->volumes, filter, &list, &n, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_volumes(reply, list, n);
        return r < 0 ? r : sd_bus_message_send(reply);
}

static int reply_path(sd_bus_message *m, const Volume *v) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = bus_volume_path(v, &path);
        return r < 0 ? r : sd_bus_reply_method_return(m, "o", path);
}

int bus_manager_get_volume(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        const char *name;
        int found, r;
        Volume *v;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        found = volumes_find(e->volumes, name, &v, &error);
        r = found < 0 ? bus_auth(m, AUTH_VIEW, name, NULL, reterr)
                      : volume_auth(m, AUTH_VIEW, v, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return found < 0 ? bus_error(reterr, found, &error) : reply_path(m, v);
}

int bus_manager_create_volume(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **options = NULL, **labels = NULL;
        _cleanup_(error_done) Error error = {};
        const char *name, *driver, *privilege;
        Engine *e = userdata;
        VolumeWish wish;
        Volume *v;
        int r;

        r = sd_bus_message_read(m, "ss", &name, &driver);
        if (r >= 0)
                r = spec_read_pairs(m, &options);
        if (r >= 0)
                r = spec_read_pairs(m, &labels);
        if (r < 0)
                return r;
        wish = (VolumeWish) {
                .name = name, .driver = driver, .options = options, .labels = labels
        };
        privilege = volume_wish_privilege(&wish);
        r = bus_auth(m, privilege ? AUTH_CREATE_PRIVILEGED : AUTH_MANAGE_VOLUMES, name,
                (const char *const[]) {
                        "volume", name, "privilege", str_or(privilege, "none"), NULL },
                reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = volumes_create(e->volumes, &wish, &v, &error);
        return r < 0 ? bus_error(reterr, r, &error) : reply_path(m, v);
}

static int reply_pruned(sd_bus_message *m, void *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const VolumesPruned *pruned = result;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, pruned->names);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", pruned->bytes);
        return r < 0 ? r : sd_bus_message_send(reply);
}

int bus_manager_prune_volumes(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        BusReply *b;
        int r;

        r = bus_read_filter(m, volume_prune_filter_keys, &filter, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = bus_auth(m, AUTH_PRUNE, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new(m, reply_pruned, &b);
        if (r < 0)
                return r;
        r = volumes_prune(e->volumes, filter, /* all= */ false, b->pending, &error);
        if (r < 0) {
                bus_reply_free(b);
                return bus_error(reterr, r, &error);
        }
        return 1;
}
