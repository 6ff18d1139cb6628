/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks and endpoints as rules. */
#include <arpa/inet.h>
#include <string.h>

#include "engine/network/firewall-internal.h"
#include "engine/network/firewall.h"
#include "engine/network/network.h"
#include "engine/network/ports.h"
#include "engine/network/sandbox.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static int mode_of(const Network *n, const char *key, GatewayMode *ret, Error *reterr) {
        const char *text = network_option(n, key);

        *ret = str_empty(text) ? GATEWAY_NAT : gateway_mode_from_string(text);
        if (*ret < 0)
                return error_set(reterr, ERROR_INVALID, "unknown gateway mode %s", text);
        return 0;
}

static int source_of(const Network *n, const char *key, int family, void *ret, Error *reterr) {
        const char *text = network_option(n, key);

        if (!str_empty(text) && inet_pton(family, text, ret) != 1)
                return error_set(reterr, ERROR_INVALID, "invalid %s: \"%s\"", key, text);
        return 0;
}

static int copy_subnets(const Network *n, RuleNetwork *ret) {
        ret->subnets = new0(RuleSubnet, MAX(n->n_subnets, (size_t) 1));
        if (!ret->subnets)
                return -ENOMEM;
        for (size_t i = 0; i < n->n_subnets; i++) {
                RuleSubnet *s = ret->subnets + i;

                s->family = n->subnets[i].family;
                s->prefix = n->subnets[i].prefix;
                if (s->family == AF_INET)
                        s->net.address4 = n->subnets[i].net.address4;
                else
                        s->net.address6 = n->subnets[i].net.address6;
        }
        ret->n_subnets = n->n_subnets;
        return 0;
}

int firewall_add_network(Firewall *f, const Network *n, Error *reterr) {
        _cleanup_(rule_network_freep) RuleNetwork *rule = NULL;
        int r;

        assert(f);
        assert(n);

        if (!rule_interface_is_good(n->bridge))
                return error_set(reterr, ERROR_INVALID,
                        "\"%s\" is no name for a bridge: letters, digits and \"_.-:@\" only",
                        n->bridge);
        rule = new0(RuleNetwork, 1);
        if (!rule)
                return -ENOMEM;
        memcpy(rule->bridge, n->bridge,
                strlen(n->bridge) + 1); /* is_good() has looked at its length */
        rule->internal = n->spec.internal;
        rule->icc = n->icc;
        rule->masquerade = n->masquerade;
        r = str_copy(&rule->id, n->id);
        if (r >= 0)
                r = str_copy(&rule->name, n->name);
        if (r >= 0)
                r = copy_subnets(n, rule);
        if (r >= 0)
                r = mode_of(n, NETWORK_OPTION_GATEWAY_MODE4, &rule->mode4, reterr);
        if (r >= 0)
                r = mode_of(n, NETWORK_OPTION_GATEWAY_MODE6, &rule->mode6, reterr);
        if (r >= 0)
                r = source_of(n, NETWORK_OPTION_HOST_IPV4, AF_INET, &rule->source4, reterr);
        if (r >= 0)
                r = source_of(n, NETWORK_OPTION_HOST_IPV6, AF_INET6, &rule->source6, reterr);
        return r < 0 ? r : firewall_set_network(f, TAKE_PTR(rule), reterr);
}

int firewall_publish(
        Firewall *f, const Endpoint *e, const PortMapping *m, size_t n, Error *reterr) {
        _cleanup_(rule_endpoint_freep) RuleEndpoint *rule = NULL;
        int r;

        assert(f);
        assert(e);

        rule = new0(RuleEndpoint, 1);
        if (!rule)
                return -ENOMEM;
        rule->address4 = e->address4;
        rule->address6 = e->address6;
        rule->n_ports = n;
        rule->ports = alloc_copy(m, n * sizeof(*m));
        if (!rule->ports)
                return -ENOMEM;
        r = str_copy(&rule->ident, e->ident);
        if (r >= 0)
                r = str_copy(&rule->name, e->sandbox->container_name);
        return r < 0 ? r : firewall_set_endpoint(f, TAKE_PTR(rule), reterr);
}
