/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdio.h>

#include "engine/host/netns.h"
#include "engine/network/network.h"
#include "engine/network/resolver.h"
#include "engine/network/sandbox.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"

#define KEEP_NAME_SIZE (STRLEN("n") + IDENT_SHORT_SIZE)

/* A namespace is never used twice, so the name stands for these two sockets only. */
static const char *keep_name(const Sandbox *b, char ret[static KEEP_NAME_SIZE]) {
        if (!b->netns_id)
                return NULL;
        (void) snprintf(ret, KEEP_NAME_SIZE, "n%.*s", (int) IDENT_SHORT_LENGTH, b->netns_id);
        return ret;
}

static bool has_names(const Network *n) {
        return n->driver && n->driver->has_names && !n->is_default;
}

/* A network without names (the default one) is of interest all the same: it may lead outside. */
static int add_endpoint(Resolver *r, const Sandbox *b, const Endpoint *e) {
        ResolverLeg leg = {
                .endpoint_id = e->ident,
                .container_id = b->container_id,
                .network_id = e->network->id,
                .network_name = e->network->name,
                .priority = (int) CLAMP(e->gateway_priority, (int64_t) INT_MIN, (int64_t) INT_MAX),
                .internal = e->network->spec.internal,
        };

        if (has_names(e->network)) {
                leg.container_name = b->container_name;
                leg.names = e->dns_names;
                leg.links = e->links;
                if (e->prefix4 > 0)
                        leg.address4 = e->address4;
                if (e->prefix6 > 0)
                        leg.address6 = e->address6;
        }
        return resolver_add_leg(r, &leg);
}

int resolver_attach(Resolver *r, Sandbox *b) {
        char name[KEEP_NAME_SIZE];
        bool serve = false;
        Endpoint *e;
        int k;

        assert(r);
        assert(b);

        LIST_FOREACH (e, &b->endpoints, by_sandbox) {
                k = add_endpoint(r, b, e);
                if (k < 0)
                        return k;
                if (has_names(e->network))
                        serve = true;
        }
        if (!serve || !b->netns)
                return 0;
        return resolver_serve(r, b->container_id, TAKE_FD(b->netns->dns_udp_fd),
                TAKE_FD(b->netns->dns_tcp_fd), keep_name(b, name), b->dns);
}

void resolver_drop(Resolver *r, const Endpoint *e) {
        assert(r);
        assert(e);

        resolver_remove_leg(r, e->ident);
}

void resolver_detach(Resolver *r, const Sandbox *b) {
        Endpoint *e;

        assert(r);
        assert(b);

        LIST_FOREACH (e, &b->endpoints, by_sandbox)
                resolver_remove_leg(r, e->ident);
        resolver_leave(r, b->container_id);
}

void resolver_adopt(Resolver *r, Sandbox *b, int *ret_udp_fd, int *ret_tcp_fd) {
        _cleanup_(fd_closep) int udp = -EBADF, tcp = -EBADF;
        char buffer[KEEP_NAME_SIZE];
        const char *name = keep_name(b, buffer);
        int k;

        assert(r);
        assert(b);

        *ret_udp_fd = *ret_tcp_fd = -EBADF;
        if (name)
                resolver_take_kept(r, name, &udp, &tcp);
        k = resolver_attach(r, b);
        if (udp < 0 || k < 0)
                return;
        *ret_udp_fd = fd_dup(udp);
        *ret_tcp_fd = fd_dup(tcp);
        if (*ret_udp_fd >= 0 && *ret_tcp_fd >= 0)
                k = resolver_serve(r, b->container_id, TAKE_FD(udp), TAKE_FD(tcp), name, b->dns);
        else
                k = -EMFILE;
        if (k >= 0)
                return;
        *ret_udp_fd = fd_close(*ret_udp_fd);
        *ret_tcp_fd = fd_close(*ret_tcp_fd);
}
