/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks: their objects. What the manager does with them is in bus-manager-networks.c. */
#include "dbus/bus-auth.h"
#include "dbus/bus-manager.h"
#include "dbus/bus-network.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "engine/network/networks.h"
#include "engine/view/container-view.h"
#include "engine/view/network-view.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define GETTER(name)                                                          \
        static int name(sd_bus *bus, const char *path, const char *interface, \
                const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr)

int bus_network_path(const Network *n, char **ret) {
        return bus_path_make(BUS_NETWORK_ROOT, n->id, ret);
}

int bus_network_auth(sd_bus_message *m, AuthAction action, const Network *n, sd_bus_error *reterr) {
        return bus_auth(
                m, action, n->id, (const char *const[]) { "network", n->name, NULL }, reterr);
}

/* ---- properties ---- */

GETTER(get_id) {
        const Network *n = userdata;

        return sd_bus_message_append(reply, "s", n->id);
}

GETTER(get_name) {
        const Network *n = userdata;

        return sd_bus_message_append(reply, "s", n->name);
}

GETTER(get_driver) {
        const Network *n = userdata;

        return sd_bus_message_append(reply, "s", str_or_empty(n->spec.driver));
}

GETTER(get_created) {
        const Network *n = userdata;

        return sd_bus_message_append(reply, "t", bus_usec(n->created_ns));
}

GETTER(get_flag) {
        return sd_bus_message_append(reply, "b", (int) *(const bool *) userdata);
}

GETTER(get_bridge) {
        const Network *n = userdata;

        return sd_bus_message_append(reply, "s", n->bridge);
}

/* (sss): subnet, range, gateway */
GETTER(get_subnets) {
        const Network *n = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(sss)");
        for (size_t i = 0; r >= 0 && i < n->spec.ipam.n_configs; i++) {
                const IpamConfig *c = n->spec.ipam.configs + i;

                r = sd_bus_message_append(reply, "(sss)", str_or_empty(c->subnet),
                        str_or_empty(c->ip_range), str_or_empty(c->gateway));
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

GETTER(get_n_containers) {
        const Network *n = userdata;
        const Endpoint *e;
        unsigned count = 0;

        LIST_FOREACH (e, &n->endpoints, by_network)
                count++;
        return sd_bus_message_append(reply, "u", count);
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

/* ---- methods ---- */

static int method_inspect(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(json_unrefp) Json *document = NULL;
        _cleanup_(freep) char *text = NULL;
        Network *n = userdata;
        int r;

        r = bus_network_auth(m, AUTH_VIEW, n, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = network_view(n, /* containers= */ true, VIEW_API_LATEST, &document);
        if (r >= 0)
                r = json_print(document, JSON_COMPACT, &text);
        if (r >= 0)
                r = sd_bus_reply_method_return(m, "s", text);
        return r;
}

static int method_remove(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        Network *n = userdata;
        BusReply *b;
        int r;

        r = bus_network_auth(m, AUTH_MANAGE_NETWORKS, n, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_reply_new(m, NULL, &b);
        return r < 0 ? r : bus_reply_return(b, network_remove(n, b->pending, &e), &e, reterr);
}

/* clang-format off */
const sd_bus_vtable bus_network_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Name", "s", get_name, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Driver", "s", get_driver, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("CreatedTimestamp", "t", get_created, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Bridge", "s", get_bridge, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("IPv4", "b", get_flag, offsetof(Network, ipv4), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("IPv6", "b", get_flag, offsetof(Network, ipv6), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Internal", "b", get_flag, offsetof(Network, spec.internal), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Predefined", "b", get_flag, offsetof(Network, predefined), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Subnets", "a(sss)", get_subnets, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Labels", "a{ss}", get_pairs, offsetof(Network, spec.labels), SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Options", "a{ss}", get_pairs, offsetof(Network, spec.options), SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("NContainers", "u", get_n_containers, 0, 0),

        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_inspect, SD_BUS_VTABLE_UNPRIVILEGED),

        SD_BUS_VTABLE_END
};
/* clang-format on */

/* ---- a container's ---- */

/* The network may be gone: a container can still be rid of it. */
static int auth_network(sd_bus_message *m, Container *c, const char *name, sd_bus_error *reterr) {
        Network *n;

        return networks_find(container_networks(c), name, &n, NULL) < 0
                     ? bus_auth(m, AUTH_MANAGE_NETWORKS, name, NULL, reterr)
                     : bus_network_auth(m, AUTH_MANAGE_NETWORKS, n, reterr);
}

int bus_container_connect_network(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(endpoint_spec_done) EndpointSpec wish = {};
        _cleanup_(error_done) Error e = {};
        Container *c = userdata;
        const char *name;
        BusReply *b;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
                r = bus_read_endpoint(m, &wish, &e);
        if (r < 0)
                return error_is_set(&e) ? bus_error(reterr, r, &e) : r;
        r = auth_network(m, c, name, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_reply_new(m, NULL, &b);
        return r < 0 ? r
                     : bus_reply_return(
                               b, container_connect(c, name, &wish, b->pending, &e), &e, reterr);
}

int bus_container_disconnect_network(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        Container *c = userdata;
        const char *name;
        BusReply *b;
        int force, r;

        r = sd_bus_message_read(m, "sb", &name, &force);
        if (r < 0)
                return r;
        r = auth_network(m, c, name, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_reply_new(m, NULL, &b);
        return r < 0 ? r
                     : bus_reply_return(
                               b, container_disconnect(c, name, force, b->pending, &e), &e, reterr);
}
