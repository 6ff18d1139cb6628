/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "dbus/bus-manager.h"
#include "dbus/bus-network.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/engine.h"
#include "engine/network/networks.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"

#define CREATE_JSON_MAX (1024U * 1024U)

static int append_networks(sd_bus_message *reply, Network **list, size_t count) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(sssto)");
        for (size_t i = 0; r >= 0 && i < count; i++) {
                _cleanup_(freep) char *path = NULL;

                r = bus_network_path(list[i], &path);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "(sssto)", list[i]->id, list[i]->name,
                                str_or_empty(list[i]->spec.driver), bus_usec(list[i]->created_ns),
                                path);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_manager_list_networks(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(error_done) Error error = {};
        _cleanup_(freep) Network **list = NULL;
        Engine *e = userdata;
        size_t n;
        int r;

        r = bus_read_filter(m, network_filter_keys, &filter, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = networks_list(e->networks, filter, &list, &n, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_networks(reply, list, n);
        return r < 0 ? r : sd_bus_message_send(reply);
}

static int reply_path(sd_bus_message *m, void *result) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = bus_network_path(result, &path);
        return r < 0 ? r : sd_bus_reply_method_return(m, "o", path);
}

int bus_manager_get_network(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        const char *name;
        int found, r;
        Network *n;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        found = networks_find(e->networks, name, &n, &error);
        r = found < 0 ? bus_auth(m, AUTH_VIEW, name, NULL, reterr)
                      : bus_network_auth(m, AUTH_VIEW, n, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return found < 0 ? bus_error(reterr, found, &error) : reply_path(m, n);
}

static int create(sd_bus_message *m, Engine *e, NetworkSpec *spec, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        BusReply *b;
        int r;

        r = bus_auth(m, AUTH_MANAGE_NETWORKS, str_or_empty(spec->name), NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_reply_new(m, reply_path, &b);
        return r < 0 ? r
                     : bus_reply_return(b, networks_create(e->networks, spec, b->pending, &error),
                               &error, reterr);
}

int bus_manager_create_network(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(network_spec_done) NetworkSpec spec;
        _cleanup_(error_done) Error error = {};
        const char *name, *driver;
        int r;

        network_spec_init(&spec);
        r = sd_bus_message_read(m, "ss", &name, &driver);
        if (r >= 0)
                r = str_copy(&spec.name, name);
        if (r >= 0)
                r = str_copy(&spec.driver, driver);
        if (r >= 0)
                r = bus_read_network(m, &spec, &error);
        if (r < 0)
                return error_is_set(&error) ? bus_error(reterr, r, &error) : r;
        return create(m, userdata, &spec, reterr);
}

int bus_manager_create_network_from_json(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(network_spec_done) NetworkSpec spec;
        _cleanup_(error_done) Error error = {};
        const char *text;
        int r;

        network_spec_init(&spec);
        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return r;
        if (strlen(text) > CREATE_JSON_MAX)
                r = error_set(&error, ERROR_TOO_LARGE, "the document is larger than %u bytes",
                        CREATE_JSON_MAX);
        else
                r = json_read_text(
                        text, strlen(text), network_spec_fields, &spec, JSON_READ_DOCKER, &error);
        return r < 0 ? bus_error(reterr, r, &error) : create(m, userdata, &spec, reterr);
}

static int reply_pruned(sd_bus_message *m, void *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, result);
        return r < 0 ? r : sd_bus_message_send(reply);
}

int bus_manager_prune_networks(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        BusReply *b;
        int r;

        r = bus_read_filter(m, network_prune_filter_keys, &filter, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = bus_auth(m, AUTH_PRUNE, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_reply_new(m, reply_pruned, &b);
        return r < 0 ? r
                     : bus_reply_return(b, networks_prune(e->networks, filter, b->pending, &error),
                               &error, reterr);
}
