/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/firewall-rules.h"

#include <arpa/inet.h>
#include <string.h>

#include "engine/network/ports.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"

#define COMMENT_MAX 100U /* nft(8) takes 128 */

static const char *const gateway_mode_table[_GATEWAY_MODE_MAX] = {
        [GATEWAY_NAT] = "nat",
        [GATEWAY_NAT_UNPROTECTED] = "nat-unprotected",
        [GATEWAY_ROUTED] = "routed",
        [GATEWAY_ISOLATED] = "isolated",
};
DEFINE_STRING_TABLE(gateway_mode, GatewayMode);

/* docs/NETWORK.md explains each rule. Both tables are made before ours is deleted, so that deleting cannot fail; all is one transaction. The
 * administrator's chain is only ever added, never flushed. */
static const char table[] =
        "add table inet " FIREWALL_USER_TABLE "\n"
        "add chain inet " FIREWALL_USER_TABLE
        " docker-user { type filter hook forward priority filter - 10; }\n"
        "add table inet " FIREWALL_TABLE "\n"
        "delete table inet " FIREWALL_TABLE "\n"
        "table inet " FIREWALL_TABLE " {\n"
        "  comment \"Stauer writes this anew at any time; rules of your own: table "
        "inet " FIREWALL_USER_TABLE "\"\n"
        /* networks, by their bridge */
        "  set bridges { type ifname; }\n"
        "  set internal { type ifname; }\n"
        "  set no-icc { type ifname; }\n"
        "  set same { type ifname . ifname; comment \"in and out by the same bridge\"; }\n"
        "  set masquerade4 { type ifname; }\n"
        "  set masquerade6 { type ifname; }\n"
        "  map source4 { type ifname : ipv4_addr; comment \"com.docker.network.host_ipv4\"; }\n"
        "  map source6 { type ifname : ipv6_addr; }\n"
        "  set open4 { type ifname; comment \"gateway mode nat-unprotected\"; }\n"
        "  set open6 { type ifname; comment \"gateway mode nat-unprotected\"; }\n"
        "  set ping4 { type ifname; comment \"gateway mode routed\"; }\n"
        "  set ping6 { type ifname; comment \"gateway mode routed\"; }\n"
        "  set members4 { type ipv4_addr . ifname; flags interval; }\n"
        "  set members6 { type ipv6_addr . ifname; flags interval; }\n"
        /* published ports, by address of the host and by port alone */
        "  map ports4 { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
        "  map ports6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
        "  map bound4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
        "  map bound6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }\n"
        "  set routed4 { type ipv4_addr . inet_proto . inet_service; }\n"
        "  set routed6 { type ipv6_addr . inet_proto . inet_service; }\n"
        "  set localhost6 { type inet_proto . inet_service; comment \"IPv6 has no "
        "route_localnet\"; }\n"
        "  set guarded { type nf_proto; comment \"forwarding was off until we turned it on\"; }\n"

        "  chain raw {\n"
        "    type filter hook prerouting priority raw; policy accept;\n"
        "    iifname @bridges ip daddr 127.0.0.0/8 drop comment \"the host's loopback is not for "
        "containers\"\n"
        "    iifname @bridges ip saddr 127.0.0.0/8 drop\n"
        "  }\n"
        "  chain prerouting {\n"
        "    type nat hook prerouting priority dstnat; policy accept;\n"
        "    iifname != \"lo\" ip daddr 127.0.0.0/8 return comment \"ports on 127.0.0.1 are the "
        "host's own\"\n"
        "    fib daddr type local jump published\n"
        "  }\n"
        "  chain output {\n"
        "    type nat hook output priority -100; policy accept;\n"
        "    ip6 daddr ::1 return\n"
        "    fib daddr type local jump published\n"
        "  }\n"
        "  chain refuse {\n"
        "    type filter hook output priority filter; policy accept;\n"
        "    ip6 daddr ::1 meta l4proto . th dport @localhost6 jump refused\n"
        "  }\n"
        "  chain refused {\n"
        "    meta l4proto tcp reject with tcp reset comment \"so that a client takes 127.0.0.1\"\n"
        "    reject\n"
        "  }\n"
        "  chain published {\n"
        "    meta nfproto ipv4 meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto "
        ". th dport map @bound4\n"
        "    meta nfproto ipv4 meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport "
        "map @ports4\n"
        "    meta nfproto ipv6 meta l4proto { tcp, udp, sctp } dnat ip6 to ip6 daddr . meta "
        "l4proto . th dport map @bound6\n"
        "    meta nfproto ipv6 meta l4proto { tcp, udp, sctp } dnat ip6 to meta l4proto . th dport "
        "map @ports6\n"
        "  }\n"
        "  chain postrouting {\n"
        "    type nat hook postrouting priority srcnat; policy accept;\n"
        "    oifname @bridges jump to-bridge\n"
        "    oifname != @bridges iifname @bridges jump leaving\n"
        "  }\n"
        "  chain to-bridge {\n"
        "    ip saddr 127.0.0.0/8 masquerade comment \"localhost to a published port\"\n"
        "    ct status dnat ip saddr . oifname @members4 masquerade comment \"a neighbour to a "
        "published port\"\n"
        "    ct status dnat ip6 saddr . oifname @members6 masquerade\n"
        "  }\n"
        "  chain leaving {\n"
        "    snat ip to iifname map @source4\n"
        "    snat ip6 to iifname map @source6\n"
        "    meta nfproto ipv4 iifname @masquerade4 masquerade\n"
        "    meta nfproto ipv6 iifname @masquerade6 masquerade\n"
        "  }\n"
        "  chain forward {\n"
        "    type filter hook forward priority filter; policy accept;\n"
        "    ct state established,related accept\n"
        "    iifname . oifname @same goto within\n"
        "    iifname @internal drop comment \"nothing leaves an internal network\"\n"
        "    oifname @bridges jump entering\n"
        "    iifname @bridges accept\n"
        "    meta nfproto @guarded drop\n"
        "  }\n"
        "  chain within {\n"
        "    ct status dnat accept\n"
        "    iifname @no-icc drop comment \"icc=false\"\n"
        "    accept\n"
        "  }\n"
        "  chain entering {\n"
        "    oifname @internal drop comment \"nothing enters an internal network\"\n"
        "    ct status dnat accept comment \"published\"\n"
        "    meta nfproto ipv4 oifname @open4 accept\n"
        "    meta nfproto ipv6 oifname @open6 accept\n"
        "    ip daddr . meta l4proto . th dport @routed4 accept\n"
        "    ip6 daddr . meta l4proto . th dport @routed6 accept\n"
        "    meta l4proto icmp oifname @ping4 accept\n"
        "    meta l4proto ipv6-icmp oifname @ping6 accept\n"
        "    drop comment \"not published, or of another network\"\n"
        "  }\n"
        "}\n";

bool rule_interface_is_good(const char *name) {
        size_t n =
                strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-:@");

        return n > 0 && n < IFNAMSIZ && !name[n];
}

int rules_write_table(Buffer *b) {
        return buffer_append_string(b, table);
}

int rules_write_without_ipv6(Buffer *b) {
        static const char *const hooks[] = { "raw", "prerouting", "output", "refuse", "postrouting",
                "forward" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(hooks); i++)
                r = buffer_printf(b,
                        "insert rule inet " FIREWALL_TABLE
                        " %s meta nfproto ipv6 return comment \"ip6tables=false\"\n",
                        hooks[i]);
        return r;
}

/* family 0: the set's name has no number at its end. */
static int open_elements(Buffer *b, RuleVerb verb, const char *set, unsigned family) {
        return buffer_printf(b, "%s element inet " FIREWALL_TABLE " %s%.0u { ",
                verb == RULE_ADD ? "add" : "delete", set, family);
}

/* ' comment "NAME"', of the letters that need no thought. */
static int append_comment(Buffer *b, RuleVerb verb, const char *name) {
        int r;

        if (verb != RULE_ADD || str_empty(name))
                return 0;
        r = buffer_append_string(b, " comment \"");
        for (size_t i = 0; r >= 0 && name[i] && i < COMMENT_MAX; i++)
                r = buffer_append_char(
                        b, (name[i] > ' ' && name[i] < 0x7f && !strchr("\"\\$", name[i])) ? name[i]
                                                                                          : '_');
        return r < 0 ? r : buffer_append_char(b, '"');
}

/* The bridge as the one element of a set. */
static int write_member(Buffer *b, RuleVerb verb, const RuleNetwork *n, const char *set,
        unsigned family, bool is_member) {
        int r;

        if (!is_member)
                return 0;
        r = open_elements(b, verb, set, family);
        if (r >= 0)
                r = buffer_printf(b, "\"%s\"", n->bridge);
        if (r >= 0)
                r = append_comment(b, verb, n->name);
        return r < 0 ? r : buffer_append_string(b, " }\n");
}

static int write_source(Buffer *b, RuleVerb verb, const RuleNetwork *n, int family) {
        const void *address = family == AF_INET ? (const void *) &n->source4 : &n->source6;
        char text[INET6_ADDRSTRLEN];
        int r;

        if (family == AF_INET ? n->source4.s_addr == 0 : IN6_IS_ADDR_UNSPECIFIED(&n->source6))
                return 0;
        r = open_elements(b, verb, "source", family == AF_INET ? 4 : 6);
        if (r >= 0)
                r = buffer_printf(b, "\"%s\"", n->bridge);
        if (r >= 0 && verb == RULE_ADD)
                r = buffer_printf(b, " : %s", inet_ntop(family, address, text, sizeof(text)));
        return r < 0 ? r : buffer_append_string(b, " }\n");
}

static int write_subnets(Buffer *b, RuleVerb verb, const RuleNetwork *n) {
        char text[INET6_ADDRSTRLEN];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n->n_subnets; i++) {
                const RuleSubnet *s = n->subnets + i;

                r = open_elements(b, verb, "members", s->family == AF_INET ? 4 : 6);
                if (r >= 0)
                        r = buffer_printf(b, "%s/%u . \"%s\" }\n",
                                inet_ntop(s->family, &s->net, text, sizeof(text)), s->prefix,
                                n->bridge);
        }
        return r;
}

int rules_write_guard(Buffer *b, bool guard4, bool guard6) {
        int r;

        r = buffer_append_string(b, "flush set inet " FIREWALL_TABLE " guarded\n");
        if (r >= 0 && (guard4 || guard6))
                r = buffer_printf(b, "add element inet " FIREWALL_TABLE " guarded { %s }\n",
                        guard4 && guard6 ? "ipv4, ipv6"
                        : guard4         ? "ipv4"
                                         : "ipv6");
        return r;
}

int rules_write_network(Buffer *b, RuleVerb verb, const RuleNetwork *n) {
        bool is_internal, masquerades;
        struct {
                const char *set;
                unsigned family;
                bool is_member;
        } sets[] = {
                { "bridges", 0, true },
                { "internal", 0, false },
                { "no-icc", 0, !n->icc },
                { "masquerade", 4, false },
                { "masquerade", 6, false },
                { "open", 4, n->mode4 == GATEWAY_NAT_UNPROTECTED },
                { "open", 6, n->mode6 == GATEWAY_NAT_UNPROTECTED },
                { "ping", 4, n->mode4 == GATEWAY_ROUTED },
                { "ping", 6, n->mode6 == GATEWAY_ROUTED },
        };
        int r = 0;

        is_internal = n->internal || n->mode4 == GATEWAY_ISOLATED || n->mode6 == GATEWAY_ISOLATED;
        masquerades = n->masquerade && !is_internal;
        sets[1].is_member = is_internal;
        sets[3].is_member = masquerades && n->mode4 != GATEWAY_ROUTED;
        sets[4].is_member = masquerades && n->mode6 != GATEWAY_ROUTED;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sets); i++)
                r = write_member(b, verb, n, sets[i].set, sets[i].family, sets[i].is_member);
        if (r >= 0)
                r = buffer_printf(b,
                        "%s element inet " FIREWALL_TABLE " same { \"%s\" . \"%s\" }\n",
                        verb == RULE_ADD ? "add" : "delete", n->bridge, n->bridge);
        if (r >= 0 && sets[3].is_member)
                r = write_source(b, verb, n, AF_INET);
        if (r >= 0 && sets[4].is_member)
                r = write_source(b, verb, n, AF_INET6);
        return r < 0 ? r : write_subnets(b, verb, n);
}

/* Which map a published port is in. */
typedef enum PortKind {
        PORT_ANY,
        PORT_BOUND,
        PORT_ROUTED,
        PORT_LOCALHOST6, /* IPv6, of every address or of ::1: in a set beside the map */
        _PORT_KIND_MAX,
} PortKind;

static PortKind kind_of(const PortMapping *m) {
        return m->host_port == 0 ? PORT_ROUTED : port_mapping_is_any(m) ? PORT_ANY : PORT_BOUND;
}

static bool is_of_kind(const RuleEndpoint *e, const PortMapping *m, PortKind kind) {
        if (kind == PORT_ROUTED && e->direct)
                return true;
        if (kind == PORT_LOCALHOST6)
                return m->host_port != 0 && m->family == AF_INET6 &&
                       (port_mapping_is_any(m) || IN6_IS_ADDR_LOOPBACK(&m->host.address6));
        return kind_of(m) == kind;
}

static int write_port(
        Buffer *b, RuleVerb verb, const RuleEndpoint *e, const PortMapping *m, PortKind kind) {
        const void *address = m->family == AF_INET ? (const void *) &e->address4 : &e->address6;
        char inside[INET6_ADDRSTRLEN], host[INET6_ADDRSTRLEN];
        int r = 0;

        (void) inet_ntop(m->family, address, inside, sizeof(inside));
        if (kind == PORT_BOUND)
                r = buffer_printf(b, "%s . ", port_mapping_host_ip(m, host));
        else if (kind == PORT_ROUTED)
                r = buffer_printf(b, "%s . ", inside);
        if (r >= 0)
                r = buffer_printf(b, "%s . %u", port_protocol_name(m->protocol),
                        kind == PORT_ROUTED ? m->port : m->host_port);
        if (r >= 0)
                r = append_comment(b, verb, e->name);
        if (r >= 0 && verb == RULE_ADD && kind <= PORT_BOUND)
                r = buffer_printf(b, " : %s . %u", inside, m->port);
        return r;
}

/* Two ports of the host may lead to one of the container: where there is none of the host that is the same entry. */
static bool is_repeated(const RuleEndpoint *e, size_t i, PortKind kind) {
        const PortMapping *m = e->ports + i, *other = e->ports;

        for (; other < m; other++)
                if (kind == PORT_ROUTED
                                ? other->family == m->family && other->protocol == m->protocol &&
                                          other->port == m->port
                                : memcmp(other, m, sizeof(*m)) == 0)
                        return true;
        return false;
}

static int write_kind(Buffer *b, RuleVerb verb, const RuleEndpoint *e, int family, PortKind kind) {
        static const char *const maps[] = { "ports", "bound", "routed", "localhost" };
        bool is_open = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < e->n_ports; i++) {
                const PortMapping *m = e->ports + i;

                if (m->family != family || !is_of_kind(e, m, kind) || is_repeated(e, i, kind))
                        continue;
                r = is_open ? buffer_append_string(b, ", ")
                            : open_elements(b, verb, maps[kind], family == AF_INET ? 4 : 6);
                is_open = true;
                if (r >= 0)
                        r = write_port(b, verb, e, m, kind);
        }
        return r >= 0 && is_open ? buffer_append_string(b, " }\n") : r;
}

int rules_write_endpoint(Buffer *b, RuleVerb verb, const RuleEndpoint *e) {
        int r = 0;

        for (int kind = 0; r >= 0 && kind < _PORT_KIND_MAX; kind++) {
                r = write_kind(b, verb, e, AF_INET, (PortKind) kind);
                if (r >= 0)
                        r = write_kind(b, verb, e, AF_INET6, (PortKind) kind);
        }
        return r;
}
