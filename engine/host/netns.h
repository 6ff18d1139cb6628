/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Network namespaces of containers: each pinned at RUNROOT/netns/<12 digits> and prepared by a stauer-worker, which makes several at once: lo is up, a
 * NETLINK_ROUTE socket is open inside, and so are the resolver's sockets at 127.0.0.11 (ports that the kernel chose: port 53 stays the
 * container's own; an nftables rule inside, table "ip stauer-dns", leads 127.0.0.11:53 there). IPv6 is off for new links until a driver turns it on.
 *
 * NetnsPool keeps a few ready, so that a start takes one without waiting. A namespace serves one container and is never used again. It is known by its id
 * (64 hex digits, Docker's SandboxID), which whoever took it saves; after a restart of the daemon it is found again by that. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/ident.h"
#include "lib/base/macro.h"

typedef struct Launcher Launcher;
typedef struct Netlink Netlink;
typedef struct Netns Netns;
typedef struct NetnsPool NetnsPool;
typedef struct NetnsTake NetnsTake;
typedef struct sd_event sd_event;

struct Netns {
        char id[IDENT_SIZE]; /* SandboxID */
        char *path;          /* SandboxKey: RUNROOT/netns/<first 12 digits of id> */
        int fd;              /* of the namespace, for links that are made in it */
        Netlink *inside;
        int dns_udp_fd; /* bound, non-blocking; whoever serves them may take them (TAKE_FD) */
        int dns_tcp_fd; /* listens, non-blocking */
        int ipv6_fd; /* net.ipv6.conf.default.disable_ipv6 of the namespace, see netns_allow_ipv6() */
        bool ends; /* its container has ended: what is inside goes with it, nothing need be taken down one by one */
};

/* run_root: RUNROOT. Nothing is prepared before netns_pool_start(). */
int netns_pool_new(sd_event *e, Launcher *launcher, const char *run_root, NetnsPool **ret);
NetnsPool *netns_pool_free(NetnsPool *
                p); /* what containers have stays, what is in the pool is removed by the next daemon */
DEFINE_CLEANUP(NetnsPool *, netns_pool_free);

/* Fills the pool, and sweeps pins that nobody took, adopted or reserved: after all containers were restored. */
int netns_pool_start(NetnsPool *p);

/* Once, from the loop. ns is the caller's until he gives it back; NULL when r < 0. */
typedef void (*netns_taken_t)(int r, Netns *ns, const Error *e, void *userdata);

/* Ready ones go out in the next turn of the loop, else the caller waits for a worker (30 s at most). Freeing the NetnsTake before the callback gives up; in the callback
 * it is gone. */
int netns_pool_take(NetnsPool *p, netns_taken_t taken, void *userdata, NetnsTake **ret);
NetnsTake *netns_take_free(NetnsTake *t);
DEFINE_CLEANUP(NetnsTake *, netns_take_free);

/* One that a container has had since before this daemon. The resolver's sockets, if they were kept (else -EBADF: made anew, the rule follows), are taken over in any
 * case. -ENOENT: it is no more. Until netns_pool_start() they are only collected, then one worker opens all. */
int netns_pool_adopt(NetnsPool *p, const char *id, int dns_udp_fd, int dns_tcp_fd,
        netns_taken_t taken, void *userdata, NetnsTake **ret);

/* Its container has ended: in the next quiet moment closes what is ours (what was asked of its Netlink before is still done), and a worker unpins it; the kernel then
 * takes down what is inside, and with it the host's ends of its links, at its leisure. ns is not the caller's any more. */
void netns_pool_give_back(NetnsPool *p, Netns *ns);
/* The same for one that was never adopted. */
void netns_pool_remove(NetnsPool *p, const char *id);

/* Lets go of what this daemon holds of it; the namespace stays with its container (the daemon ends). */
Netns *netns_free(Netns *ns);

/* Links of the host that a Netlink is to remove are removed by a worker (netlink_set_remover()). The pool must outlive n's calls. */
void netns_pool_serve(NetnsPool *p, Netlink *n);

/* Links made from now on in ns have IPv6, or have not. */
int netns_allow_ipv6(Netns *ns, bool allow);
