/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "engine/host/netlink.h"
#include "engine/network/networks-internal.h"
#include "engine/network/ports.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

int endpoint_new(Network *n, Sandbox *b, Endpoint **ret) {
        _cleanup_(endpoint_freep) Endpoint *e = NULL;
        char id[IDENT_SIZE];
        int r;

        e = new0(Endpoint, 1);
        if (!e)
                return -ENOMEM;
        r = str_copy(&e->ident, ident_random(id));
        if (r < 0)
                return r;
        e->network = n;
        e->sandbox = b;
        list_append(&n->endpoints, &e->by_network);
        list_append(&b->endpoints, &e->by_sandbox);
        *ret = TAKE_PTR(e);
        return 0;
}

Endpoint *endpoint_free(Endpoint *e) {
        if (!e)
                return NULL;

        netlink_call_free(e->call);
        list_remove(&e->by_network);
        list_remove(&e->by_sandbox);
        free(e->ident);
        strv_free(e->driver_options);
        strv_free(e->link_local);
        strv_free(e->dns_names);
        strv_free(e->aliases);
        strv_free(e->links);
        port_mappings_free(e->ports);
        free(e);
        return NULL;
}

static const char *format4(const struct in_addr *a, char ret[static INET_ADDRSTRLEN]) {
        ret[0] = 0;
        if (a->s_addr != 0)
                (void) inet_ntop(AF_INET, a, ret, INET_ADDRSTRLEN);
        return ret;
}

static const char *format6(const struct in6_addr *a, char ret[static INET6_ADDRSTRLEN]) {
        ret[0] = 0;
        if (!IN6_IS_ADDR_UNSPECIFIED(a))
                (void) inet_ntop(AF_INET6, a, ret, INET6_ADDRSTRLEN);
        return ret;
}

const char *endpoint_address4(const Endpoint *e, char ret[static INET_ADDRSTRLEN]) {
        return format4(&e->address4, ret);
}

const char *endpoint_address6(const Endpoint *e, char ret[static INET6_ADDRSTRLEN]) {
        return format6(&e->address6, ret);
}

const char *endpoint_gateway4(const Endpoint *e, char ret[static INET_ADDRSTRLEN]) {
        return format4(&e->gateway4, ret);
}

const char *endpoint_gateway6(const Endpoint *e, char ret[static INET6_ADDRSTRLEN]) {
        return format6(&e->gateway6, ret);
}

const char *endpoint_mac(const Endpoint *e, char ret[static ENDPOINT_MAC_TEXT_SIZE]) {
        static const uint8_t none[ENDPOINT_MAC_SIZE];

        ret[0] = 0;
        if (memcmp(e->mac, none, sizeof(none)) != 0)
                (void) snprintf(ret, ENDPOINT_MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x",
                        e->mac[0], e->mac[1], e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
        return ret;
}

static int hex_digit(char c) {
        return c >= '0' && c <= '9' ? c - '0'
             : c >= 'a' && c <= 'f' ? c - 'a' + 10
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                    : -1;
}

int endpoint_parse_mac(const char *text, uint8_t ret[static ENDPOINT_MAC_SIZE]) {
        uint8_t mac[ENDPOINT_MAC_SIZE];

        if (!text || strlen(text) != ENDPOINT_MAC_TEXT_SIZE - 1)
                return -EINVAL;
        for (size_t i = 0; i < ENDPOINT_MAC_SIZE; i++) {
                int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
                char separator = text[3 * i + 2];

                if (high < 0 || low < 0 ||
                        (i < ENDPOINT_MAC_SIZE - 1 && separator != ':' && separator != '-'))
                        return -EINVAL;
                mac[i] = (uint8_t) (high << 4 | low);
        }
        if (mac[0] & 1)
                return -EINVAL; /* not one, but many */
        memcpy(ret, mac, sizeof(mac));
        return 0;
}

/* ---- the saved form: words for what is binary ---- */

typedef struct Saved {
        char *ident;
        char *network;
        char *interface;
        char *host_interface;
        char *mac;
        char *address4, *gateway4, *address6, *gateway6;
        uint32_t prefix4, prefix6;
        bool fixed4, fixed6, default4, default6;
        int64_t gateway_priority;
        char **driver_options;
        char **link_local;
        char **dns_names;
        char **aliases;
        char **links;
} Saved;

/* clang-format off */
static const JsonField saved_fields[] = {
        JSON_STRING("EndpointID",     Saved, ident,            JSON_MANDATORY),
        JSON_STRING("NetworkID",      Saved, network,          JSON_MANDATORY),
        JSON_STRING("Interface",      Saved, interface,        JSON_OMIT_EMPTY),
        JSON_STRING("HostInterface",  Saved, host_interface,   JSON_OMIT_EMPTY),
        JSON_STRING("MacAddress",     Saved, mac,              JSON_OMIT_EMPTY),
        JSON_STRING("IPAddress",      Saved, address4,         JSON_OMIT_EMPTY),
        JSON_UINT32("IPPrefixLen",    Saved, prefix4,          JSON_OMIT_EMPTY),
        JSON_STRING("Gateway",        Saved, gateway4,         JSON_OMIT_EMPTY),
        JSON_STRING("IPv6Address",    Saved, address6,         JSON_OMIT_EMPTY),
        JSON_UINT32("IPv6PrefixLen",  Saved, prefix6,          JSON_OMIT_EMPTY),
        JSON_STRING("IPv6Gateway",    Saved, gateway6,         JSON_OMIT_EMPTY),
        JSON_BOOL  ("FixedIPv4",      Saved, fixed4,           JSON_OMIT_EMPTY),
        JSON_BOOL  ("FixedIPv6",      Saved, fixed6,           JSON_OMIT_EMPTY),
        JSON_BOOL  ("DefaultIPv4",    Saved, default4,         JSON_OMIT_EMPTY),
        JSON_BOOL  ("DefaultIPv6",    Saved, default6,         JSON_OMIT_EMPTY),
        JSON_INT64 ("GwPriority",     Saved, gateway_priority, JSON_OMIT_EMPTY),
        JSON_MAP   ("DriverOpts",     Saved, driver_options,   JSON_OMIT_EMPTY),
        JSON_STRV  ("LinkLocalIPs",   Saved, link_local,       JSON_OMIT_EMPTY),
        JSON_STRV  ("DNSNames",       Saved, dns_names,        JSON_OMIT_EMPTY),
        JSON_STRV  ("Aliases",        Saved, aliases,          JSON_OMIT_EMPTY),
        JSON_STRV  ("Links",          Saved, links,            JSON_OMIT_EMPTY),
        {}
};
/* clang-format on */

int endpoint_write(const Endpoint *e, Json **ret) {
        char address4[INET_ADDRSTRLEN], gateway4[INET_ADDRSTRLEN];
        char address6[INET6_ADDRSTRLEN], gateway6[INET6_ADDRSTRLEN];
        char mac[ENDPOINT_MAC_TEXT_SIZE];
        _cleanup_(json_unrefp) Json *v = NULL, *ports = NULL;
        const Saved s = {
                .ident = e->ident,
                .network = e->network->id,
                .interface = (char *) e->interface,
                .host_interface = (char *) e->host_interface,
                .mac = (char *) endpoint_mac(e, mac),
                .address4 = (char *) endpoint_address4(e, address4),
                .prefix4 = e->prefix4,
                .gateway4 = (char *) endpoint_gateway4(e, gateway4),
                .address6 = (char *) endpoint_address6(e, address6),
                .prefix6 = e->prefix6,
                .gateway6 = (char *) endpoint_gateway6(e, gateway6),
                .fixed4 = e->fixed4,
                .fixed6 = e->fixed6,
                .default4 = e->default4,
                .default6 = e->default6,
                .gateway_priority = e->gateway_priority,
                .driver_options = e->driver_options,
                .link_local = e->link_local,
                .dns_names = e->dns_names,
                .aliases = e->aliases,
                .links = e->links,
        };
        int r;

        r = json_write(&s, saved_fields, &v);
        if (r >= 0 && e->n_ports > 0) {
                r = port_mappings_write(e->ports, e->n_ports, &ports);
                if (r >= 0)
                        r = json_set(v, "Ports", ports);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}

static int read_addresses(const Saved *s, Endpoint *e) {
        const struct {
                const char *text;
                int family;
                void *to;
        } table[] = {
                { s->address4, AF_INET, &e->address4 },
                { s->gateway4, AF_INET, &e->gateway4 },
                { s->address6, AF_INET6, &e->address6 },
                { s->gateway6, AF_INET6, &e->gateway6 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (!str_empty(table[i].text) &&
                        inet_pton(table[i].family, table[i].text, table[i].to) != 1)
                        return -EINVAL;
        if (s->prefix4 > 32 || s->prefix6 > 128 || (s->prefix4 > 0) != !str_empty(s->address4) ||
                (s->prefix6 > 0) != !str_empty(s->address6))
                return -EINVAL;
        e->prefix4 = s->prefix4;
        e->prefix6 = s->prefix6;
        return str_empty(s->mac) ? 0 : endpoint_parse_mac(s->mac, e->mac);
}

static int read_name(const char *name, char ret[static ENDPOINT_INTERFACE_SIZE]) {
        if (str_empty(name))
                return 0;
        if (!network_interface_is_valid(name))
                return -EINVAL;
        (void) snprintf(ret, ENDPOINT_INTERFACE_SIZE, "%s", name);
        return 0;
}

static int fill(Endpoint *e, Saved *s, Json *v, Error *reterr) {
        Json *ports = json_get(v, "Ports");
        int r;

        if (!ident_is_valid(str_or_empty(s->ident)))
                return error_set(reterr, ERROR_INVALID, "EndpointID: not an id");
        r = read_addresses(s, e);
        if (r >= 0)
                r = read_name(s->interface, e->interface);
        if (r >= 0)
                r = read_name(s->host_interface, e->host_interface);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID, "endpoint %s: not an endpoint", s->ident);
        free(e->ident);
        e->ident = TAKE_PTR(s->ident);
        e->fixed4 = s->fixed4;
        e->fixed6 = s->fixed6;
        e->default4 = s->default4;
        e->default6 = s->default6;
        e->gateway_priority = s->gateway_priority;
        e->driver_options = TAKE_PTR(s->driver_options);
        e->link_local = TAKE_PTR(s->link_local);
        e->dns_names = TAKE_PTR(s->dns_names);
        e->aliases = TAKE_PTR(s->aliases);
        e->links = TAKE_PTR(s->links);
        return ports ? port_mappings_read(ports, &e->ports, &e->n_ports, reterr) : 0;
}

int endpoint_read(Json *v, Network *n, Sandbox *b, Endpoint **ret, Error *reterr) {
        _cleanup_(endpoint_freep) Endpoint *e = NULL;
        Saved s = {};
        int r;

        r = endpoint_new(n, b, &e);
        if (r >= 0)
                r = json_read(v, saved_fields, &s, reterr);
        if (r >= 0)
                r = fill(e, &s, v, reterr);
        fields_done(saved_fields, &s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(e);
        return 0;
}
