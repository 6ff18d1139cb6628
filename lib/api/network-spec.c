/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/network-spec.h"

#include "lib/base/alloc.h"

#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

const JsonField endpoint_ipam_fields[] = {
        JSON_STRING("IPv4Address",  EndpointIpam, ipv4_address,   JSON_OMIT_EMPTY),
        JSON_STRING("IPv6Address",  EndpointIpam, ipv6_address,   JSON_OMIT_EMPTY),
        JSON_STRV  ("LinkLocalIPs", EndpointIpam, link_local_ips, OPTIONAL),
        {}
};

static const JsonField ipam_config_fields[] = {
        JSON_STRING("Subnet",             IpamConfig, subnet,    JSON_OMIT_EMPTY),
        JSON_STRING("IPRange",            IpamConfig, ip_range,  JSON_OMIT_EMPTY),
        JSON_STRING("Gateway",            IpamConfig, gateway,   JSON_OMIT_EMPTY),
        JSON_MAP   ("AuxiliaryAddresses", IpamConfig, auxiliary, OPTIONAL),
        {}
};

const JsonField ipam_spec_fields[] = {
        JSON_STRING("Driver",  IpamSpec, driver,  0),
        JSON_MAP   ("Options", IpamSpec, options, JSON_NULLABLE),
        JSON_ARRAY ("Config",  IpamSpec, configs, n_configs, IpamConfig, ipam_config_fields, 0),
        {}
};

static const JsonField config_from_fields[] = {
        JSON_STRING("Network", NetworkSpec, config_from, 0),
        {}
};

/* ConfigFrom has no struct of its own: its one row is a member of the spec. */
const JsonField network_spec_fields[] = {
        JSON_STRING  ("Name",       NetworkSpec, name,        0),
        JSON_STRING  ("Driver",     NetworkSpec, driver,      0),
        JSON_STRING  ("Scope",      NetworkSpec, scope,       0),
        JSON_TRISTATE("EnableIPv4", NetworkSpec, enable_ipv4, JSON_NULLABLE),
        JSON_TRISTATE("EnableIPv6", NetworkSpec, enable_ipv6, JSON_NULLABLE),
        JSON_NESTED  ("IPAM",       NetworkSpec, ipam, ipam_spec_fields, 0),
        JSON_BOOL    ("Internal",   NetworkSpec, internal,    0),
        JSON_BOOL    ("Attachable", NetworkSpec, attachable,  0),
        JSON_BOOL    ("Ingress",    NetworkSpec, ingress,     0),
        { .name = "ConfigFrom", .type = JSON_FIELD_NESTED, .offset = 0, .size = sizeof(NetworkSpec),
          .fields = config_from_fields },
        JSON_BOOL    ("ConfigOnly", NetworkSpec, config_only, 0),
        JSON_MAP     ("Options",    NetworkSpec, options,     0),
        JSON_MAP     ("Labels",     NetworkSpec, labels,      0),
        {}
};

const JsonField endpoint_spec_fields[] = {
        JSON_NESTED_PTR("IPAMConfig",       EndpointSpec, ipam, endpoint_ipam_fields, JSON_NULLABLE),
        JSON_STRV  ("Links",                EndpointSpec, links,                  JSON_NULLABLE),
        JSON_STRV  ("Aliases",              EndpointSpec, aliases,                JSON_NULLABLE),
        JSON_STRING("MacAddress",           EndpointSpec, mac_address,            0),
        JSON_MAP   ("DriverOpts",           EndpointSpec, driver_opts,            JSON_NULLABLE),
        JSON_INT64 ("GwPriority",           EndpointSpec, gateway_priority,       0),
        JSON_STRING("NetworkID",            EndpointSpec, network_id,             0),
        JSON_STRING("EndpointID",           EndpointSpec, endpoint_id,            0),
        JSON_STRING("Gateway",              EndpointSpec, gateway,                0),
        JSON_STRING("IPAddress",            EndpointSpec, ip_address,             0),
        JSON_INT   ("IPPrefixLen",          EndpointSpec, ip_prefix_len,          0),
        JSON_STRING("IPv6Gateway",          EndpointSpec, ipv6_gateway,           0),
        JSON_STRING("GlobalIPv6Address",    EndpointSpec, global_ipv6_address,    0),
        JSON_INT   ("GlobalIPv6PrefixLen",  EndpointSpec, global_ipv6_prefix_len, 0),
        JSON_STRV  ("DNSNames",             EndpointSpec, dns_names,              JSON_NULLABLE),
        {}
};

/* clang-format on */

void endpoint_spec_done(EndpointSpec *e) {
        if (!e)
                return;

        e->network = mfree(e->network);
        fields_done(endpoint_spec_fields, e);
}

void network_spec_init(NetworkSpec *s) {
        *s = (NetworkSpec) {};
        fields_init(network_spec_fields, s);
}

void network_spec_done(NetworkSpec *s) {
        if (s)
                fields_done(network_spec_fields, s);
}

int network_spec_copy(const NetworkSpec *from, NetworkSpec *ret) {
        *ret = (NetworkSpec) {};
        return fields_copy(network_spec_fields, from, ret);
}

void ipam_spec_done(IpamSpec *s) {
        fields_done(ipam_spec_fields, s);
}

int ipam_spec_copy(const IpamSpec *from, IpamSpec *ret) {
        return fields_copy(ipam_spec_fields, from, ret);
}
