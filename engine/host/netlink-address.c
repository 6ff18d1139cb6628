/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and routes, as steps of a batch. Pure. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "engine/host/netlink-internal.h"
#include "lib/base/str.h"

static int address_size(int family) {
        return family == AF_INET6 ? (int) sizeof(struct in6_addr) : (int) sizeof(struct in_addr);
}

static int put_address(struct nl_msg *m, int family, const void *address) {
        int r = nla_put(m, IFA_LOCAL, address_size(family), address);

        return r < 0 ? r : nla_put(m, IFA_ADDRESS, address_size(family), address);
}

static int put_broadcast(struct nl_msg *m, const void *address, unsigned prefix) {
        struct in_addr a;

        memcpy(&a, address, sizeof(a));
        if (prefix >= 31)
                return 0;
        a.s_addr |= htonl(UINT32_MAX >> prefix);
        return nla_put(m, IFA_BROADCAST, sizeof(a), &a);
}

int netlink_address_add(
        NetlinkBatch *b, const char *name, int family, const void *address, unsigned prefix) {
        struct ifaddrmsg header = {
                .ifa_family = (uint8_t) family,
                .ifa_prefixlen = (uint8_t) prefix,
                .ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
                .ifa_scope = RT_SCOPE_UNIVERSE,
        };
        NetlinkStep *s;
        int r;

        s = netlink_step_new(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, &header,
                sizeof(header), "add an address to link %s", str_or_empty(name));
        if (!s)
                return b->failure;
        r = netlink_step_refer(s, name, NLMSG_HDRLEN + offsetof(struct ifaddrmsg, ifa_index));
        if (r >= 0)
                r = put_address(s->message, family, address);
        if (r >= 0 && family == AF_INET)
                r = put_broadcast(s->message, address, prefix);
        return netlink_batch_add(b, s, r);
}

NetlinkStep *netlink_step_remove_address(NetlinkBatch *b, const char *name, int family,
        const void *address, unsigned prefix, int ifindex) {
        struct ifaddrmsg header = {
                .ifa_family = (uint8_t) family,
                .ifa_prefixlen = (uint8_t) prefix,
                .ifa_index = (uint32_t) ifindex,
        };
        NetlinkStep *s;

        s = netlink_step_new(b, RTM_DELADDR, NLM_F_ACK, &header, sizeof(header),
                "remove an address from link %s", str_or_empty(name));
        if (!s)
                return NULL;
        s->fine[0] = -EADDRNOTAVAIL;
        s->fine[1] = -ENODEV;
        if (put_address(s->message, family, address) < 0) {
                (void) netlink_batch_fail(b, -ENOMEM);
                return netlink_step_free(s);
        }
        return s;
}

int netlink_address_remove(
        NetlinkBatch *b, const char *name, int family, const void *address, unsigned prefix) {
        NetlinkStep *s = netlink_step_remove_address(b, name, family, address, prefix, 0);

        return netlink_batch_add(b, s,
                s ? netlink_step_refer(
                            s, name, NLMSG_HDRLEN + offsetof(struct ifaddrmsg, ifa_index))
                  : 0);
}

static int change_route(NetlinkBatch *b, bool add, const char *name, int family,
        const void *destination, unsigned prefix, const void *gateway) {
        struct rtmsg header = {
                .rtm_family = (uint8_t) family,
                .rtm_dst_len = destination ? (uint8_t) prefix : 0,
                .rtm_table = RT_TABLE_MAIN,
                .rtm_protocol = add ? RTPROT_BOOT : RTPROT_UNSPEC,
                .rtm_scope = !add                          ? RT_SCOPE_NOWHERE
                           : family == AF_INET && !gateway ? RT_SCOPE_LINK
                                                           : RT_SCOPE_UNIVERSE,
                .rtm_type = add ? RTN_UNICAST : RTN_UNSPEC,
        };
        NetlinkStep *s;
        int r = 0;

        s = netlink_step_new(b, add ? RTM_NEWROUTE : RTM_DELROUTE,
                add ? NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK : NLM_F_ACK, &header, sizeof(header),
                "%s a route of link %s", add ? "add" : "remove", name ? name : "by gateway");
        if (!s)
                return b->failure;
        if (!add) {
                s->fine[0] = -ESRCH;
                s->fine[1] = -ENODEV;
        }
        if (destination)
                r = nla_put(s->message, RTA_DST, address_size(family), destination);
        if (r >= 0 && gateway)
                r = nla_put(s->message, RTA_GATEWAY, address_size(family), gateway);
        if (r >= 0 && name)
                r = netlink_put_index(s, RTA_OIF, name);
        return netlink_batch_add(b, s, r);
}

int netlink_route_add(NetlinkBatch *b, const char *name, int family, const void *destination,
        unsigned prefix, const void *gateway) {
        return change_route(b, /* add= */ true, name, family, destination, prefix, gateway);
}

int netlink_route_remove(NetlinkBatch *b, const char *name, int family, const void *destination,
        unsigned prefix, const void *gateway) {
        return change_route(b, /* add= */ false, name, family, destination, prefix, gateway);
}
