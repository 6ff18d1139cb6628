/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>

#include "engine/container/container.h"
#include "engine/network/network.h"
#include "engine/network/sandbox.h"
#include "engine/view/network-view.h"
#include "lib/api/network-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/hashmap.h"
#include "lib/base/ident.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

#define API_TYPED     1052U /* addresses of network "bridge" are said once from here on */
#define API_SHORT_IDS 1045U /* before it the short id was among the aliases */

static int set_or_null(Json *v, const char *key, char *const *l) {
        return strv_empty(l) ? json_set_null(v, key) : json_set_strv(v, key, l);
}

static int set_asked(Json *v, const Container *c, const EndpointSpec *s, unsigned api) {
        _cleanup_(strv_freep) char **aliases = strv_copy(s->aliases);
        _cleanup_(json_unrefp) Json *ipam = NULL;
        char id[IDENT_SHORT_SIZE];
        int r = aliases ? 0 : -ENOMEM;

        if (r >= 0 && s->ipam) {
                r = json_write(s->ipam, endpoint_ipam_fields, &ipam);
                if (r >= 0)
                        r = json_set(v, "IPAMConfig", ipam);
        } else if (r >= 0)
                r = json_set_null(v, "IPAMConfig");
        if (r >= 0)
                r = set_or_null(v, "Links", s->links);
        if (r >= 0 && api < API_SHORT_IDS &&
                !STR_IN_SET(str_or_empty(s->network), "bridge", "host", "none"))
                r = strv_add(&aliases, ident_short(c->id, id));
        if (r >= 0)
                r = set_or_null(v, "Aliases", aliases);
        if (r >= 0)
                r = s->driver_opts ? json_set_pairs(v, "DriverOpts", s->driver_opts)
                                   : json_set_null(v, "DriverOpts");
        if (r >= 0)
                r = json_set_int64(v, "GwPriority", s->gateway_priority);
        return r < 0 ? r : json_set_text(v, "NetworkID", str_or_empty(s->network_id));
}

/* The newest client decodes addresses strictly: "" is fine, anything that is none is not. */
static int set_addresses(Json *v, const Endpoint *e) {
        char four[INET_ADDRSTRLEN] = "", gateway4[INET_ADDRSTRLEN] = "";
        char six[INET6_ADDRSTRLEN] = "", gateway6[INET6_ADDRSTRLEN] = "";
        char mac[ENDPOINT_MAC_TEXT_SIZE] = "";
        int r;

        if (e) {
                (void) endpoint_address4(e, four);
                (void) endpoint_address6(e, six);
                (void) endpoint_mac(e, mac);
                if (!e->network->spec.internal) {
                        (void) endpoint_gateway4(e, gateway4);
                        (void) endpoint_gateway6(e, gateway6);
                }
        }
        r = json_set_text(v, "EndpointID", e ? e->ident : "");
        if (r >= 0)
                r = json_set_text(v, "Gateway", gateway4);
        if (r >= 0)
                r = json_set_text(v, "IPAddress", four);
        if (r >= 0)
                r = json_set_int64(v, "IPPrefixLen", e ? (int64_t) e->prefix4 : 0);
        if (r >= 0)
                r = json_set_text(v, "IPv6Gateway", gateway6);
        if (r >= 0)
                r = json_set_text(v, "GlobalIPv6Address", six);
        if (r >= 0)
                r = json_set_int64(v, "GlobalIPv6PrefixLen", e ? (int64_t) e->prefix6 : 0);
        return r < 0 ? r : json_set_text(v, "MacAddress", mac);
}

static int set_network(Json *networks, const Container *c, const EndpointSpec *s, unsigned api) {
        const Endpoint *e = container_endpoint(c, s);
        Json *v;
        int r;

        r = json_set_new_object(networks, str_or_empty(s->network), &v);
        if (r >= 0)
                r = set_asked(v, c, s, api);
        if (r >= 0)
                r = set_addresses(v, e);
        if (r >= 0 && !e && !str_empty(s->mac_address))
                r = json_set_text(v, "MacAddress", s->mac_address);
        return r < 0 ? r : set_or_null(v, "DNSNames", e ? e->dns_names : NULL);
}

int container_view_set_networks(Json *settings, const Container *c, unsigned api) {
        Json *networks;
        int r;

        r = json_set_new_object(settings, "Networks", &networks);
        for (size_t i = 0; r >= 0 && i < c->spec.n_endpoints; i++)
                r = set_network(networks, c, c->spec.endpoints + i, api);
        return r;
}

/* ---- ports ---- */

static const Sandbox *running_sandbox(const Container *c) {
        return container_is_running(c) ? c->sandbox : NULL;
}

static int add_mapping(Json *ports, const PortMapping *m) {
        char key[32], ip[INET6_ADDRSTRLEN];
        Json *list, *one;
        int r;

        (void) snprintf(key, sizeof(key), "%u/%s", m->port, port_protocol_name(m->protocol));
        list = json_get(ports, key);
        if (!list || json_is_null(list)) {
                r = json_set_new_list(ports, key, &list);
                if (r < 0)
                        return r;
        }
        r = json_append_new_object(list, &one);
        if (r >= 0)
                r = json_set_text(one, "HostIp", port_mapping_host_ip(m, ip));
        return r < 0 ? r : json_set_textf(one, "HostPort", "%u", m->host_port);
}

static int set_port_map(Json *settings, const Container *c) {
        const Sandbox *b = running_sandbox(c);
        Json *ports;
        int r;

        r = json_set_new_object(settings, "Ports", &ports);
        if (r < 0 || !b)
                return r;
        STRV_FOREACH (port, c->spec.config.exposed_ports)
                if (r >= 0)
                        r = json_set_null(ports, *port);
        for (size_t i = 0; r >= 0 && i < b->n_ports; i++)
                r = add_mapping(ports, b->ports + i);
        return r;
}

int container_view_set_network_settings(Json *v, const Container *c, unsigned api) {
        const Sandbox *b = running_sandbox(c);
        const Endpoint *e = NULL;
        Json *s;
        int r;

        r = json_set_new_object(v, "NetworkSettings", &s);
        if (r >= 0)
                r = json_set_text(s, "SandboxID", b ? str_or_empty(b->netns_id) : "");
        if (r >= 0)
                r = json_set_text(s, "SandboxKey", b ? str_or_empty(b->netns_path) : "");
        if (r >= 0)
                r = set_port_map(s, c);
        for (size_t i = 0; i < c->spec.n_endpoints; i++)
                if (str_equal(c->spec.endpoints[i].network, "bridge"))
                        e = container_endpoint(c, c->spec.endpoints + i);
        if (r >= 0 && api < API_TYPED)
                r = set_addresses(s, e);
        return r < 0 ? r : container_view_set_networks(s, c, api);
}

static int append_port(
        Json *list, const char *ip, unsigned port, unsigned host_port, const char *protocol) {
        Json *p;
        int r;

        r = json_append_new_object(list, &p);
        if (r >= 0 && ip)
                r = json_set_text(p, "IP", ip);
        if (r >= 0)
                r = json_set_uint64(p, "PrivatePort", port);
        if (r >= 0 && ip)
                r = json_set_uint64(p, "PublicPort", host_port);
        return r < 0 ? r : json_set_text(p, "Type", protocol);
}

static bool is_mapped(const Sandbox *b, unsigned port, const char *protocol) {
        for (size_t i = 0; b && i < b->n_ports; i++)
                if (b->ports[i].port == port &&
                        str_equal(port_protocol_name(b->ports[i].protocol), protocol))
                        return true;
        return false;
}

int container_view_set_ports(Json *v, const Container *c) {
        const Sandbox *b = running_sandbox(c);
        char ip[INET6_ADDRSTRLEN];
        Json *list;
        int r;

        r = json_set_new_list(v, "Ports", &list);
        STRV_FOREACH (text, c->spec.config.exposed_ports) {
                const char *slash = strchr(*text, '/');
                _cleanup_(freep) char *number = NULL;
                unsigned port;

                if (r >= 0)
                        r = str_copy_n(&number, *text, strcspn(*text, "/"));
                if (r < 0)
                        return r;
                if (parse_unsigned(number, &port) < 0 ||
                        is_mapped(b, port, slash ? slash + 1 : "tcp"))
                        continue; /* a range, or it comes below */
                r = append_port(list, NULL, port, 0, slash ? slash + 1 : "tcp");
        }
        for (size_t i = 0; b && r >= 0 && i < b->n_ports; i++) {
                const PortMapping *m = b->ports + i;

                r = append_port(list, port_mapping_host_ip(m, ip), m->port, m->host_port,
                        port_protocol_name(m->protocol));
        }
        return r;
}
