/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Netlink is one rtnetlink socket of one network namespace, in our loop. What shall be done is written into a NetlinkBatch as a list of steps,
 * each a message made by libnl-3; links are called by their names, which are looked up in the namespace when the step's turn comes. Batches of a
 * socket run one after the other, each stops at its first error.
 *
 * The kernel answers a message while it takes it, so a batch costs its system calls and hardly ever a turn of the loop; nothing here waits for an
 * answer. What the kernel takes long for, removing links, is best left to the end of their namespace (netns.h). */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Netlink Netlink;
typedef struct NetlinkBatch NetlinkBatch;
typedef struct NetlinkCall NetlinkCall;
typedef struct NetlinkLink NetlinkLink;
typedef struct sd_event sd_event;

#define NETLINK_NAME_SIZE 16 /* IFNAMSIZ: with the NUL */

/* fd: a NETLINK_ROUTE socket that was made inside another namespace, taken over in any case; -EBADF: one of our own namespace is made. */
int netlink_new(sd_event *e, int fd, Netlink **ret);
Netlink *netlink_free(Netlink *n); /* batches that did not end are forgotten, without a callback */
DEFINE_CLEANUP(Netlink *, netlink_free);
int netlink_fd(const Netlink *n) _pure_;             /* borrowed */
bool netlink_name_is_valid(const char *name) _pure_; /* may a link be called so? */

/* Once, from the loop: r < 0 and e says which step failed ("Failed to set the bridge of link veth12: No such device"). The call is gone
 * by then; n may be freed in here. NULL: nobody wants to know. */
typedef void (*netlink_done_t)(int r, const Error *e, void *userdata);

/* Runs b, which is taken in any case. -ETIMEDOUT when the kernel does not answer for 10 seconds. Negative only when out of memory; then the
 * callback does not come. holder (or NULL) gets the call and is set to NULL when the call has ended, just before the callback, so it must stay where it
 * is; until then netlink_call_free(*holder) forgets the call: the callback does not come, steps not yet sent are dropped. */
int netlink_run(
        Netlink *n, NetlinkBatch *b, netlink_done_t done, void *userdata, NetlinkCall **holder);
NetlinkCall *netlink_call_free(NetlinkCall *c);
DEFINE_CLEANUP(NetlinkCall *, netlink_call_free);

/* Removing a link keeps the kernel busy for tens of milliseconds, and whoever asked waits in the system call. A Netlink with a remover has somebody else do
 * that (netns.h): remove gets a request to be answered by netlink_removed() from the loop; forget: the answer is not wanted any more. Without one, as
 * inside of namespaces, it is done here. */
typedef struct NetlinkRemover {
        int (*remove)(const char *name, NetlinkCall *call, void *userdata);
        void (*forget)(NetlinkCall *call, void *userdata);
        void *userdata;
} NetlinkRemover;
void netlink_set_remover(Netlink *n,
        const NetlinkRemover *remover); /* NULL: none any more; nothing may be under way */
void netlink_removed(NetlinkCall *c, int r);

typedef struct NetlinkPlan NetlinkPlan;

/* The same in two namespaces, as one call: batch on netlink, then then_batch on then_netlink; if a step fails after another one was done, undo on undo_netlink (what it
 * fails in is nobody's news), and after that the callback with the first error. Batches are taken in any case; the last two may be NULL. */
struct NetlinkPlan {
        Netlink *netlink;
        NetlinkBatch *batch;
        Netlink *then_netlink;
        NetlinkBatch *then_batch;
        Netlink *undo_netlink; /* NULL: netlink */
        NetlinkBatch *undo;
};
int netlink_run_plan(
        const NetlinkPlan *p, netlink_done_t done, void *userdata, NetlinkCall **holder);

NetlinkBatch *netlink_batch_new(void); /* NULL when out of memory */
NetlinkBatch *netlink_batch_free(NetlinkBatch *b);
DEFINE_CLEANUP(NetlinkBatch *, netlink_batch_free);

/* The steps. All copy what they are given; 0, -ENOMEM, -EINVAL for a name that no link can have. What fails with -ENOMEM or -EINVAL
 * makes netlink_run() give that to the callback, so the answers need not be looked at one by one. */

/* What a new link shall be. Zeroed fields are left to the kernel. */
struct NetlinkLink {
        const char *name;
        const char *kind; /* bridge, veth, macvlan, ipvlan, vlan, dummy */
        uint32_t mtu;
        const uint8_t *mac; /* 6 bytes */
        const char *alias;  /* IFLA_IFALIAS: whose it is, for people and for a later sweep */
        const char *master; /* bridge that it becomes a port of */
        const char
                *parent;  /* macvlan, ipvlan, vlan: the link below it, in the socket's namespace */
        int ns_fd;        /* > 0: it is made in that namespace, never seen in the socket's own */
        bool up;          /* it is up at once */
        bool exist_ok;    /* one of that name and kind may be there: it is taken as it is */
        const char *peer; /* veth: name of the other end, which is down */
        const uint8_t *peer_mac;
        int peer_ns_fd;   /* > 0: where the other end is made */
        uint32_t mode;    /* macvlan: MACVLAN_MODE_*; ipvlan: IPVLAN_MODE_* */
        uint16_t flags;   /* ipvlan: IPVLAN_F_* */
        uint16_t vlan_id; /* vlan: 1 … 4094 */
};
int netlink_link_add(NetlinkBatch *b, const NetlinkLink *link);
int netlink_link_remove(NetlinkBatch *b, const char *name); /* one that is not there is fine */
int netlink_link_remove_aliased(NetlinkBatch *b, const char *name,
        const char *prefix); /* only if its alias begins so; else, or not there: fine */
int netlink_link_up(NetlinkBatch *b, const char *name);
int netlink_link_down(NetlinkBatch *b, const char *name);
int netlink_link_rename(
        NetlinkBatch *b, const char *name, const char *to); /* while it is down, or Linux >= 6.2 */
int netlink_link_mtu(NetlinkBatch *b, const char *name, uint32_t mtu);
int netlink_link_mac(NetlinkBatch *b, const char *name, const uint8_t mac[static 6]);
int netlink_link_master(NetlinkBatch *b, const char *name, const char *master); /* NULL: none */
int netlink_link_alias(NetlinkBatch *b, const char *name, const char *alias);
int netlink_link_no_local6(
        NetlinkBatch *b, const char *name); /* never gets an fe80:: address by itself */
int netlink_link_conf4(
        NetlinkBatch *b, const char *name, int conf /* IPV4_DEVCONF_* */, uint32_t value);
int netlink_port_hairpin(NetlinkBatch *b, const char *name,
        bool on); /* of a bridge's port: frames may go back where they came from */
int netlink_port_off(NetlinkBatch *b,
        const char *
                name); /* no frame in or out any more, nothing learned stays; costs nothing, unlike a removal. A link that is gone is fine */
int netlink_port_isolated(
        NetlinkBatch *b, const char *name, bool on); /* isolated ports do not see each other */

/* family AF_INET or AF_INET6, address a struct in_addr or in6_addr. IPv6 addresses are usable at once (no duplicate address detection).
 * One that is there already is fine. */
int netlink_address_add(
        NetlinkBatch *b, const char *name, int family, const void *address, unsigned prefix);
int netlink_address_remove(NetlinkBatch *b, const char *name, int family, const void *address,
        unsigned prefix); /* not there: fine */
/* Takes every address of the family off the link but that one (NULL: all), link-local IPv6 ones excepted. */
int netlink_address_only(
        NetlinkBatch *b, const char *name, int family, const void *address, unsigned prefix);

/* A route in the main table that replaces one for the same destination. destination NULL: the default. gateway NULL: on the link. name NULL: the link follows
 * from the gateway. */
int netlink_route_add(NetlinkBatch *b, const char *name, int family, const void *destination,
        unsigned prefix, const void *gateway);
/* Of that link only; not there: fine. */
int netlink_route_remove(NetlinkBatch *b, const char *name, int family, const void *destination,
        unsigned prefix, const void *gateway);

/* One of /proc/sys/net, "ipv6/conf/br0/accept_ra": only with a Netlink of our own namespace. optional: none of that name is fine (no IPv6 here). */
int netlink_sysctl(NetlinkBatch *b, const char *name, const char *value, bool optional);

/* Fails with -ENODEV (or -EEXIST) unless the link is there (is not there). */
int netlink_link_expect(NetlinkBatch *b, const char *name, bool there);
int netlink_link_expect_kind(
        NetlinkBatch *b, const char *name, const char *kind); /* -EEXIST: it is of another kind */

/* --- what is there ------------------------------------------------------------------------------------------------------------------- */

typedef struct NetlinkEntry NetlinkEntry;

/* One line of an answer; valid while the callback runs. */
struct NetlinkEntry {
        int ifindex;
        char name[NETLINK_NAME_SIZE]; /* of links and, when the kernel says it, of addresses */
        const char *kind;             /* links: "bridge", …; "" for a card */
        const char *alias;            /* links: "" without one */
        bool up;
        uint32_t mtu;
        int master; /* index, 0: none */
        int family; /* addresses and routes */
        union {
                struct in_addr four;
                struct in6_addr six;
        } address; /* of the link; destination of a route */
        unsigned prefix;
};
typedef void (*netlink_entry_t)(const NetlinkEntry *entry, void *userdata);

/* As steps of a batch: each entry comes from the loop before the batch's end is told. family AF_UNSPEC: both. */
int netlink_list_links(NetlinkBatch *b, netlink_entry_t on_entry, void *userdata);
int netlink_list_addresses(NetlinkBatch *b, int family, netlink_entry_t on_entry, void *userdata);
int netlink_list_routes(NetlinkBatch *b, int family, netlink_entry_t on_entry,
        void *userdata); /* main table, unicast */
