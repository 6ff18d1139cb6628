/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/view/network-view.h"

#include <stdio.h>

#include "engine/network/network.h"
#include "engine/network/sandbox.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

static int set_created(Json *v, const Network *n) {
        char text[CLOCK_TEXT_SIZE];

        return json_set_text(v, "Created", clock_format(n->created_ns, text));
}

/* ADDRESS/BITS; "" where there is none. */
static int set_cidr(Json *v, const char *key, const char *address, unsigned bits) {
        return bits == 0 ? json_set_text(v, key, "")
                         : json_set_textf(v, key, "%s/%u", address, bits);
}

static int set_container(Json *containers, const Endpoint *e) {
        char four[INET_ADDRSTRLEN], six[INET6_ADDRSTRLEN], mac[ENDPOINT_MAC_TEXT_SIZE];
        Json *v;
        int r;

        r = json_set_new_object(containers, e->sandbox->container_id, &v);
        if (r >= 0)
                r = json_set_text(v, "Name", e->sandbox->container_name);
        if (r >= 0)
                r = json_set_text(v, "EndpointID", e->ident);
        if (r >= 0)
                r = json_set_text(v, "MacAddress", endpoint_mac(e, mac));
        if (r >= 0)
                r = set_cidr(v, "IPv4Address", endpoint_address4(e, four), e->prefix4);
        if (r >= 0)
                r = set_cidr(v, "IPv6Address", endpoint_address6(e, six), e->prefix6);
        return r;
}

static int set_containers(Json *v, const Network *n) {
        const Endpoint *e;
        Json *containers;
        int r;

        r = json_set_new_object(v, "Containers", &containers);
        LIST_FOREACH (e, &n->endpoints, by_network)
                if (r >= 0 && e->joined)
                        r = set_container(containers, e);
        return r;
}

static int set_ipam(Json *v, const Network *n) {
        const IpamSpec *s = &n->spec.ipam;
        _cleanup_(json_unrefp) Json *ipam = NULL;
        int r;

        r = json_write(s, ipam_spec_fields, &ipam);
        if (r >= 0 && s->n_configs == 0 && n->predefined)
                r = json_set_null(ipam, "Config");
        return r < 0 ? r : json_set(v, "IPAM", ipam);
}

int network_view(const Network *n, bool containers, unsigned api, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const NetworkSpec *s = &n->spec;
        Json *from;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Name", n->name);
        if (r >= 0)
                r = json_set_text(v, "Id", n->id);
        if (r >= 0)
                r = set_created(v, n);
        if (r >= 0)
                r = json_set_text(v, "Scope", "local");
        if (r >= 0)
                r = json_set_text(v, "Driver", str_or_empty(s->driver));
        if (r >= 0)
                r = json_set_bool(v, "EnableIPv4", n->ipv4);
        if (r >= 0)
                r = json_set_bool(v, "EnableIPv6", n->ipv6);
        if (r >= 0)
                r = set_ipam(v, n);
        if (r >= 0)
                r = json_set_bool(v, "Internal", s->internal);
        if (r >= 0)
                r = json_set_bool(v, "Attachable", s->attachable);
        if (r >= 0)
                r = json_set_bool(v, "Ingress", false);
        if (r >= 0)
                r = json_set_new_object(v, "ConfigFrom", &from);
        if (r >= 0)
                r = json_set_text(from, "Network", str_or_empty(s->config_from));
        if (r >= 0)
                r = json_set_bool(v, "ConfigOnly", s->config_only);
        if (r >= 0)
                r = containers ? set_containers(v, n) : json_set_new_object(v, "Containers", &from);
        if (r >= 0)
                r = json_set_pairs(v, "Options", s->options);
        if (r >= 0)
                r = json_set_pairs(v, "Labels", s->labels);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}
