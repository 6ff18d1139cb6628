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
