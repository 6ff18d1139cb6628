/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/networks-internal.h"
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

/* All that is wrong is said at once, as Docker does. */

static int wrong(char ***lines, const char *format, ...) _printf_(2, 3);

static int wrong(char ***lines, const char *format, ...) {
        char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        return r < 0 ? -ENOMEM : strv_take(lines, text);
}

static int check_range(const IpamConfig *c, const IpamPrefix *subnet, char ***lines) {
        char text[IPAM_PREFIX_TEXT_SIZE], parent[IPAM_PREFIX_TEXT_SIZE];
        IpamPrefix range, masked;
        int r = 0;

        if (str_empty(c->ip_range))
                return 0;
        if (ipam_parse_prefix(c->ip_range, &range) < 0)
                return wrong(
                        lines, "invalid ip-range %s: invalid CIDR block notation", c->ip_range);
        if (range.address.family != subnet->address.family)
                return wrong(lines, "invalid ip-range %s: parent subnet is an IPv%d block",
                        c->ip_range, subnet->address.family == AF_INET ? 4 : 6);
        masked = ipam_masked(&range);
        (void) ipam_format_prefix(subnet, parent);
        if (range.bits < subnet->bits)
                r = wrong(lines,
                        "invalid ip-range %s: CIDR block is bigger than its parent subnet %s",
                        c->ip_range, parent);
        if (r >= 0 && !ipam_equal(&masked.address, &range.address))
                r = wrong(lines, "invalid ip-range %s: it should be %s", c->ip_range,
                        ipam_format_prefix(&masked, text));
        if (r >= 0 && !ipam_overlap(subnet, &range))
                r = wrong(lines, "invalid ip-range %s: parent subnet %s doesn't contain ip-range",
                        c->ip_range, parent);
        return r;
}

static int check_address(const char *what, const char *shown, const char *address,
        const IpamPrefix *subnet, char ***lines) {
        char parent[IPAM_PREFIX_TEXT_SIZE];
        IpamAddress a;

        if (ipam_parse(address, &a) < 0)
                return wrong(lines, "invalid %s %s: invalid address", what, shown);
        if (a.family != subnet->address.family)
                return wrong(lines, "invalid %s %s: parent subnet is an IPv%d block", what, shown,
                        subnet->address.family == AF_INET ? 4 : 6);
        if (!ipam_contains(subnet, &a))
                return wrong(lines, "invalid %s %s: parent subnet %s doesn't contain this address",
                        what, shown, ipam_format_prefix(subnet, parent));
        return 0;
}

static int check_config(const NetworkSpec *s, const IpamConfig *c, char ***lines) {
        char text[IPAM_PREFIX_TEXT_SIZE];
        IpamPrefix subnet, masked;
        const char *key, *value;
        int r = 0;

        if (ipam_parse_prefix(str_or_empty(c->subnet), &subnet) < 0)
                return wrong(lines, "invalid subnet %s: invalid CIDR block notation",
                        str_or_empty(c->subnet));
        if (subnet.address.family == AF_INET6 && s->enable_ipv6 <= 0)
                return 0;
        masked = ipam_masked(&subnet);
        if (!ipam_equal(&masked.address, &subnet.address))
                r = wrong(lines, "invalid subnet %s: it should be %s", c->subnet,
                        ipam_format_prefix(&masked, text));
        if (r >= 0)
                r = check_range(c, &masked, lines);
        if (r >= 0 && !str_empty(c->gateway))
                r = check_address("gateway", c->gateway, c->gateway, &masked, lines);
        PAIRS_FOREACH(key, value, c->auxiliary)
        if (r >= 0)
                r = check_address("auxiliary address", key, value, &masked, lines);
        return r;
}

int network_check_ipam(const NetworkSpec *s, Error *reterr) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *joined = NULL;
        int r = 0;

        for (size_t i = 0; i < s->ipam.n_configs && r >= 0; i++)
                r = check_config(s, s->ipam.configs + i, &lines);
        if (r < 0 || strv_empty(lines))
                return r;
        joined = strv_join(lines, "; ");
        if (!joined)
                return -ENOMEM;
        return error_set(reterr, ERROR_INVALID, "invalid network config: %s", joined);
}
