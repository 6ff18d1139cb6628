/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/run-network.h"

#include <ctype.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/options.h"
#include "cli/run-values.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

void run_networks_done(RunNetworks *n) {
        for (size_t i = 0; i < n->n; i++)
                endpoint_spec_done(n->list + i);
        free(n->list);
        *n = (RunNetworks) {};
}

static EndpointIpam *ipam_of(EndpointSpec *e) {
        if (!e->ipam)
                e->ipam = new0(EndpointIpam, 1);
        return e->ipam;
}

static int set_word(EndpointSpec *e, const char *key, const char *value, Error *reterr) {
        EndpointIpam *ipam;
        int r;

        if (streq(key, "name"))
                return str_copy(&e->network, value);
        if (streq(key, "alias"))
                return strv_add(&e->aliases, value);
        if (streq(key, "mac-address"))
                return str_copy(&e->mac_address, value);
        if (streq(key, "driver-opt")) {
                if (!strchr(value, '='))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid key value pair format in driver options");
                return run_pair_add(&e->driver_opts, value);
        }
        if (streq(key, "gw-priority")) {
                r = run_int_parse(value, INT32_MIN, INT32_MAX, &e->gateway_priority, NULL);
                if (r < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid gw-priority (%s): invalid syntax", value);
                return 0;
        }
        if (!STR_IN_SET(key, "ip", "ip6", "link-local-ip"))
                return error_set(reterr, ERROR_INVALID, "invalid field key %s", key);

        ipam = ipam_of(e);
        if (!ipam)
                return -ENOMEM;
        if (streq(key, "link-local-ip"))
                return strv_add(&ipam->link_local_ips, value);
        return str_copy(streq(key, "ip") ? &ipam->ipv4_address : &ipam->ipv6_address, value);
}

static int long_form(EndpointSpec *e, const char *value, Error *reterr) {
        _cleanup_(strv_freep) char **fields = NULL;
        int r;

        r = csv_parse(value, &fields, reterr);
        if (r < 0)
                return r;
        STRV_FOREACH (field, fields) {
                char *equals = strchr(*field, '='), *key;

                if (!equals)
                        return error_set(reterr, ERROR_INVALID, "invalid field %s", *field);
                *equals = '\0';
                key = str_strip(*field);
                str_lower(key);
                r = set_word(e, key, str_strip(equals + 1), reterr);
                if (r < 0)
                        return r;
        }
        if (!e->network)
                return error_set(reterr, ERROR_INVALID, "network name/id is not specified");
        return 0;
}

/* A word, "=" and a word, anywhere. */
static bool is_long_form(const char *value) {
        for (const char *p = strchr(value, '='); p; p = strchr(p + 1, '='))
                if (p > value && (isalnum((unsigned char) p[-1]) || p[-1] == '_') &&
                        (isalnum((unsigned char) p[1]) || p[1] == '_'))
                        return true;
        return false;
}

int run_network_add(RunNetworks *n, const char *value, Error *reterr) {
        size_t allocated = n->n;
        EndpointSpec *e;
        int r;

        r = array_grow(&n->list, &allocated, n->n + 1);
        if (r < 0)
                return r;
        e = n->list + n->n++;
        *e = (EndpointSpec) {};
        return is_long_form(value) ? long_form(e, value, reterr) : str_copy(&e->network, value);
}

static bool is_user_defined(const char *network) {
        return !STR_IN_SET(network, "default", "bridge", "host", "none") &&
               !str_starts(network, "container:");
}

static int twice(Error *reterr, const char *option, const char *what) {
        return error_set(reterr, ERROR_INVALID,
                "conflicting options: cannot specify both --%s and per-network %s", option, what);
}

static bool mac_is_valid(const char *s) {
        char separator = s[0] && s[1] ? s[2] : '\0';

        if (separator != ':' && separator != '-')
                return false;
        for (size_t i = 0; i < 17; i++)
                if (i % 3 == 2 ? s[i] != separator : !isxdigit((unsigned char) s[i]))
                        return false;
        return s[17] == '\0';
}

/* --network-alias, --link, --ip, … are about the first network. */
static int apply_options(EndpointSpec *e, const Options *o, ContainerSpec *spec, Error *reterr) {
        const char *ip = options_string(o, "ip"), *ip6 = options_string(o, "ip6");
        const char *mac = options_string(o, "mac-address");
        char *const *local = options_list(o, "link-local-ip");
        char *const *aliases = options_list(o, "network-alias");
        char *const *more = options_list(o, "net-alias");
        int r = 0;

        if (e->aliases && (aliases || more))
                return twice(reterr, "network-alias", "alias");
        if (e->ipam && e->ipam->ipv4_address && ip)
                return twice(reterr, "ip", "IPv4 address");
        if (e->ipam && e->ipam->ipv6_address && ip6)
                return twice(reterr, "ip6", "IPv6 address");
        if (e->ipam && e->ipam->link_local_ips && local)
                return twice(reterr, "link-local-ip", "link-local IP addresses");
        if (e->mac_address && mac)
                return twice(reterr, "mac-address", "MAC address");

        if (aliases)
                r = strv_add_all(&e->aliases, aliases);
        if (r >= 0 && more)
                r = strv_add_all(&e->aliases, more);
        if (r >= 0 && is_user_defined(e->network) && spec->host.links)
                r = strv_set(&e->links, spec->host.links);
        if (r >= 0 && !str_empty(mac))
                r = str_copy(&e->mac_address, mac);
        if (r >= 0 && (!str_empty(ip) || !str_empty(ip6) || local) && !ipam_of(e))
                r = -ENOMEM;
        if (r >= 0 && !str_empty(ip))
                r = str_copy(&e->ipam->ipv4_address, ip);
        if (r >= 0 && !str_empty(ip6))
                r = str_copy(&e->ipam->ipv6_address, ip6);
        if (r >= 0 && local)
                r = strv_add_all(&e->ipam->link_local_ips, local);
        return r;
}

static int check_endpoint(EndpointSpec *e, Error *reterr) {
        if (str_empty(e->network))
                return error_set(reterr, ERROR_INVALID, "no name set for network");
        if (!is_user_defined(e->network) && e->aliases)
                return error_set(reterr, ERROR_INVALID,
                        "network-scoped aliases are only supported for user-defined networks");
        if (e->mac_address && !mac_is_valid(e->mac_address))
                return error_set(
                        reterr, ERROR_INVALID, "%s is not a valid mac address", e->mac_address);
        return 0;
}

static bool says_nothing(const EndpointSpec *e) {
        return !e->ipam && !e->links && !e->aliases && !e->mac_address && !e->driver_opts &&
               e->gateway_priority == 0;
}

static int check_all(const RunNetworks *n, Error *reterr) {
        bool any_user = false, all_user = true;

        for (size_t i = 0; i < n->n; i++) {
                bool user = is_user_defined(n->list[i].network);

                any_user = any_user || user;
                all_user = all_user && user;
                for (size_t j = 0; j < i; j++)
                        if (streq(n->list[i].network, n->list[j].network))
                                return error_set(reterr, ERROR_INVALID,
                                        "network \"%s\" is specified multiple times",
                                        n->list[i].network);
        }
        if (any_user && !all_user)
                return error_set(reterr, ERROR_INVALID,
                        "conflicting options: cannot attach both user-defined and "
                        "non-user-defined network-modes");
        return 0;
}

int run_networks_finish(RunNetworks *n, const Options *o, ContainerSpec *spec, Error *reterr) {
        bool given = n->n > 0;
        int r;

        r = given ? 0 : run_network_add(n, "default", reterr);
        if (r >= 0)
                r = apply_options(n->list, o, spec, reterr);
        for (size_t i = 0; r >= 0 && i < n->n; i++)
                r = check_endpoint(n->list + i, reterr);
        if (r >= 0)
                r = check_all(n, reterr);
        if (r >= 0)
                r = str_copy(&spec->host.network_mode, n->list[0].network);
        if (r < 0)
                return r;

        /* One network with nothing said about it is told by its mode alone. */
        if (given && n->n == 1 && says_nothing(n->list))
                return 0;
        spec->endpoints = n->list;
        spec->n_endpoints = n->n;
        *n = (RunNetworks) {};
        return 0;
}
