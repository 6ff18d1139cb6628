/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/sandbox.h"

#include <string.h>

#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "engine/network/networks-internal.h"
#include "engine/network/resolver.h"
#include "engine/network/sandbox-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

int sandbox_new(Networks *s, const SandboxWish *w, Sandbox **ret) {
        Sandbox *b;
        int r;

        assert(s);
        assert(w);

        b = new0(Sandbox, 1);
        if (!b)
                return -ENOMEM;
        b->set = s;
        list_init(&b->endpoints);
        list_append(&s->sandboxes, &b->by_set);
        b->ports_wish = w->ports;
        r = str_copy(&b->container_id, w->container_id);
        if (r >= 0)
                r = str_copy(&b->container_name, w->container_name);
        if (r >= 0)
                r = str_copy(&b->hostname, str_or_empty(w->hostname));
        if (r >= 0)
                r = strv_set(&b->dns, w->dns);
        if (r >= 0)
                r = strv_set(&b->dns_search, w->dns_search);
        if (r >= 0)
                r = strv_set(&b->dns_options, w->dns_options);
        if (r < 0) {
                sandbox_free(b);
                return r;
        }
        *ret = b;
        return 0;
}

Sandbox *sandbox_free(Sandbox *b) {
        Endpoint *e;

        if (!b)
                return NULL;

        sandbox_forget(b);
        while ((e = list_first(&b->endpoints, Endpoint, by_sandbox)))
                endpoint_free(e);
        endpoint_free(b->leaving);
        if (b->netns)
                netns_free(b->netns);
        list_remove(&b->by_set);
        port_mappings_free(b->ports);
        free(b->container_id);
        free(b->container_name);
        free(b->hostname);
        free(b->netns_id);
        free(b->netns_path);
        strv_free(b->dns);
        strv_free(b->dns_search);
        strv_free(b->dns_options);
        free(b);
        return NULL;
}

void sandbox_forget(Sandbox *b) {
        Endpoint *e;

        b->take = netns_take_free(b->take);
        b->done = NULL;
        b->joining = false;
        LIST_FOREACH (e, &b->endpoints, by_sandbox)
                e->call = netlink_call_free(e->call);
}

static void give_back_addresses(Endpoint *e) {
        const IpamAddress addresses[] = {
                { .family = e->prefix4 > 0 ? AF_INET : 0, .four = e->address4 },
                { .family = e->prefix6 > 0 ? AF_INET6 : 0, .six = e->address6 },
        };

        for (size_t k = 0; k < ARRAY_SIZE(addresses); k++) {
                IpamSubnet *s = addresses[k].family == 0
                                      ? NULL
                                      : network_subnet_of(e->network, addresses + k);

                if (s)
                        ipam_give_back(s, addresses + k);
        }
}

/* Out of the books at once, out of the kernel as the driver's leave() says. */
static int leave_begin(
        Sandbox *b, Endpoint *e, network_done_t done, void *userdata, Error *reterr) {
        Network *n = e->network;
        int r = 1;

        if (n->ground->resolver)
                resolver_drop(n->ground->resolver, e);
        sandbox_unpublish(e);
        if (e->joined && n->driver && n->driver->leave) {
                e->call = netlink_call_free(e->call);
                b->leave_waits = done && b->take; /* for the namespace, which is being opened */
                r = b->leave_waits ? 0 : n->driver->leave(n, e, b->netns, done, userdata, reterr);
        }
        give_back_addresses(e);
        return r;
}

void sandbox_take_out(Sandbox *b, Endpoint *e) {
        _cleanup_(error_done) Error error = {};
        int r;

        r = leave_begin(b, e, NULL, NULL, &error);
        if (r < 0)
                log_warning("Container %s did not leave network %s: %s, ignoring",
                        b->container_name, e->network->name, error_text(&error, r));
        endpoint_free(e);
}

Sandbox *sandbox_close(Sandbox *b) {
        const NetworkGround *g;
        Endpoint *e;

        if (!b)
                return NULL;

        g = b->set->w.ground;
        sandbox_forget(b);
        if (g->resolver)
                resolver_detach(g->resolver, b);
        if (b->netns)
                b->netns->ends = true; /* its links go with it */
        while ((e = list_first(&b->endpoints, Endpoint, by_sandbox)))
                sandbox_take_out(b, e);
        if (b->ports && g->ports)
                ports_release(g->ports, b->ports, b->n_ports);
        if (b->netns)
                netns_pool_give_back(g->pool, TAKE_PTR(b->netns));
        else if (b->netns_id && g->pool)
                netns_pool_remove(g->pool, b->netns_id);
        return sandbox_free(b);
}

static void without(Sandbox *b) {
        sandbox_choose_gateways(b);
        sandbox_reroute(b);
        (void) sandbox_publish(b, NULL);
        sandbox_tell_resolver(b);
}

void sandbox_drop(Sandbox *b, Endpoint *e) {
        sandbox_take_out(b, e);
        without(b);
}

static void on_left(int r, const Error *e, void *userdata) {
        Sandbox *b = userdata;

        b->leaving = endpoint_free(b->leaving);
        b->left(r, e, b->left_userdata);
}

void sandbox_leave_now(Sandbox *b) {
        _cleanup_(error_done) Error error = {};
        Network *n = b->leaving->network;
        int r;

        b->leave_waits = false;
        r = n->driver->leave(n, b->leaving, b->netns, on_left, b, &error);
        if (r != 0)
                on_left(r < 0 ? r : 0, &error, b);
}

int sandbox_leave(Sandbox *b, Endpoint *e, network_done_t left, void *userdata, Error *reterr) {
        int r;

        assert(!b->leaving);
        assert(left);

        r = leave_begin(b, e, on_left, b, reterr);
        if (!b->leave_waits) /* it needs its network then */
                list_remove(&e->by_network);
        list_remove(&e->by_sandbox);
        if (r == 0) {
                b->leaving = e;
                b->left = left;
                b->left_userdata = userdata;
        } else
                endpoint_free(e);
        without(b);
        return r;
}

/* ---- looking ---- */

Endpoint *sandbox_find(const Sandbox *b, const Network *n) {
        Endpoint *e;

        if (b)
                LIST_FOREACH (e, &b->endpoints, by_sandbox)
                        if (e->network == n)
                                return e;
        return NULL;
}

bool sandbox_has_names(const Sandbox *b) {
        const Endpoint *e;

        LIST_FOREACH (e, &b->endpoints, by_sandbox)
                if (e->network->driver->has_names && !e->network->is_default)
                        return true;
        return false;
}

int sandbox_rename(Sandbox *b, const char *name) {
        Endpoint *e;
        int r;

        r = str_copy(&b->container_name, name);
        LIST_FOREACH (e, &b->endpoints, by_sandbox)
                if (r >= 0)
                        r = endpoint_make_names(e);
        if (r >= 0)
                sandbox_tell_resolver(b);
        return r;
}

/* ---- the namespace ---- */

static void on_taken(int r, Netns *ns, const Error *e, void *userdata) {
        Sandbox *b = userdata;

        b->take = NULL;
        b->netns = ns;
        if (r >= 0)
                r = str_copy(&b->netns_id, ns->id);
        if (r >= 0)
                r = str_copy(&b->netns_path, ns->path);
        sandbox_tell_done(b, r, e);
}

int sandbox_open(Sandbox *b, network_done_t done, void *userdata, Error *reterr) {
        const NetworkGround *g = b->set->w.ground;
        bool needed = false;
        const Endpoint *e;
        int r;

        r = sandbox_reserve_ports(b, reterr);
        if (r < 0)
                return r;
        LIST_FOREACH (e, &b->endpoints, by_sandbox)
                needed = needed || e->network->driver->uses_netns;
        if (!needed || b->netns)
                return 1;
        if (!g->pool)
                return error_set(reterr, ERROR_INTERNAL,
                        "the engine has no right to make network namespaces");
        r = networks_start_pool(b->set, /* at_once= */ true);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to prepare network namespaces");
        b->done = done;
        b->userdata = userdata;
        return netns_pool_take(g->pool, on_taken, b, &b->take);
}

/* ---- the saved form ---- */

int sandbox_write(const Sandbox *b, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const Endpoint *e;
        Json *list;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Netns", str_or_empty(b->netns_id));
        if (r >= 0)
                r = json_set_text(v, "NetnsPath", str_or_empty(b->netns_path));
        if (r >= 0)
                r = json_set_new_list(v, "Endpoints", &list);
        LIST_FOREACH (e, &b->endpoints, by_sandbox) {
                _cleanup_(json_unrefp) Json *one = NULL;

                if (r >= 0)
                        r = endpoint_write(e, &one);
                if (r >= 0)
                        r = json_append(list, one);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}

/* What it has is taken in the books as well; another one cannot have it, unless somebody wrote into our files. */
static void take_again(Endpoint *e) {
        const IpamAddress addresses[] = {
                { .family = e->prefix4 > 0 ? AF_INET : 0, .four = e->address4 },
                { .family = e->prefix6 > 0 ? AF_INET6 : 0, .six = e->address6 },
        };

        for (size_t k = 0; k < ARRAY_SIZE(addresses); k++) {
                IpamSubnet *s = addresses[k].family == 0
                                      ? NULL
                                      : network_subnet_of(e->network, addresses + k);
                char text[IPAM_TEXT_SIZE];

                if (addresses[k].family != 0 && (!s || ipam_take(s, addresses + k, NULL) < 0))
                        log_warning(
                                "Address %s of container %s is not free in network %s, ignoring",
                                ipam_format(addresses + k, text), e->sandbox->container_name,
                                e->network->name);
        }
}

static int add_ports(Sandbox *b, const Endpoint *e) {
        PortMapping *l;

        if (e->n_ports == 0)
                return 0;
        l = realloc(b->ports, (b->n_ports + e->n_ports) * sizeof(*l));
        if (!l)
                return -ENOMEM;
        memcpy(l + b->n_ports, e->ports, e->n_ports * sizeof(*l));
        b->ports = l;
        b->n_ports += e->n_ports;
        return 0;
}

int sandbox_read(Networks *s, const SandboxWish *w, Json *v, Sandbox **ret, Error *reterr) {
        Sandbox *b;
        const char *key;
        Json *one;
        int r;

        r = sandbox_new(s, w, &b);
        if (r < 0)
                return r;
        if (!str_empty(json_get_text(v, "Netns"))) {
                r = str_copy(&b->netns_id, json_get_text(v, "Netns"));
                if (r >= 0)
                        r = str_copy(&b->netns_path, json_get_text(v, "NetnsPath"));
        }
        JSON_FOREACH (key, one, json_get(v, "Endpoints")) {
                Network *n;
                Endpoint *e;

                if (r < 0)
                        break;
                if (networks_find(s, str_or_empty(json_get_text(one, "NetworkID")), &n, NULL) < 0) {
                        log_warning("A network of container %s is not there any more, ignoring",
                                b->container_name);
                        continue;
                }
                r = endpoint_read(one, n, b, &e, reterr);
                if (r < 0)
                        break;
                e->joined = true;
                take_again(e);
                r = add_ports(b, e);
        }
        if (r < 0) {
                sandbox_free(b);
                return r;
        }
        *ret = b;
        return 0;
}
