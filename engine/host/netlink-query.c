/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps that ask: lists, expectations, and "only this address". What the answers say is read here. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "engine/host/netlink-internal.h"
#include "lib/base/str.h"

static struct nlattr *find_attribute(const struct nlmsghdr *h, int header_size, int type) {
        return nlmsg_valid_hdr(h, header_size)
                     ? nlmsg_find_attr((struct nlmsghdr *) h, header_size, type)
                     : NULL;
}

/* The text of an attribute, which the kernel ends with a NUL; "" without one. */
static const char *get_text(const struct nlattr *a) {
        return a && nla_len(a) > 0 && memchr(nla_data(a), 0, (size_t) nla_len(a)) ? nla_data(a)
                                                                                  : "";
}

static uint32_t get_number(const struct nlattr *a) {
        return a && nla_len(a) >= (int) sizeof(uint32_t) ? nla_get_u32(a) : 0;
}

static void get_address(const struct nlattr *a, NetlinkEntry *ret) {
        size_t size =
                ret->family == AF_INET6 ? sizeof(ret->address.six) : sizeof(ret->address.four);

        if (a && (size_t) nla_len(a) >= size)
                memcpy(&ret->address, nla_data(a), size);
}

static const char *link_kind(const struct nlmsghdr *h) {
        struct nlattr *info = find_attribute(h, sizeof(struct ifinfomsg), IFLA_LINKINFO);

        return info ? get_text(nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND)) : "";
}

static bool read_link(const struct nlmsghdr *h, NetlinkEntry *ret) {
        const struct ifinfomsg *header = nlmsg_data(h);
        const int size = sizeof(*header);

        if (h->nlmsg_type != RTM_NEWLINK || !nlmsg_valid_hdr(h, size))
                return false;

        *ret = (NetlinkEntry) {
                .ifindex = header->ifi_index,
                .kind = link_kind(h),
                .alias = get_text(find_attribute(h, size, IFLA_IFALIAS)),
                .up = header->ifi_flags & IFF_UP,
                .mtu = get_number(find_attribute(h, size, IFLA_MTU)),
                .master = (int) get_number(find_attribute(h, size, IFLA_MASTER)),
        };
        strncpy(ret->name, get_text(find_attribute(h, size, IFLA_IFNAME)), sizeof(ret->name) - 1);
        return true;
}

static bool read_address(const struct nlmsghdr *h, NetlinkEntry *ret) {
        const struct ifaddrmsg *header = nlmsg_data(h);
        struct nlattr *a;
        const int size = sizeof(*header);

        if (h->nlmsg_type != RTM_NEWADDR || !nlmsg_valid_hdr(h, size) ||
                (header->ifa_family != AF_INET && header->ifa_family != AF_INET6))
                return false;

        *ret = (NetlinkEntry) {
                .ifindex = (int) header->ifa_index,
                .kind = "",
                .alias = "",
                .family = header->ifa_family,
                .prefix = header->ifa_prefixlen,
        };
        a = find_attribute(h, size, IFA_LOCAL);
        get_address(a ? a : find_attribute(h, size, IFA_ADDRESS), ret);
        strncpy(ret->name, get_text(find_attribute(h, size, IFA_LABEL)), sizeof(ret->name) - 1);
        return true;
}

static bool read_route(const struct nlmsghdr *h, NetlinkEntry *ret) {
        const struct rtmsg *header = nlmsg_data(h);
        const int size = sizeof(*header);

        if (h->nlmsg_type != RTM_NEWROUTE || !nlmsg_valid_hdr(h, size) ||
                header->rtm_type != RTN_UNICAST || header->rtm_table != RT_TABLE_MAIN ||
                (header->rtm_family != AF_INET && header->rtm_family != AF_INET6))
                return false;

        *ret = (NetlinkEntry) {
                .kind = "",
                .alias = "",
                .family = header->rtm_family,
                .prefix = header->rtm_dst_len,
                .ifindex = (int) get_number(find_attribute(h, size, RTA_OIF)),
        };
        get_address(find_attribute(h, size, RTA_DST), ret);
        return true;
}

static bool read_entry(const struct nlmsghdr *h, NetlinkEntry *ret) {
        return read_link(h, ret) || read_address(h, ret) || read_route(h, ret);
}

static int on_list(NetlinkBatch *b, NetlinkStep *s, const struct nlmsghdr *h) {
        NetlinkEntry e;

        if (read_entry(h, &e) && (s->family == AF_UNSPEC || e.family == s->family))
                s->on_entry(&e, s->userdata);
        return 0;
}

static int add_list(NetlinkBatch *b, uint16_t type, int family, const char *what,
        netlink_entry_t on_entry, void *userdata) {
        union {
                struct ifinfomsg link;
                struct ifaddrmsg address;
                struct rtmsg route;
        } header = {};
        size_t size = type == RTM_GETLINK ? sizeof(header.link)
                    : type == RTM_GETADDR ? sizeof(header.address)
                                          : sizeof(header.route);
        NetlinkStep *s;

        assert(on_entry);

        header.link.ifi_family = (uint8_t) family; /* the first byte of each */
        s = netlink_step_new(b, type, NLM_F_DUMP, &header, size, "list %s", what);
        if (s) {
                s->on_message = on_list;
                s->on_entry = on_entry;
                s->userdata = userdata;
                s->family = family;
        }
        return netlink_batch_add(b, s, 0);
}

int netlink_list_links(NetlinkBatch *b, netlink_entry_t on_entry, void *userdata) {
        return add_list(b, RTM_GETLINK, AF_UNSPEC, "links", on_entry, userdata);
}

int netlink_list_addresses(NetlinkBatch *b, int family, netlink_entry_t on_entry, void *userdata) {
        return add_list(b, RTM_GETADDR, family, "addresses", on_entry, userdata);
}

int netlink_list_routes(NetlinkBatch *b, int family, netlink_entry_t on_entry, void *userdata) {
        return add_list(b, RTM_GETROUTE, family, "routes", on_entry, userdata);
}

static int on_expected(NetlinkBatch *b, NetlinkStep *s, const struct nlmsghdr *h) {
        return s->kind && !streq(link_kind(h), s->kind) ? -EEXIST : 0;
}

static int on_unexpected(NetlinkBatch *b, NetlinkStep *s, const struct nlmsghdr *h) {
        return -EEXIST;
}

static int add_question(NetlinkBatch *b, const char *name, const char *kind, bool there) {
        struct ifinfomsg header = {};
        NetlinkStep *s;
        int r;

        s = netlink_step_new(b, RTM_GETLINK, NLM_F_ACK, &header, sizeof(header), "%s %s %s",
                there ? "find" : "take the name of", kind ? kind : "link", str_or_empty(name));
        if (!s)
                return b->failure;
        s->on_message = there ? on_expected : on_unexpected;
        if (!there)
                s->fine[0] = -ENODEV;
        r = netlink_name_is_valid(name) ? nla_put_string(s->message, IFLA_IFNAME, name) : -EINVAL;
        if (r >= 0 && kind)
                r = str_copy(&s->kind, kind);
        return netlink_batch_add(b, s, r);
}

int netlink_link_expect(NetlinkBatch *b, const char *name, bool there) {
        return add_question(b, name, NULL, there);
}

int netlink_link_expect_kind(NetlinkBatch *b, const char *name, const char *kind) {
        return add_question(b, name, kind, /* there= */ true);
}

static int on_removed(NetlinkBatch *b, NetlinkStep *s, const struct nlmsghdr *h) {
        NetlinkStep *gone;
        NetlinkEntry e;
        struct ifinfomsg header = {};

        if (!read_link(h, &e) || !str_starts(e.alias, s->value))
                return 0;
        header.ifi_index = e.ifindex;
        gone = netlink_step_new(
                b, RTM_DELLINK, NLM_F_ACK, &header, sizeof(header), "remove link %s", e.name);
        if (!gone)
                return b->failure;
        gone->renames = gone->removes = true;
        gone->fine[0] = -ENODEV;
        return netlink_batch_insert(b, s, gone, str_copy(&gone->value, e.name));
}

int netlink_link_remove_aliased(NetlinkBatch *b, const char *name, const char *prefix) {
        struct ifinfomsg header = {};
        NetlinkStep *s;
        int r;

        s = netlink_step_new(b, RTM_GETLINK, NLM_F_ACK, &header, sizeof(header), "find link %s",
                str_or_empty(name));
        if (!s)
                return b->failure;
        s->fine[0] = -ENODEV;
        s->on_message = on_removed;
        r = netlink_name_is_valid(name) ? nla_put_string(s->message, IFLA_IFNAME, name) : -EINVAL;
        if (r >= 0)
                r = str_copy(&s->value, prefix);
        return netlink_batch_add(b, s, r);
}

static bool is_kept(const NetlinkStep *s, const NetlinkEntry *e) {
        size_t size = s->family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);

        if (s->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&e->address.six))
                return true;
        return s->keeps && e->prefix == s->keep_prefix && memcmp(&e->address, &s->keep, size) == 0;
}

/* Each address that must go becomes a step of its own, behind the list. */
static int on_address(NetlinkBatch *b, NetlinkStep *s, const struct nlmsghdr *h) {
        NetlinkStep *gone;
        NetlinkEntry e;

        if (!read_address(h, &e) || e.family != s->family || e.ifindex != s->ifindex ||
                is_kept(s, &e))
                return 0;
        gone = netlink_step_remove_address(
                b, s->refs[0].name, e.family, &e.address, e.prefix, e.ifindex);
        return netlink_batch_insert(b, s, gone, 0);
}

int netlink_address_only(
        NetlinkBatch *b, const char *name, int family, const void *address, unsigned prefix) {
        struct ifaddrmsg header = { .ifa_family = (uint8_t) family };
        NetlinkStep *s;

        s = netlink_step_new(b, RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header),
                "list addresses of link %s", str_or_empty(name));
        if (!s)
                return b->failure;
        s->on_message = on_address;
        s->family = family;
        s->keeps = address;
        s->keep_prefix = prefix;
        if (address)
                memcpy(&s->keep, address,
                        family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr));
        /* The index is for us (netlink.c notes it in s->ifindex); in the message it asks for this link only, where the kernel cares. */
        return netlink_batch_add(b, s,
                netlink_step_refer(s, name, NLMSG_HDRLEN + offsetof(struct ifaddrmsg, ifa_index)));
}
