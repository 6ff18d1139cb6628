/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Sandbox is the network of one container while it runs (or starts): its namespace and its endpoints. Owned by the Container.
 *
 *      start     sandbox_new, sandbox_add for each network, sandbox_open (namespace), sandbox_join (links, ports), … sandbox_close
 *      restart   of the daemon: sandbox_read, sandbox_adopt, … sandbox_close
 *
 * Addresses and ports are reserved by sandbox_add() and sandbox_open(), in memory; sandbox_write() is what is saved of it all. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/network/driver.h"
#include "engine/network/endpoint.h"
#include "engine/network/ports.h"
#include "lib/base/list.h"

typedef struct EndpointSpec EndpointSpec;
typedef struct Json Json;
typedef struct NetnsTake NetnsTake;
typedef struct Networks Networks;

/* All borrowed from the container, which outlives its sandbox. */
typedef struct SandboxWish {
        const char *container_id;
        const char *container_name;
        const char *hostname;
        char *const *dns; /* of --dns…: the container's, else the daemon's; empty: the host's */
        char *const *dns_search;
        char *const *dns_options;
        PortsWish ports; /* bindings, exposed, publish_all; the rest is filled here */
} SandboxWish;

struct Sandbox {
        Networks *set;
        ListNode by_set;
        char *container_id;
        char *container_name; /* follows a rename */
        char *hostname;       /* of the container's config: a name too */
        char **dns;           /* servers, search and options of --dns… ; NULL: the host's */
        char **dns_search;
        char **dns_options;
        char *netns_id; /* of the namespace that it has, or had before the daemon's restart */
        char *netns_path;
        Netns *netns;   /* NULL: not taken yet, or it has none */
        List endpoints; /* in the order in which they were connected */

        PortsWish ports_wish;
        PortMapping *ports; /* all; each endpoint has those that lead to it */
        size_t n_ports;

        NetnsTake *take;
        network_done_t done; /* of what is under way */
        void *userdata;
        bool joining;

        Endpoint *leaving; /* its link is being taken away; in no list any more */
        bool leave_waits;  /* until the namespace is adopted */
        network_done_t left;
        void *left_userdata;
};

int sandbox_new(Networks *s, const SandboxWish *w, Sandbox **ret);

/* Everything goes: links, rules, ports, addresses, the namespace. What takes time goes on by itself. NULL is fine. */
Sandbox *sandbox_close(Sandbox *b);
/* The daemon ends, the container runs on: nothing is taken away. */
Sandbox *sandbox_free(Sandbox *b);
DEFINE_CLEANUP(Sandbox *, sandbox_close);

/* Reserves addresses. mac: NULL or "": wish's, or a random one. ERROR_FORBIDDEN "Address already in use". */
int sandbox_add(Sandbox *b, Network *n, const EndpointSpec *wish, const char *mac, Endpoint **ret,
        Error *reterr);

/* As the ops of a driver (driver.h): reserves the ports, then a namespace is taken, if there is an endpoint that needs one. */
int sandbox_open(Sandbox *b, network_done_t done, void *userdata, Error *reterr);
/* Links and publishes what is not yet. After an error: sandbox_close(), or sandbox_drop() of the one that was added. */
int sandbox_join(Sandbox *b, network_done_t done, void *userdata, Error *reterr);
/* What is under way is not told any more. */
void sandbox_forget(Sandbox *b);

/* Takes one endpoint of a running container away and frees it; what takes time goes on by itself. */
void sandbox_drop(Sandbox *b, Endpoint *e);
/* The same; left comes when the link is gone. As the ops of a driver: 0 under way, 1 gone already, negative: only the link may still be
 * there. One at a time. */
int sandbox_leave(Sandbox *b, Endpoint *e, network_done_t left, void *userdata, Error *reterr);

Endpoint *sandbox_find(const Sandbox *b, const Network *n);
/* Does the resolver serve it: is it in a network that has names? */
bool sandbox_has_names(const Sandbox *b);
int sandbox_rename(Sandbox *b, const char *name);

/* The saved form. Networks that are not there any more are left out, with a word in the journal. */
int sandbox_write(const Sandbox *b, Json **ret);
int sandbox_read(Networks *s, const SandboxWish *w, Json *v, Sandbox **ret, Error *reterr);
/* Its container runs: the namespace, ports and rules that it has are ours again, from the loop. */
void sandbox_adopt(Sandbox *b);
