/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The name server that containers in user-defined networks see at 127.0.0.11. It answers what their networks know and asks the host's name
 * servers (or those of --dns) the rest, from the host's network namespace, unless all networks of the container are internal.
 *
 * Two things come together here: what is there to be asked for (legs: one for each container in each network that has names), and who asks
 * (seats: the pair of sockets inside a container's namespace). A container may have a leg long before it has a seat, and sees only the
 * networks in which it has a leg itself. Nothing here waits, whatever a container sends or an upstream server leaves out. Owned by Engine. */

#include <netinet/in.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Endpoint Endpoint;
typedef struct FdStore FdStore;
typedef struct Resolver Resolver;
typedef struct ResolverLeg ResolverLeg;
typedef struct Sandbox Sandbox;
typedef struct sd_event sd_event;

#define RESOLVER_ADDRESS "127.0.0.11" /* the only line "nameserver" in such a container */

/* Borrowed for the call. */
struct ResolverLeg {
        const char *endpoint_id;
        const char *container_id;
        const char *network_id;
        const char *network_name;   /* "web.mynet" is the same as "web" in mynet */
        const char *container_name; /* an address is answered with "container.network" */
        char *const *names;         /* further ones: aliases, short id, host name */
        char *const *links;         /* "container:alias", seen by this container only */
        struct in_addr address4;    /* zero: none */
        struct in6_addr address6;   /* zero: none */
        int priority;               /* of several networks that know a name the greatest answers */
        bool internal;              /* the network leads nowhere */
};

/* resolv_conf: the host's file, followed as it changes; NULL: /etc/resolv.conf. store is borrowed; NULL: none. */
int resolver_new(sd_event *e, FdStore *store, const char *resolv_conf, Resolver **ret);
Resolver *resolver_free(Resolver *r); /* kept sockets stay kept */
DEFINE_CLEANUP(Resolver *, resolver_free);

/* The leg answers from now on. One with the same endpoint_id is replaced (a rename, new aliases). -ENOMEM, then nothing changed. */
int resolver_add_leg(Resolver *r, const ResolverLeg *leg);
void resolver_remove_leg(Resolver *r, const char *endpoint_id); /* one that is not there is fine */

/* Serves the sockets of a container; both fds are taken in any case. They are bound inside of its namespace and do not block; whatever their port,
 * the container's 127.0.0.11:53 leads there. keep_name: under it they are kept over a restart of the daemon; NULL: they are not. dns: the
 * addresses of --dns (the container's, else the daemon's); empty: the host's. Served already: only dns is taken over. */
int resolver_serve(Resolver *r, const char *container_id, int udp_fd, int tcp_fd,
        const char *keep_name, char *const *dns);
void resolver_leave(Resolver *r, const char *container_id); /* one that is not there is fine */
bool resolver_serves(const Resolver *r, const char *container_id) _pure_;

/* What the process before us has kept under the name; -EBADF each when that is not both of them. */
void resolver_take_kept(Resolver *r, const char *keep_name, int *ret_udp_fd, int *ret_tcp_fd);

/* --- the same for the network of a container (resolver-sandbox.c) --- */

/* The sandbox has its namespace: its endpoints answer, and it is served if one of its networks has names. Again after each change: an endpoint that
 * has come, other names, --dns. Takes the sockets out of Netns when it serves them. */
int resolver_attach(Resolver *r, Sandbox *b);
void resolver_drop(Resolver *r, const Endpoint *e);  /* before it goes */
void resolver_detach(Resolver *r, const Sandbox *b); /* before the namespace goes */
/* After a restart of the daemon, before netns_pool_adopt(), which gets the copies: its endpoints answer, and it is served at once by the sockets that
 * were kept. -EBADF each when they were not. */
void resolver_adopt(Resolver *r, Sandbox *b, int *ret_udp_fd, int *ret_tcp_fd);
