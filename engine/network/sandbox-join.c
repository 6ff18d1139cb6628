/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "engine/network/firewall.h"
#include "engine/network/networks-internal.h"
#include "engine/network/resolver.h"
#include "engine/network/sandbox-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

void sandbox_tell_done(Sandbox *b, int r, const Error *e) {
        network_done_t done = TAKE_PTR(b->done);

        if (done)
                done(r, e, b->userdata);
}

/* ---- which one leads out ---- */

static bool leads_out(const Endpoint *e, int family) {
        if (e->network->spec.internal)
                return false;
        return family == AF_INET ? e->prefix4 > 0 && e->gateway4.s_addr != 0
                                 : e->prefix6 > 0 && !IN6_IS_ADDR_UNSPECIFIED(&e->gateway6);
}

/* As Docker has it: priority, both families before one, then by name. */
static int compare(const Endpoint *a, const Endpoint *b) {
        unsigned na = leads_out(a, AF_INET) + leads_out(a, AF_INET6);
        unsigned nb = leads_out(b, AF_INET) + leads_out(b, AF_INET6);

        if (a->gateway_priority != b->gateway_priority)
                return a->gateway_priority > b->gateway_priority ? -1 : 1;
        if (na != nb)
                return na > nb ? -1 : 1;
        return strcmp(a->network->name, b->network->name);
}

static Endpoint *best(Sandbox *b, int family) {
        Endpoint *e, *found = NULL;

        LIST_FOREACH (e, &b->endpoints, by_sandbox)
                if (leads_out(e, family) && (!found || compare(e, found) < 0))
                        found = e;
        return found;
}

void sandbox_choose_gateways(Sandbox *b) {
        const Endpoint *four = best(b, AF_INET), *six = best(b, AF_INET6);
        Endpoint *e;

        LIST_FOREACH (e, &b->endpoints, by_sandbox) {
                e->default4 = e == four;
                e->default6 = e == six;
        }
}

static void on_rerouted(int r, const Error *error, void *userdata) {
        Endpoint *e = userdata;

        e->call = netlink_call_free(e->call);
        if (r < 0)
                log_warning("Container %s has no way out through network %s: %s, ignoring",
                        e->sandbox->container_name, e->network->name, error_text(error, r));
}

void sandbox_reroute(Sandbox *b) {
        Endpoint *e;

        if (!b->netns)
                return;
        LIST_FOREACH (e, &b->endpoints, by_sandbox) {
                _cleanup_(error_done) Error error = {};
                int r;

                if (!e->joined || e->call || !(e->default4 || e->default6) ||
                        !e->network->driver->route)
                        continue;
                r = e->network->driver->route(e->network, e, b->netns, on_rerouted, e, &error);
                if (r < 0)
                        on_rerouted(r, &error, e);
        }
}

/* ---- ports ---- */

static Endpoint *port_endpoint(Sandbox *b, int family) {
        Endpoint *e, *found = NULL;

        LIST_FOREACH (e, &b->endpoints, by_sandbox) {
                if (!e->network->driver->has_ports || !leads_out(e, family))
                        continue;
                if (family == AF_INET ? e->default4 : e->default6)
                        return e;
                if (!found || compare(e, found) < 0)
                        found = e;
        }
        return found;
}

static bool is_routed(const Endpoint *e, const char *option) {
        return e && str_equal(network_option(e->network, option), "routed");
}

static int prefix_error(const Endpoint *e, int r, Error *reterr) {
        return error_prefix(reterr, r,
                "driver failed programming external connectivity on endpoint %s (%s)",
                e->sandbox->container_name, e->ident);
}

int sandbox_reserve_ports(Sandbox *b, Error *reterr) {
        const NetworkGround *g = b->set->w.ground;
        Endpoint *four = port_endpoint(b, AF_INET), *six = port_endpoint(b, AF_INET6);
        const Endpoint *first = four ?: six;
        PortsWish *w = &b->ports_wish;
        int r;

        if (!g->ports || !first || b->ports || (w->n_bindings == 0 && !w->publish_all))
                return 0;
        w->has4 = four != NULL;
        w->has6 = six && (!g->firewall || firewall_has_ipv6(g->firewall));
        w->routed4 = is_routed(four, NETWORK_OPTION_GATEWAY_MODE4);
        w->routed6 = is_routed(six, NETWORK_OPTION_GATEWAY_MODE6);
        w->default_ip = network_option(first->network, NETWORK_OPTION_HOST_BINDING);
        if (STR_IN_SET(str_or_empty(w->default_ip), "0.0.0.0", "::"))
                w->default_ip = NULL;
        r = ports_reserve(g->ports, w, &b->ports, &b->n_ports, reterr);
        return r < 0 ? prefix_error(first, r, reterr) : 0;
}

void sandbox_unpublish(Endpoint *e) {
        Firewall *f = e->network->ground->firewall;

        if (f && TAKE(e->published, false))
                firewall_unpublish(f, e->ident);
        e->ports = port_mappings_free(e->ports);
        e->n_ports = 0;
}

/* Those of b that lead to e. */
static int collect(const Sandbox *b, const Endpoint *e, const Endpoint *four, const Endpoint *six,
        PortMapping **ret, size_t *ret_n) {
        PortMapping *l = new0(PortMapping, b->n_ports + 1);
        size_t n = 0;

        if (!l)
                return -ENOMEM;
        for (size_t i = 0; i < b->n_ports; i++)
                if ((b->ports[i].family == AF_INET ? four : six) == e)
                        l[n++] = b->ports[i];
        *ret = l;
        *ret_n = n;
        return 0;
}

int sandbox_publish(Sandbox *b, Error *reterr) {
        const Endpoint *four = port_endpoint(b, AF_INET), *six = port_endpoint(b, AF_INET6);
        Endpoint *e;

        LIST_FOREACH (e, &b->endpoints, by_sandbox) {
                Firewall *f = e->network->ground->firewall;
                PortMapping *l;
                size_t n;
                int r;

                if (!e->joined || !e->network->driver->has_ports)
                        continue;
                r = collect(b, e, four, six, &l, &n);
                if (r < 0)
                        return r;
                port_mappings_free(e->ports);
                e->ports = l;
                e->n_ports = n;
                if (!f || (n == 0 && !e->published))
                        continue;
                r = firewall_publish(f, e, l, n, reterr);
                if (r < 0)
                        return prefix_error(e, r, reterr);
                e->published = true;
        }
        return 0;
}

void sandbox_tell_resolver(Sandbox *b) {
        Resolver *resolver = b->set->w.ground->resolver;
        int r;

        if (!resolver || !b->netns)
                return;
        r = resolver_attach(resolver, b);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Container %s cannot be told names: %m, ignoring", b->container_name);
}

/* ---- join ---- */

static int finish_join(Sandbox *b, Error *reterr) {
        int r;

        b->joining = false;
        sandbox_reroute(b);
        r = sandbox_publish(b, reterr);
        if (r >= 0)
                sandbox_tell_resolver(b);
        return r;
}

/* An adoption goes on. */
static void join_forget(Sandbox *b) {
        Endpoint *e;

        b->done = NULL;
        b->joining = false;
        LIST_FOREACH (e, &b->endpoints, by_sandbox) {
                e->call = netlink_call_free(e->call);
                e->joining = false;
        }
}

static void join_failed(Sandbox *b, int r, const Error *error) {
        _cleanup_(error_done) Error copy = {};
        network_done_t done = b->done;
        void *userdata = b->userdata;

        (void) error_copy(&copy, error);
        join_forget(b);
        if (done)
                done(r, &copy, userdata);
}

static bool is_under_way(const Sandbox *b) {
        const Endpoint *e;

        LIST_FOREACH (e, &b->endpoints, by_sandbox)
                if (!e->joined || e->joining)
                        return true;
        return false;
}

static void join_check_end(Sandbox *b) {
        _cleanup_(error_done) Error error = {};
        int r;

        if (!b->joining || is_under_way(b))
                return;
        r = finish_join(b, &error);
        sandbox_tell_done(b, r, &error);
}

static int join_all(Sandbox *b, Error *reterr);

static void on_joined(int r, const Error *error, void *userdata) {
        _cleanup_(error_done) Error next = {};
        Endpoint *e = userdata;
        Sandbox *b = e->sandbox;

        e->call = netlink_call_free(e->call);
        e->joining = false;
        if (r >= 0 && b->joining) {
                r = join_all(b, &next); /* those that waited for this one */
                error = &next;
        }
        if (r < 0)
                join_failed(b, r, error);
        else
                join_check_end(b);
}

/* A namespace has one switch that says whether new links have IPv6: who wants it the other way waits for those under way. */
static bool must_wait(const Sandbox *b, const Endpoint *e) {
        const Endpoint *other;

        LIST_FOREACH (other, &b->endpoints, by_sandbox)
                if (other->joining && (other->prefix6 > 0) != (e->prefix6 > 0))
                        return true;
        return false;
}

/* 0: under way; 1: it is in. */
static int join_one(Sandbox *b, Endpoint *e, Error *reterr) {
        Network *n = e->network;
        int r = 1;

        if (e->joined)
                return 1;
        if (!n->ready && !n->busy) {
                r = network_make(n, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "network %s cannot be used", n->name);
        }
        if (!n->ready)
                return 0; /* sandboxes_proceed() */
        if (must_wait(b, e))
                return 0; /* on_joined() */
        if (n->driver->uses_netns && n->driver->join && !b->netns) {
                if (b->take)
                        return 0; /* on_adopted() */
                return error_set(reterr, ERROR_INTERNAL,
                        "the network namespace of container %s is lost", b->container_name);
        }
        e->joined = true;
        if (n->driver->join)
                r = n->driver->join(n, e, b->netns, on_joined, e, reterr);
        e->joining = r == 0;
        return r;
}

static int join_all(Sandbox *b, Error *reterr) {
        bool wait = false;
        Endpoint *e;

        LIST_FOREACH (e, &b->endpoints, by_sandbox) {
                int r = e->joining ? 0 : join_one(b, e, reterr);

                if (r < 0)
                        return r;
                wait = wait || r == 0;
        }
        return !wait;
}

int sandbox_join(Sandbox *b, network_done_t done, void *userdata, Error *reterr) {
        int r;

        b->done = done;
        b->userdata = userdata;
        b->joining = true;
        r = join_all(b, reterr);
        if (r > 0)
                r = finish_join(b, reterr);
        else if (r == 0)
                return 0;
        join_forget(b);
        return r < 0 ? r : 1;
}

void sandboxes_proceed(Networks *s, Network *n) {
        Sandbox *b;

        LIST_FOREACH_SAFE (b, &s->sandboxes, by_set) {
                _cleanup_(error_done) Error error = {};
                int r;

                if (!b->joining || !sandbox_find(b, n))
                        continue;
                if (n->ready)
                        r = join_all(b, &error);
                else
                        r = error_set(&error, ERROR_INTERNAL, "network %s cannot be used: %s",
                                n->name, str_or_empty(n->why));
                if (r < 0)
                        join_failed(b, r, &error);
                else
                        join_check_end(b);
        }
}

/* ---- after a restart of the daemon ---- */

static void go_on_adopted(Sandbox *b) {
        _cleanup_(error_done) Error error = {};
        int r;

        if (b->leave_waits)
                sandbox_leave_now(b);
        if (!b->joining)
                return;
        r = join_all(b, &error);
        if (r < 0)
                join_failed(b, r, &error);
        else
                join_check_end(b);
}

static void on_adopted(int r, Netns *ns, const Error *error, void *userdata) {
        Sandbox *b = userdata;

        b->take = NULL;
        b->netns = ns;
        if (r < 0)
                log_warning("The network namespace of container %s is lost: %s, ignoring",
                        b->container_name, error_text(error, r));
        else
                sandbox_tell_resolver(b);
        go_on_adopted(b);
}

void sandbox_adopt(Sandbox *b) {
        const NetworkGround *g = b->set->w.ground;
        _cleanup_(error_done) Error error = {};
        int udp = -EBADF, tcp = -EBADF, r;

        if (g->ports && b->n_ports > 0) {
                r = ports_adopt(g->ports, b->ports, b->n_ports);
                if (r < 0)
                        (void) log_warning_errno(r,
                                "Ports of container %s are not ours any more: %m, ignoring",
                                b->container_name);
        }
        r = sandbox_publish(b, &error);
        if (r < 0)
                log_warning("Ports of container %s are not published: %s, ignoring",
                        b->container_name, error_text(&error, r));
        if (!b->netns_id || !g->pool)
                return;
        if (g->resolver)
                resolver_adopt(g->resolver, b, &udp, &tcp);
        r = netns_pool_adopt(g->pool, b->netns_id, udp, tcp, on_adopted, b, &b->take);
        if (r < 0)
                on_adopted(r, NULL, NULL, b);
}
