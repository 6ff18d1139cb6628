/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/network.h"

#include <stdio.h>
#include <string.h>

#include "engine/network/networks-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/ident.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define BRIDGE_PREFIX "br-"

int network_new(const char *id, const NetworkSpec *spec, Network **ret) {
        _cleanup_(network_freep) Network *n = NULL;
        int r;

        assert(id);
        assert(spec);
        assert(ret);

        n = new0(Network, 1);
        if (!n)
                return -ENOMEM;
        list_init(&n->endpoints);
        network_spec_init(&n->spec);
        n->created_ns = CLOCK_NEVER;
        r = network_spec_copy(spec, &n->spec);
        if (r >= 0)
                r = str_copy(&n->id, id);
        if (r >= 0)
                r = str_copy(&n->name, str_or_empty(spec->name));
        if (r < 0)
                return r;

        *ret = TAKE_PTR(n);
        return 0;
}

Network *network_free(Network *n) {
        if (!n)
                return NULL;

        assert(list_empty(&n->endpoints));
        network_forget_call(n);
        network_drop_subnets(n);
        list_remove(&n->by_age);
        network_spec_done(&n->spec);
        free(n->id);
        free(n->name);
        free(n);
        return NULL;
}

const char *network_option(const Network *n, const char *key) {
        return pairs_get(n->spec.options, key);
}

bool network_option_bool(const Network *n, const char *key, bool otherwise) {
        const char *text = network_option(n, key);
        bool b;

        return text && parse_bool(text, &b) >= 0 ? b : otherwise;
}

const NetworkSubnet *network_subnet(const Network *n, int family) {
        for (size_t i = 0; i < n->n_subnets; i++)
                if (n->subnets[i].family == family)
                        return n->subnets + i;
        return NULL;
}

void network_drop_subnets(Network *n) {
        for (size_t i = 0; i < n->n_subnets; i++)
                ipam_subnet_free(n->subnets[i].ipam);
        n->subnets = mfree(n->subnets);
        n->n_subnets = 0;
}

bool network_name_is_valid(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= NETWORK_NAME_MAX && name[0] != ' ' && name[n - 1] != ' ' &&
               !str_has_control(name) && str_is_utf8(name, n);
}

/* ---- options that more than one driver knows ---- */

static int read_bool(const Network *n, const char *key, bool *ret, Error *reterr) {
        const char *text = network_option(n, key);

        if (!text || parse_bool(text, ret) >= 0)
                return 0;
        return error_set(
                reterr, ERROR_INVALID, "invalid value for %s: \"%s\" is no boolean", key, text);
}

/* As the kernel has it: no slash, no blank, not . or .. */
bool network_interface_is_valid(const char *name) {
        size_t size = strlen(name);

        if (size == 0 || size >= ENDPOINT_INTERFACE_SIZE || STR_IN_SET(name, ".", ".."))
                return false;
        return !strpbrk(name, "/: \t\n\v\f\r") && str_is_ascii_printable(name);
}

static int read_bridge_name(Network *n, Error *reterr) {
        const char *name = network_option(n, NETWORK_OPTION_BRIDGE_NAME);

        if (str_empty(name)) {
                (void) snprintf(n->bridge, sizeof(n->bridge), BRIDGE_PREFIX "%.*s",
                        IDENT_SHORT_LENGTH, n->id);
                return 0;
        }
        if (!network_interface_is_valid(name))
                return error_set(
                        reterr, ERROR_INVALID, "invalid name of a network interface: \"%s\"", name);
        (void) snprintf(n->bridge, sizeof(n->bridge), "%s", name);
        return 0;
}

static int check_binding(const Network *n, Error *reterr) {
        const char *text = network_option(n, NETWORK_OPTION_HOST_BINDING);
        IpamAddress a;

        if (str_empty(text) || ipam_parse(text, &a) >= 0)
                return 0;
        return error_set(reterr, ERROR_INVALID, "invalid value for %s: \"%s\" is no address",
                NETWORK_OPTION_HOST_BINDING, text);
}

int network_read_options(Network *n, Error *reterr) {
        const char *mtu = network_option(n, NETWORK_OPTION_MTU);
        const char *prefix = network_option(n, NETWORK_OPTION_PREFIX);
        int r;

        n->icc = n->masquerade = true;
        n->is_default = network_option_bool(n, NETWORK_OPTION_DEFAULT, false);
        r = read_bool(n, NETWORK_OPTION_ICC, &n->icc, reterr);
        if (r >= 0)
                r = read_bool(n, NETWORK_OPTION_MASQUERADE, &n->masquerade, reterr);
        if (r >= 0)
                r = read_bool(n, NETWORK_OPTION_INHIBIT4, &n->inhibit_ipv4, reterr);
        if (r >= 0)
                r = check_binding(n, reterr);
        if (r < 0)
                return r;
        if (!str_empty(mtu) && (parse_unsigned(mtu, &n->mtu) < 0 || n->mtu > 65535))
                return error_set(reterr, ERROR_INVALID, "invalid value for %s: \"%s\"",
                        NETWORK_OPTION_MTU, mtu);
        if (!str_empty(prefix) && (strlen(prefix) > ENDPOINT_INTERFACE_SIZE - 5 ||
                                          !network_interface_is_valid(prefix)))
                return error_set(reterr, ERROR_INVALID, "invalid value for %s: \"%s\"",
                        NETWORK_OPTION_PREFIX, prefix);
        return n->driver == &network_driver_bridge ? read_bridge_name(n, reterr) : 0;
}
