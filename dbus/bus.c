/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus.h"

#include <stdlib.h>
#include <string.h>

#include "dbus/bus-auth.h"
#include "dbus/bus-network.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/container/exec.h"
#include "engine/core/job.h"
#include "engine/engine.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/network/networks.h"
#include "engine/volume/volumes.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

struct Bus {
        sd_bus *bus;
        Engine *engine;
        sd_bus_slot *slots[16];
        size_t n_slots;
        BusSignals *signals;
        sd_event_source *exit_source;
};

/* ---- paths ---- */

int bus_container_path(const Container *c, char **ret) {
        return bus_path_make(BUS_CONTAINER_ROOT, c->id, ret);
}

static const char *image_digits(const Image *i) {
        const char *colon = strchr(i->id, ':');

        return colon ? colon + 1 : i->id;
}

int bus_image_path(const Image *i, char **ret) {
        return bus_path_make(BUS_IMAGE_ROOT, image_digits(i), ret);
}

int bus_job_path(const Job *j, char **ret) {
        return str_printf(ret, BUS_JOB_ROOT "/%u", j->id);
}

/* ---- objects: found when they are asked for ---- */

static int find_container(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret_found, sd_bus_error *reterr) {
        _cleanup_(freep) char *id = NULL;
        Engine *e = userdata;
        Container *c;
        int r;

        r = bus_path_parse(path, BUS_CONTAINER_ROOT, &id);
        if (r <= 0)
                return r;
        if (!ident_is_valid(id) || containers_find(e->containers, id, &c, NULL) < 0)
                return 0;

        *ret_found = c;
        return 1;
}

static int list_containers(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **nodes = NULL;
        Engine *e = userdata;

        for (Container *c = NULL; (c = containers_next(e->containers, c));) {
                char *path = NULL;
                int r;

                r = bus_container_path(c, &path);
                if (r >= 0)
                        r = strv_take(&nodes, path);
                if (r < 0)
                        return r;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

static int find_image(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret_found, sd_bus_error *reterr) {
        _cleanup_(freep) char *digits = NULL, *id = NULL;
        Engine *e = userdata;
        Image *i;
        int r;

        r = bus_path_parse(path, BUS_IMAGE_ROOT, &digits);
        if (r <= 0)
                return r;

        id = str_concat("sha256:", digits);
        if (!id)
                return -ENOMEM;
        if (!ident_is_valid(digits) || images_find(e->images, id, &i, NULL) < 0)
                return 0;

        *ret_found = i;
        return 1;
}

static int list_images(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **nodes = NULL;
        Engine *e = userdata;

        for (Image *i = NULL; (i = images_next(e->images, i));) {
                char *path = NULL;
                int r;

                r = bus_image_path(i, &path);
                if (r >= 0)
                        r = strv_take(&nodes, path);
                if (r < 0)
                        return r;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

static int find_job(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret_found, sd_bus_error *reterr) {
        const char *number = str_starts(path, BUS_JOB_ROOT "/");
        Engine *e = userdata;
        uint32_t id;
        Job *j;

        if (!number || parse_u32(number, &id) < 0)
                return 0;

        j = jobs_find(e->jobs, id);
        if (!j)
                return 0;

        *ret_found = j;
        return 1;
}

static int list_jobs(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **nodes = NULL;
        Engine *e = userdata;

        for (Job *j = NULL; (j = jobs_next(e->jobs, j));) {
                char *path = NULL;
                int r;

                r = bus_job_path(j, &path);
                if (r >= 0)
                        r = strv_take(&nodes, path);
                if (r < 0)
                        return r;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

static int find_exec(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret_found, sd_bus_error *reterr) {
        _cleanup_(freep) char *id = NULL;
        Engine *e = userdata;
        Exec *x;
        int r;

        r = bus_path_parse(path, BUS_EXEC_ROOT, &id);
        if (r <= 0)
                return r;
        containers_catch_up_exec(e->containers, id);
        if (containers_find_exec(e->containers, id, &x, NULL) < 0)
                return 0;

        *ret_found = x;
        return 1;
}

static int list_execs(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **nodes = NULL;
        Engine *e = userdata;
        size_t at = 0;

        for (Exec *x; (x = containers_next_exec(e->containers, &at));) {
                char *path = NULL;
                int r;

                r = bus_exec_path(x, &path);
                if (r >= 0)
                        r = strv_take(&nodes, path);
                if (r < 0)
                        return r;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

static int find_volume(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret_found, sd_bus_error *reterr) {
        _cleanup_(freep) char *name = NULL;
        Engine *e = userdata;
        Volume *v;
        int r;

        r = bus_path_parse(path, BUS_VOLUME_ROOT, &name);
        if (r <= 0)
                return r;
        if (volumes_find(e->volumes, name, &v, NULL) < 0)
                return 0;

        *ret_found = v;
        return 1;
}

static int list_volumes(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **nodes = NULL;
        Engine *e = userdata;

        for (Volume *v = NULL; (v = volumes_next(e->volumes, v));) {
                char *path = NULL;
                int r;

                r = bus_volume_path(v, &path);
                if (r >= 0)
                        r = strv_take(&nodes, path);
                if (r < 0)
                        return r;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

static int find_network(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret_found, sd_bus_error *reterr) {
        _cleanup_(freep) char *name = NULL;
        Engine *e = userdata;
        Network *n;
        int r;

        r = bus_path_parse(path, BUS_NETWORK_ROOT, &name);
        if (r <= 0)
                return r;
        if (networks_find(e->networks, name, &n, NULL) < 0)
                return 0;

        *ret_found = n;
        return 1;
}

static int list_networks(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **nodes = NULL;
        Engine *e = userdata;

        for (Network *n = NULL; (n = networks_next(e->networks, n));) {
                char *path = NULL;
                int r;

                r = bus_network_path(n, &path);
                if (r >= 0)
                        r = strv_take(&nodes, path);
                if (r < 0)
                        return r;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

/* ---- who may look ---- */

/* Whether it shows anything: introspection does where the objects stand. A call without an interface may reach any of them. */
static bool shows(sd_bus_message *m, const char *path) {
        return !sd_bus_message_get_interface(m) ||
               sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", NULL) ||
               sd_bus_message_is_method_call(m, "org.freedesktop.DBus.ObjectManager", NULL) ||
               (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Introspectable", NULL) &&
                       !streq(path, BUS_ROOT));
}

/* sd-bus answers Get, GetAll, GetManagedObjects and Introspect by itself, without asking anybody; so they are asked for here, before it
 * sees them. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *path = sd_bus_message_get_path(m), *rest;
        uint8_t type;
        int r;

        r = sd_bus_message_get_type(m, &type);
        if (r < 0 || type != SD_BUS_MESSAGE_METHOD_CALL || !path)
                return 0;

        rest = str_starts(path, BUS_ROOT);
        if (!rest || (*rest != '\0' && *rest != '/'))
                return 0;

        if (!shows(m, path))
                return 0;

        r = bus_auth(m, AUTH_VIEW, path, NULL, reterr);
        if (r < 0)
                return r;
        return r == 0; /* asked: dealt with, it comes again */
}

/* ---- making and ending ---- */

typedef struct BusObject {
        const char *root;
        const char *interface;
        const sd_bus_vtable *vtable;
        sd_bus_object_find_t find;
        sd_bus_node_enumerator_t list;
} BusObject;

/* clang-format off */
static const BusObject objects[] = {
        { BUS_CONTAINER_ROOT, BUS_INTERFACE_CONTAINER, bus_container_vtable, find_container, list_containers },
        { BUS_IMAGE_ROOT,     BUS_INTERFACE_IMAGE,     bus_image_vtable,     find_image,     list_images },
        { BUS_NETWORK_ROOT,   BUS_INTERFACE_NETWORK,   bus_network_vtable,   find_network,   list_networks },
        { BUS_VOLUME_ROOT,    BUS_INTERFACE_VOLUME,    bus_volume_vtable,    find_volume,    list_volumes },
        { BUS_JOB_ROOT,       BUS_INTERFACE_JOB,       bus_job_vtable,       find_job,       list_jobs },
        { BUS_EXEC_ROOT,      BUS_INTERFACE_EXEC,      bus_exec_vtable,      find_exec,      list_execs },
};
/* clang-format on */

static sd_bus_slot **next_slot(Bus *b) {
        assert(b->n_slots < ARRAY_SIZE(b->slots));
        return &b->slots[b->n_slots++];
}

static int add_objects(Bus *b) {
        int r;

        r = sd_bus_add_filter(b->bus, next_slot(b), on_message, b);
        if (r < 0)
                return r;

        r = sd_bus_add_object_vtable(b->bus, next_slot(b), BUS_ROOT, BUS_INTERFACE_MANAGER,
                bus_manager_vtable, b->engine);
        if (r < 0)
                return r;

        r = sd_bus_add_object_manager(b->bus, next_slot(b), BUS_ROOT);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
                const BusObject *o = objects + i;

                r = sd_bus_add_fallback_vtable(
                        b->bus, next_slot(b), o->root, o->interface, o->vtable, o->find, b->engine);
                if (r < 0)
                        return r;

                r = sd_bus_add_node_enumerator(b->bus, next_slot(b), o->root, o->list, b->engine);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Before the loop ends, and sd-bus closes the connection with it. */
static int on_loop_exit(sd_event_source *source, void *userdata) {
        bus_replies_end();
        return 0;
}

int bus_new(sd_bus *bus, Engine *e, Bus **ret) {
        _cleanup_(bus_freep) Bus *b = NULL;
        int r;

        assert(bus);
        assert(e);
        assert(ret);

        b = new0(Bus, 1);
        if (!b)
                return -ENOMEM;
        b->bus = sd_bus_ref(bus);
        b->engine = e;
        bus_error_set_prefix("org.stauer.Engine1");

        r = add_objects(b);
        if (r < 0)
                return r;

        r = bus_signals_new(bus, e, &b->signals);
        if (r >= 0)
                r = sd_event_add_exit(e->event, &b->exit_source, on_loop_exit, b);
        if (r >= 0)
                r = sd_event_source_set_priority(b->exit_source, INT64_MIN);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(b);
        return 0;
}

Bus *bus_free(Bus *b) {
        if (!b)
                return NULL;

        loop_source_free(b->exit_source);
        bus_replies_end();
        bus_stats_end();
        bus_signals_free(b->signals);
        for (size_t i = 0; i < b->n_slots; i++)
                sd_bus_slot_unref(b->slots[i]);
        sd_bus_unref(b->bus);
        return mfree(b);
}
