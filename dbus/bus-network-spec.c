/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "dbus/bus-network.h"
#include "dbus/bus-spec-read.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

typedef struct Property {
        const char *name;
        const char *signature;
        int (*read)(sd_bus_message *m, void *field);
        size_t offset;
} Property;

/* a(sss): subnet, range ("": all of it), gateway ("": the first address) */
static int read_subnets(sd_bus_message *m, void *field) {
        const char *subnet, *range, *gateway;
        IpamSpec *s = field;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sss)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(sss)", &subnet, &range, &gateway)) > 0) {
                IpamConfig *l = realloc(s->configs, (s->n_configs + 1) * sizeof(*l));

                if (!l)
                        return -ENOMEM;
                s->configs = l;
                l += s->n_configs++;
                *l = (IpamConfig) {};
                r = str_copy(&l->subnet, subnet);
                if (r >= 0)
                        r = str_copy(&l->ip_range, range);
                if (r >= 0)
                        r = str_copy(&l->gateway, gateway);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static EndpointIpam *ipam_of(void *field) {
        EndpointIpam **p = field;

        if (!*p)
                *p = new0(EndpointIpam, 1);
        return *p;
}

static int read_ipv4(sd_bus_message *m, void *field) {
        EndpointIpam *i = ipam_of(field);

        return i ? spec_read_string(m, &i->ipv4_address) : -ENOMEM;
}

static int read_ipv6(sd_bus_message *m, void *field) {
        EndpointIpam *i = ipam_of(field);

        return i ? spec_read_string(m, &i->ipv6_address) : -ENOMEM;
}

static int read_priority(sd_bus_message *m, void *field) {
        return sd_bus_message_read_basic(m, 'x', field);
}

/* clang-format off */
static const Property network_properties[] = {
        { "IPv4",        "b",      spec_read_switch, offsetof(NetworkSpec, enable_ipv4) },
        { "IPv6",        "b",      spec_read_switch, offsetof(NetworkSpec, enable_ipv6) },
        { "Internal",    "b",      spec_read_bool,   offsetof(NetworkSpec, internal) },
        { "Attachable",  "b",      spec_read_bool,   offsetof(NetworkSpec, attachable) },
        { "Subnets",     "a(sss)", read_subnets,     offsetof(NetworkSpec, ipam) },
        { "ConfigOnly",  "b",      spec_read_bool,   offsetof(NetworkSpec, config_only) },
        { "ConfigFrom",  "s",      spec_read_string, offsetof(NetworkSpec, config_from) },
        { "Options",     "a{ss}",  spec_read_pairs,  offsetof(NetworkSpec, options) },
        { "Labels",      "a{ss}",  spec_read_pairs,  offsetof(NetworkSpec, labels) },
        {}
};

static const Property endpoint_properties[] = {
        { "IPv4Address",     "s",     read_ipv4,        offsetof(EndpointSpec, ipam) },
        { "IPv6Address",     "s",     read_ipv6,        offsetof(EndpointSpec, ipam) },
        { "MacAddress",      "s",     spec_read_string, offsetof(EndpointSpec, mac_address) },
        { "Aliases",         "as",    spec_read_strv,   offsetof(EndpointSpec, aliases) },
        { "Links",           "as",    spec_read_strv,   offsetof(EndpointSpec, links) },
        { "GatewayPriority", "x",     read_priority,    offsetof(EndpointSpec, gateway_priority) },
        { "Options",         "a{ss}", spec_read_pairs,  offsetof(EndpointSpec, driver_opts) },
        {}
};
/* clang-format on */

static int read_property(sd_bus_message *m, const Property *p, void *to, Error *reterr) {
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        for (; p->name; p++)
                if (streq(p->name, name))
                        break;
        if (!p->name)
                return error_set(reterr, ERROR_INVALID, "there is no property \"%s\"", name);
        r = sd_bus_message_enter_container(m, 'v', p->signature);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID,
                        "property \"%s\" has another type: expected a variant of \"%s\"", name,
                        p->signature);
        r = p->read(m, (char *) to + p->offset);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_properties(sd_bus_message *m, const Property *table, void *to, Error *reterr) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_property(m, table, to, reterr);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_read_network(sd_bus_message *m, NetworkSpec *ret, Error *reterr) {
        return read_properties(m, network_properties, ret, reterr);
}

int bus_read_endpoint(sd_bus_message *m, EndpointSpec *ret, Error *reterr) {
        return read_properties(m, endpoint_properties, ret, reterr);
}
