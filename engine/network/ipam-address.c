/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "engine/network/ipam-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

unsigned ipam_width(int family) {
        return family == AF_INET ? 32 : 128;
}

IpamNumber ipam_number(const IpamAddress *a) {
        const uint8_t *bytes = a->family == AF_INET ? (const uint8_t *) &a->four : a->six.s6_addr;
        IpamNumber n = 0;

        for (unsigned i = 0; i < ipam_width(a->family) / 8; i++)
                n = n << 8 | bytes[i];
        return n;
}

IpamAddress ipam_from_number(int family, IpamNumber n) {
        IpamAddress a = { .family = family };
        uint8_t *bytes = family == AF_INET ? (uint8_t *) &a.four : a.six.s6_addr;

        for (unsigned i = ipam_width(family) / 8; i > 0; i--, n >>= 8)
                bytes[i - 1] = (uint8_t) n;
        return a;
}

/* All bits of the host part. */
IpamNumber ipam_host_mask(int family, unsigned bits) {
        unsigned host = ipam_width(family) - bits;

        return host >= 128 ? ~(IpamNumber) 0 : ((IpamNumber) 1 << host) - 1;
}

int ipam_parse(const char *text, IpamAddress *ret) {
        IpamAddress a = {};

        if (!text)
                return -EINVAL;
        if (inet_pton(AF_INET, text, &a.four) == 1)
                a.family = AF_INET;
        else if (inet_pton(AF_INET6, text, &a.six) == 1)
                a.family = AF_INET6;
        else
                return -EINVAL;
        *ret = a;
        return 0;
}

int ipam_parse_prefix(const char *text, IpamPrefix *ret) {
        _cleanup_(freep) char *address = NULL, *bits = NULL;
        IpamPrefix p = {};
        int r;

        if (!text)
                return -EINVAL;
        r = str_split_pair(text, '/', &address, &bits);
        if (r >= 0)
                r = ipam_parse(address, &p.address);
        if (r >= 0)
                r = parse_unsigned(bits, &p.bits);
        if (r < 0)
                return r == -ENOMEM ? r : -EINVAL;
        if (p.bits > ipam_width(p.address.family))
                return -EINVAL;
        *ret = p;
        return 0;
}

const char *ipam_format(const IpamAddress *a, char ret[static IPAM_TEXT_SIZE]) {
        ret[0] = 0;
        if (a->family != 0)
                (void) inet_ntop(a->family,
                        a->family == AF_INET ? (const void *) &a->four : (const void *) &a->six,
                        ret, IPAM_TEXT_SIZE);
        return ret;
}

const char *ipam_format_prefix(const IpamPrefix *p, char ret[static IPAM_PREFIX_TEXT_SIZE]) {
        char text[IPAM_TEXT_SIZE];

        (void) snprintf(
                ret, IPAM_PREFIX_TEXT_SIZE, "%s/%u", ipam_format(&p->address, text), p->bits);
        return ret;
}

bool ipam_equal(const IpamAddress *a, const IpamAddress *b) {
        return a->family == b->family && (a->family == 0 || ipam_number(a) == ipam_number(b));
}

IpamPrefix ipam_masked(const IpamPrefix *p) {
        IpamNumber n = ipam_number(&p->address) & ~ipam_host_mask(p->address.family, p->bits);

        return (IpamPrefix) {
                .address = ipam_from_number(p->address.family, n),
                .bits = p->bits,
        };
}

bool ipam_contains(const IpamPrefix *p, const IpamAddress *a) {
        return p->address.family == a->family && ((ipam_number(&p->address) ^ ipam_number(a)) &
                                                         ~ipam_host_mask(a->family, p->bits)) == 0;
}

bool ipam_overlap(const IpamPrefix *a, const IpamPrefix *b) {
        return a->bits <= b->bits ? ipam_contains(a, &b->address) : ipam_contains(b, &a->address);
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask …; numbers as the machine has them in memory. */
static int parse_route4(char *const *words, IpamPrefix *ret) {
        unsigned destination, mask;

        if (strv_length(words) < 8 || sscanf(words[1], "%x", &destination) != 1 ||
                sscanf(words[7], "%x", &mask) != 1)
                return 0;
        *ret = (IpamPrefix) {
                .address = { .family = AF_INET, .four.s_addr = destination },
                .bits = (unsigned) __builtin_popcount(mask),
        };
        return 1;
}

/* Destination Bits Source Bits NextHop Metric RefCnt Use Flags Iface */
static int parse_route6(char *const *words, IpamPrefix *ret) {
        IpamPrefix p = { .address.family = AF_INET6 };

        if (strv_length(words) < 10 || strlen(words[0]) != 32 ||
                str_unhex(words[0], 32, p.address.six.s6_addr) < 0 ||
                sscanf(words[1], "%x", &p.bits) != 1 || p.bits > 128)
                return 0;
        *ret = p;
        return p.address.six.s6_addr[0] != 0xff && p.address.six.s6_addr[0] != 0xfe;
}

int ipam_parse_routes(
        int family, const char *text, IpamPrefix **list, size_t *n, size_t *n_allocated) {
        _cleanup_(strv_freep) char **lines = NULL;
        int r;

        r = strv_split(text, "\n", /* keep_empty= */ false, &lines);
        if (r < 0)
                return r;
        STRV_FOREACH (line, lines) {
                _cleanup_(strv_freep) char **words = NULL;
                IpamPrefix p;

                r = strv_split(*line, " \t", /* keep_empty= */ false, &words);
                if (r < 0)
                        return r;
                r = family == AF_INET ? parse_route4(words, &p) : parse_route6(words, &p);
                if (r == 0 || p.bits == 0)
                        continue;
                r = array_grow(list, n_allocated, *n + 1);
                if (r < 0)
                        return r;
                (*list)[(*n)++] = p;
        }
        return 0;
}
