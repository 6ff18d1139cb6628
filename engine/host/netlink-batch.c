/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps that change something: each is one message, written here without knowing any link's index. Pure. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/host/netlink-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"

#define MESSAGE_ROOM 1024U /* the largest, a veth pair, has some 300 bytes */

NetlinkStep *netlink_step_free(NetlinkStep *s) {
        if (!s)
                return NULL;

        list_remove(&s->node);
        if (s->message)
                nlmsg_free(s->message);
        free(s->what);
        free(s->kind);
        free(s->sysctl);
        free(s->value);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(NetlinkStep *, netlink_step_free);

NetlinkBatch *netlink_batch_new(void) {
        NetlinkBatch *b = new0(NetlinkBatch, 1);

        if (b)
                list_init(&b->steps);
        return b;
}

NetlinkBatch *netlink_batch_free(NetlinkBatch *b) {
        NetlinkStep *s;

        if (!b)
                return NULL;

        LIST_FOREACH_SAFE (s, &b->steps, node)
                netlink_step_free(s);
        free(b);
        return NULL;
}

/* As the kernel's dev_valid_name(). */
bool netlink_name_is_valid(const char *name) {
        return !str_empty(name) && strlen(name) < NETLINK_NAME_SIZE && !streq(name, ".") &&
               !streq(name, "..") && !strpbrk(name, "/: \t\n\v\f\r");
}

int netlink_batch_fail(NetlinkBatch *b, int r) {
        if (b->failure >= 0)
                b->failure = r;
        return r;
}

NetlinkStep *netlink_step_new(NetlinkBatch *b, uint16_t type, uint16_t flags, const void *header,
        size_t size, const char *what, ...) {
        _cleanup_(netlink_step_freep) NetlinkStep *s = NULL;
        va_list ap;
        int n;

        assert(b);

        s = new0(NetlinkStep, 1);
        if (!s) {
                (void) netlink_batch_fail(b, -ENOMEM);
                return NULL;
        }

        va_start(ap, what);
        n = vasprintf(&s->what, what, ap);
        va_end(ap);
        if (n < 0)
                s->what = NULL;

        s->message = nlmsg_alloc_size(MESSAGE_ROOM);
        if (!s->what || !s->message ||
                !nlmsg_put(s->message, 0, 0, type, 0, NLM_F_REQUEST | flags) ||
                nlmsg_append(s->message, (void *) header, size, NLMSG_ALIGNTO) < 0) {
                (void) netlink_batch_fail(b, -ENOMEM);
                return NULL;
        }
        return TAKE_PTR(s);
}

int netlink_step_refer(NetlinkStep *s, const char *name, size_t offset) {
        NetlinkRef *ref = s->refs + s->n_refs;

        assert(s->n_refs < NETLINK_REFS_MAX);

        if (!netlink_name_is_valid(name))
                return -EINVAL;
        strcpy(ref->name, name);
        ref->offset = offset;
        s->n_refs++;
        return 0;
}

int netlink_batch_add(NetlinkBatch *b, NetlinkStep *s, int r) {
        if (!s)
                return b->failure;
        if (r < 0) {
                netlink_step_free(s);
                return netlink_batch_fail(b, r == -EINVAL ? r : -ENOMEM);
        }
        list_append(&b->steps, &s->node);
        return 0;
}

int netlink_batch_insert(NetlinkBatch *b, NetlinkStep *after, NetlinkStep *s, int r) {
        int q = netlink_batch_add(b, s, r);

        if (q < 0)
                return q;
        list_remove(&s->node);
        list_insert_before(after->node.next, &s->node);
        return 0;
}

int netlink_put_index(NetlinkStep *s, int type, const char *name) {
        int r = nla_put_u32(s->message, type, 0);

        if (r < 0)
                return r;
        return netlink_step_refer(s, name, nlmsg_hdr(s->message)->nlmsg_len - sizeof(uint32_t));
}

static int put_name(struct nl_msg *m, const char *name) {
        return netlink_name_is_valid(name) ? nla_put_string(m, IFLA_IFNAME, name) : -EINVAL;
}

/* --- new links -------------------------------------------------------------------------------------------------------------------------- */

static int put_peer(struct nl_msg *m, const NetlinkLink *link) {
        struct ifinfomsg header = {}; /* not up: the kernel has not tied the two together yet */
        struct nlattr *peer;
        int r;

        peer = nla_nest_start(m, VETH_INFO_PEER);
        if (!peer)
                return -ENOMEM;
        r = nlmsg_append(m, &header, sizeof(header), NLMSG_ALIGNTO);
        if (r >= 0)
                r = put_name(m, link->peer);
        if (r >= 0 && link->mtu > 0)
                r = nla_put_u32(m, IFLA_MTU, link->mtu);
        if (r >= 0 && link->peer_mac)
                r = nla_put(m, IFLA_ADDRESS, 6, link->peer_mac);
        if (r >= 0 && link->peer_ns_fd > 0)
                r = nla_put_u32(m, IFLA_NET_NS_FD, (uint32_t) link->peer_ns_fd);
        if (r >= 0)
                r = nla_nest_end(m, peer);
        return r;
}

static int put_macvlan(struct nl_msg *m, const NetlinkLink *link) {
        return nla_put_u32(m, IFLA_MACVLAN_MODE, link->mode);
}

static int put_ipvlan(struct nl_msg *m, const NetlinkLink *link) {
        int r = nla_put_u16(m, IFLA_IPVLAN_MODE, (uint16_t) link->mode);

        return r < 0 ? r : nla_put_u16(m, IFLA_IPVLAN_FLAGS, link->flags);
}

static int put_vlan(struct nl_msg *m, const NetlinkLink *link) {
        return nla_put_u16(m, IFLA_VLAN_ID, link->vlan_id);
}

static int put_kind(struct nl_msg *m, const NetlinkLink *link) {
        static const struct {
                const char *kind;
                int (*put)(struct nl_msg *m, const NetlinkLink *link);
        } kinds[] = {
                { "bridge", NULL },
                { "dummy", NULL },
                { "ipvlan", put_ipvlan },
                { "macvlan", put_macvlan },
                { "veth", put_peer },
                { "vlan", put_vlan },
        };
        struct nlattr *info, *data;
        size_t i = 0;
        int r;

        while (i < ARRAY_SIZE(kinds) && !streq(kinds[i].kind, link->kind))
                i++;
        if (i == ARRAY_SIZE(kinds))
                return -EINVAL;

        info = nla_nest_start(m, IFLA_LINKINFO);
        if (!info)
                return -ENOMEM;
        r = nla_put_string(m, IFLA_INFO_KIND, link->kind);
        if (r >= 0 && kinds[i].put) {
                data = nla_nest_start(m, IFLA_INFO_DATA);
                r = data ? kinds[i].put(m, link) : -ENOMEM;
                if (r >= 0)
                        r = nla_nest_end(m, data);
        }
        return r < 0 ? r : nla_nest_end(m, info);
}

int netlink_link_add(NetlinkBatch *b, const NetlinkLink *link) {
        struct ifinfomsg header = {};
        NetlinkStep *s;
        int r;

        assert(b);
        assert(link && link->kind);
        assert(streq(link->kind, "veth") == !!link->peer);

        if (link->up)
                header.ifi_flags = header.ifi_change = IFF_UP;
        s = netlink_step_new(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &header,
                sizeof(header), "add link %s (%s)", str_or_empty(link->name), link->kind);
        if (!s)
                return b->failure;

        s->renames = true;
        if (link->exist_ok)
                s->fine[0] = -EEXIST;
        r = put_name(s->message, link->name);
        if (r >= 0 && link->mtu > 0)
                r = nla_put_u32(s->message, IFLA_MTU, link->mtu);
        if (r >= 0 && link->mac)
                r = nla_put(s->message, IFLA_ADDRESS, 6, link->mac);
        if (r >= 0 && link->ns_fd > 0)
                r = nla_put_u32(s->message, IFLA_NET_NS_FD, (uint32_t) link->ns_fd);
        if (r >= 0 && link->master)
                r = netlink_put_index(s, IFLA_MASTER, link->master);
        if (r >= 0 && link->parent)
                r = netlink_put_index(s, IFLA_LINK, link->parent);
        if (r >= 0)
                r = put_kind(s->message, link);
        r = netlink_batch_add(b, s, r);
        if (r < 0)
                return r;

        if (link->exist_ok) {
                r = netlink_link_expect_kind(b, link->name, link->kind);
                if (r < 0)
                        return r;
        }
        return link->alias ? netlink_link_alias(b, link->name, link->alias) : 0;
}

/* --- links that are there ------------------------------------------------------------------------------------------------------------- */

/* A message about the link of that name; flags as for ifinfomsg. */
static NetlinkStep *change_link(NetlinkBatch *b, uint16_t type, const char *name, unsigned flags,
        unsigned change, const char *what) {
        struct ifinfomsg header = { .ifi_flags = flags, .ifi_change = change };
        NetlinkStep *s;

        s = netlink_step_new(
                b, type, NLM_F_ACK, &header, sizeof(header), "%s %s", what, str_or_empty(name));
        if (s && put_name(s->message, name) < 0) {
                netlink_step_free(s);
                (void) netlink_batch_fail(b, -EINVAL);
                return NULL;
        }
        return s;
}

int netlink_link_remove(NetlinkBatch *b, const char *name) {
        NetlinkStep *s = change_link(b, RTM_DELLINK, name, 0, 0, "remove link");

        if (!s)
                return b->failure;
        s->fine[0] = -ENODEV;
        s->renames = s->removes = true;
        return netlink_batch_add(b, s, str_copy(&s->value, name));
}

int netlink_link_up(NetlinkBatch *b, const char *name) {
        return netlink_batch_add(
                b, change_link(b, RTM_NEWLINK, name, IFF_UP, IFF_UP, "bring up link"), 0);
}

int netlink_link_down(NetlinkBatch *b, const char *name) {
        return netlink_batch_add(
                b, change_link(b, RTM_NEWLINK, name, 0, IFF_UP, "bring down link"), 0);
}

/* Two names in one message are not possible: the old one becomes an index first. */
int netlink_link_rename(NetlinkBatch *b, const char *name, const char *to) {
        struct ifinfomsg header = {};
        NetlinkStep *s;
        int r;

        s = netlink_step_new(b, RTM_NEWLINK, NLM_F_ACK, &header, sizeof(header),
                "rename link %s to %s", str_or_empty(name), str_or_empty(to));
        if (!s)
                return b->failure;
        s->renames = true;
        r = netlink_step_refer(s, name, NLMSG_HDRLEN + offsetof(struct ifinfomsg, ifi_index));
        if (r >= 0)
                r = put_name(s->message, to);
        return netlink_batch_add(b, s, r);
}

int netlink_link_mtu(NetlinkBatch *b, const char *name, uint32_t mtu) {
        NetlinkStep *s = change_link(b, RTM_NEWLINK, name, 0, 0, "set the MTU of link");

        return netlink_batch_add(b, s, s ? nla_put_u32(s->message, IFLA_MTU, mtu) : 0);
}

int netlink_link_mac(NetlinkBatch *b, const char *name, const uint8_t mac[static 6]) {
        NetlinkStep *s = change_link(b, RTM_NEWLINK, name, 0, 0, "set the address of link");

        return netlink_batch_add(b, s, s ? nla_put(s->message, IFLA_ADDRESS, 6, mac) : 0);
}

int netlink_link_alias(NetlinkBatch *b, const char *name, const char *alias) {
        NetlinkStep *s = change_link(b, RTM_NEWLINK, name, 0, 0, "set the alias of link");

        return netlink_batch_add(b, s, s ? nla_put_string(s->message, IFLA_IFALIAS, alias) : 0);
}

int netlink_link_master(NetlinkBatch *b, const char *name, const char *master) {
        NetlinkStep *s = change_link(b, RTM_NEWLINK, name, 0, 0, "set the bridge of link");
        int r = 0;

        if (s)
                r = master ? netlink_put_index(s, IFLA_MASTER, master)
                           : nla_put_u32(s->message, IFLA_MASTER, 0);
        return netlink_batch_add(b, s, r);
}

/* IFLA_AF_SPEC { family { type: value } }: what /proc/sys/net has for one link, as far as the kernel takes it here. */
static int put_family(
        struct nl_msg *m, int family, int type, const void *value, size_t size, int inner) {
        struct nlattr *spec, *af, *nest = NULL;
        int r;

        spec = nla_nest_start(m, IFLA_AF_SPEC);
        af = spec ? nla_nest_start(m, family) : NULL;
        if (!af)
                return -ENOMEM;
        if (inner > 0) {
                nest = nla_nest_start(m, type);
                if (!nest)
                        return -ENOMEM;
        }
        r = nla_put(m, inner > 0 ? inner : type, (int) size, value);
        if (r >= 0 && nest)
                r = nla_nest_end(m, nest);
        if (r >= 0)
                r = nla_nest_end(m, af);
        return r < 0 ? r : nla_nest_end(m, spec);
}

int netlink_link_no_local6(NetlinkBatch *b, const char *name) {
        static const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
        NetlinkStep *s = change_link(b, RTM_NEWLINK, name, 0, 0, "turn off IPv6 addresses of link");

        if (!s)
                return b->failure;
        s->fine[0] = -EAFNOSUPPORT; /* no IPv6 at all, here or in this kernel */
        return netlink_batch_add(b, s,
                put_family(s->message, AF_INET6, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode), 0));
}

int netlink_link_conf4(NetlinkBatch *b, const char *name, int conf, uint32_t value) {
        NetlinkStep *s = change_link(b, RTM_NEWLINK, name, 0, 0, "configure IPv4 of link");

        return netlink_batch_add(b, s,
                s ? put_family(s->message, AF_INET, IFLA_INET_CONF, &value, sizeof(value), conf)
                  : 0);
}

/* IFLA_LINKINFO { IFLA_INFO_SLAVE_DATA { type: value } } */
static int put_port(struct nl_msg *m, int type, uint8_t value, bool flush) {
        struct nlattr *info, *data;
        int r;

        info = nla_nest_start(m, IFLA_LINKINFO);
        if (!info || nla_put_string(m, IFLA_INFO_SLAVE_KIND, "bridge") < 0)
                return -ENOMEM;
        data = nla_nest_start(m, IFLA_INFO_SLAVE_DATA);
        r = data ? nla_put_u8(m, type, value) : -ENOMEM;
        if (r >= 0 && flush)
                r = nla_put(m, IFLA_BRPORT_FLUSH, 0, NULL);
        if (r >= 0)
                r = nla_nest_end(m, data);
        return r < 0 ? r : nla_nest_end(m, info);
}

static int change_port(NetlinkBatch *b, const char *name, int type, bool on) {
        NetlinkStep *s = change_link(b, RTM_NEWLINK, name, 0, 0, "configure bridge port");

        return netlink_batch_add(b, s, s ? put_port(s->message, type, on, /* flush= */ false) : 0);
}

int netlink_port_hairpin(NetlinkBatch *b, const char *name, bool on) {
        return change_port(b, name, IFLA_BRPORT_MODE, on);
}

int netlink_port_off(NetlinkBatch *b, const char *name) {
        NetlinkStep *s = change_link(b, RTM_NEWLINK, name, 0, 0, "close bridge port");

        if (!s)
                return b->failure;
        s->fine[0] = -ENODEV;
        s->fine[1] = -EOPNOTSUPP; /* it is on no bridge any more */
        return netlink_batch_add(b, s,
                put_port(s->message, IFLA_BRPORT_STATE, BR_STATE_DISABLED, /* flush= */ true));
}

int netlink_port_isolated(NetlinkBatch *b, const char *name, bool on) {
        return change_port(b, name, IFLA_BRPORT_ISOLATED, on);
}

/* --- sysctls ---------------------------------------------------------------------------------- */

int netlink_sysctl(NetlinkBatch *b, const char *name, const char *value, bool optional) {
        NetlinkStep *s = new0(NetlinkStep, 1);
        int r;

        assert(b);

        if (!s)
                return netlink_batch_fail(b, -ENOMEM);
        if (optional)
                s->fine[0] = -ENOENT;
        r = str_printf(&s->sysctl, "/proc/sys/net/%s", name);
        if (r >= 0)
                r = str_printf(&s->what, "set /proc/sys/net/%s to %s", name, value);
        if (r >= 0)
                r = str_copy(&s->value, value);
        return netlink_batch_add(b, s, r);
}
