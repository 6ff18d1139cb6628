/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-network.h"

#include "config/settings.h"
#include "engine/container/join.h"
#include "engine/container/set.h"
#include "engine/network/networks.h"
#include "engine/network/sandbox.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define NETWORK_FILE \
        "network.json" /* below RUNROOT/containers/ID: what it has dies with the boot */
#define NETWORK_FILE_MAX ((size_t) 4 * 1024 * 1024)

const char *container_network_id(const Container *c) {
        Network *n;

        if (networks_find_mode(c->set->networks, c->spec.host.network_mode, &n, NULL) < 0)
                return NULL;
        return n->id;
}

Networks *container_networks(const Container *c) {
        return c->set->networks;
}

/* ---- what is asked ---- */

static bool names_network(const EndpointSpec *e, const Network *n) {
        return str_equal(e->network, n->name) || str_equal(e->network, n->id) ||
               str_equal(e->network_id, n->id);
}

EndpointSpec *container_endpoint_spec(const Container *c, const Network *n) {
        for (size_t i = 0; i < c->spec.n_endpoints; i++)
                if (names_network(c->spec.endpoints + i, n))
                        return c->spec.endpoints + i;
        return NULL;
}

EndpointSpec *container_endpoint_named(const Container *c, const char *network) {
        for (size_t i = 0; i < c->spec.n_endpoints; i++)
                if (str_equal(c->spec.endpoints[i].network, network) ||
                        str_equal(c->spec.endpoints[i].network_id, network))
                        return c->spec.endpoints + i;
        return NULL;
}

int container_add_endpoint_spec(
        Container *c, const EndpointSpec *wish, const char *network, const char *network_id) {
        EndpointSpec *l, copy = {};
        int r;

        if (wish)
                r = fields_copy(endpoint_spec_fields, wish, &copy);
        else
                r = 0;
        if (r >= 0)
                r = str_copy(&copy.network, network);
        if (r >= 0)
                r = str_copy(&copy.network_id, network_id);
        l = r < 0 ? NULL : realloc(c->spec.endpoints, (c->spec.n_endpoints + 1) * sizeof(*l));
        if (!l) {
                endpoint_spec_done(&copy);
                return -ENOMEM;
        }
        c->spec.endpoints = l;
        l[c->spec.n_endpoints++] = copy;
        return 0;
}

void container_remove_endpoint_spec(Container *c, EndpointSpec *e) {
        size_t at = (size_t) (e - c->spec.endpoints);

        endpoint_spec_done(e);
        c->spec.n_endpoints--;
        for (; at < c->spec.n_endpoints; at++)
                c->spec.endpoints[at] = c->spec.endpoints[at + 1];
}

static int check_address(int family, const char *text, const Network *n, Error *reterr) {
        bool asked = false;
        IpamAddress a;

        if (str_empty(text))
                return 0;
        if (ipam_parse(text, &a) < 0 || a.family != family)
                return error_set(reterr, ERROR_INVALID,
                        "invalid endpoint settings: invalid IPv%d address: %s",
                        family == AF_INET ? 4 : 6, text);
        for (size_t i = 0; i < n->n_subnets; i++) {
                IpamPrefix p = { .address = { .family = n->subnets[i].family },
                        .bits = n->subnets[i].prefix };

                if (n->subnets[i].family != family || n->subnets[i].is_chosen)
                        continue;
                asked = true;
                if (family == AF_INET)
                        p.address.four = n->subnets[i].net.address4;
                else
                        p.address.six = n->subnets[i].net.address6;
                if (ipam_contains(&p, &a))
                        return 0;
        }
        if (!asked)
                return error_set(reterr, ERROR_INVALID,
                        "invalid endpoint settings: user specified IP address is supported only "
                        "when connecting to networks with user configured subnets");
        return error_set(reterr, ERROR_INVALID,
                "invalid endpoint settings: no configured subnet or ip-range contain the IP "
                "address %s",
                text);
}

int container_check_endpoint(const EndpointSpec *e, const Network *n, Error *reterr) {
        bool fixed =
                e->ipam && (!str_empty(e->ipam->ipv4_address) || !str_empty(e->ipam->ipv6_address));
        uint8_t mac[ENDPOINT_MAC_SIZE];
        int r;

        if (!str_empty(e->mac_address) && endpoint_parse_mac(e->mac_address, mac) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid MAC address: %s", e->mac_address);
        if (n->is_default || !n->driver || !n->driver->uses_netns) {
                if (fixed)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid endpoint settings: user-specified IP address is supported "
                                "on user-defined networks only");
                if (!strv_empty(e->aliases))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid endpoint settings: network-scoped aliases are only "
                                "supported for user-defined networks");
                return 0;
        }
        if (!e->ipam)
                return 0;
        r = check_address(AF_INET, e->ipam->ipv4_address, n, reterr);
        return r < 0 ? r : check_address(AF_INET6, e->ipam->ipv6_address, n, reterr);
}

static int check_links(Container *c, Error *reterr) {
        STRV_FOREACH (link, c->spec.host.links) {
                _cleanup_(freep) char *name = NULL;
                const char *alias = strchr(*link, ':');
                Container *other;

                if (str_empty(*link))
                        return error_set(reterr, ERROR_INVALID, "empty string specified for links");
                if (alias && strchr(alias + 1, ':'))
                        return error_set(reterr, ERROR_INVALID, "bad format for links: %s", *link);
                if (str_copy_n(&name, *link, strcspn(*link, ":")) < 0)
                        return -ENOMEM;
                if (containers_find(c->set, name, &other, NULL) < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "could not get container for %s: No such container: %s", name,
                                name);
        }
        return 0;
}

/* NULL: it is not there. As with Docker that is told when the container starts; it may have been made by then. */
static int find_wished(Container *c, const char *mode, Network **ret, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = networks_find_mode(c->set->networks, mode, ret, &e);
        if (r < 0 && e.kind == ERROR_NOT_FOUND) {
                *ret = NULL;
                return 0;
        }
        error_move(reterr, &e);
        return r;
}

/* One that a user makes later is of his own kind. */
static bool is_user_defined(const Network *n) {
        return !n || n->driver->uses_netns;
}

/* Each key of the map becomes the name of a network that is there. */
static int resolve(Container *c, const Network *of_mode, Error *reterr) {
        for (size_t i = 0; i < c->spec.n_endpoints; i++) {
                EndpointSpec *e = c->spec.endpoints + i;
                Network *n;
                int r;

                r = find_wished(c, e->network, &n, reterr);
                if (r >= 0 && n)
                        r = container_check_endpoint(e, n, reterr);
                if (r >= 0 && (c->spec.n_endpoints > 1 || n != of_mode) &&
                        (!is_user_defined(n) || !is_user_defined(of_mode)))
                        r = error_set(reterr, ERROR_INVALID,
                                "conflicting options: cannot attach both user-defined and "
                                "non-user-defined network-modes");
                if (r >= 0 && n)
                        r = str_copy(&e->network, n->name);
                if (r >= 0)
                        r = str_copy(&e->network_id, n ? n->id : NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The mode's network stands first; the others stay in their order. */
static void to_front(Container *c, EndpointSpec *e) {
        EndpointSpec first = *e;

        for (; e > c->spec.endpoints; e--)
                *e = e[-1];
        *e = first;
}

int container_network_complete(Container *c, Error *reterr) {
        const char *mode = c->spec.host.network_mode;
        const SandboxWish wish = container_network_wish(c);
        EndpointSpec *e;
        Network *n;
        int r;

        r = ports_check(&wish.ports, reterr);
        if (r < 0)
                return r;
        if (join_target(mode)) {
                if (c->spec.n_endpoints > 0)
                        return error_set(reterr, ERROR_INVALID,
                                "conflicting options: cannot attach both user-defined and "
                                "non-user-defined network-modes");
                return 0;
        }
        r = find_wished(c, mode, &n, reterr);
        if (r >= 0)
                r = resolve(c, n, reterr);
        if (r < 0)
                return r;
        if (!n && c->spec.n_endpoints == 0 &&
                STR_IN_SET(str_or_empty(mode), "", "default", "bridge")) {
                c->spec.config.network_disabled = true; /* --bridge=none */
                return check_links(c, reterr);
        }
        e = n ? container_endpoint_spec(c, n) : container_endpoint_named(c, mode);
        if (!e) {
                r = container_add_endpoint_spec(c, NULL, n ? n->name : mode, n ? n->id : NULL);
                if (r < 0)
                        return r;
                e = c->spec.endpoints + c->spec.n_endpoints - 1;
        }
        to_front(c, e);
        e = c->spec.endpoints;
        if (!str_empty(c->spec.config.mac_address) && str_empty(e->mac_address)) {
                r = str_copy(&e->mac_address, c->spec.config.mac_address);
                if (r < 0)
                        return r;
        }
        if (!(n && n->is_default) && !strv_empty(c->spec.host.links) && strv_empty(e->links)) {
                r = strv_set(&e->links, c->spec.host.links);
                if (r < 0)
                        return r;
        }
        return check_links(c, reterr);
}

/* ---- start and end ---- */

SandboxWish container_network_wish(const Container *c) {
        const HostConfig *h = &c->spec.host;
        const Settings *s = c->set->settings;

        return (SandboxWish) {
                .container_id = c->id,
                .container_name = c->name,
                .hostname = c->spec.config.hostname,
                .dns = strv_empty(h->dns) ? s->dns : h->dns,
                .dns_search = strv_empty(h->dns_search) ? s->dns_search : h->dns_search,
                .dns_options = strv_empty(h->dns_options) ? s->dns_opts : h->dns_options,
                .ports = {
                        .bindings = h->port_bindings,
                        .n_bindings = h->n_port_bindings,
                        .exposed = c->spec.config.exposed_ports,
                        .publish_all = h->publish_all_ports,
                },
        };
}

/* The one that was asked for, or another that was made under its name since: then it is looked at as at a create. */
static int find_to_start(Container *c, EndpointSpec *e, Network **ret, Error *reterr) {
        Networks *s = c->set->networks;
        int r = -ENOENT;

        if (!str_empty(e->network_id))
                r = networks_find(s, e->network_id, ret, NULL);
        if (r >= 0)
                return 0;
        r = networks_find(s, e->network, ret, reterr);
        if (r < 0)
                return r;
        if (!(*ret)->driver)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "configuration network %s cannot be used by containers", (*ret)->name);
        if (sandbox_find(c->sandbox, *ret))
                return error_set(reterr, ERROR_FORBIDDEN,
                        "endpoint with name %s already exists in network %s", c->name,
                        (*ret)->name);
        r = container_check_endpoint(e, *ret, reterr);
        if (r >= 0)
                r = str_copy(&e->network, (*ret)->name);
        return r < 0 ? r : str_copy(&e->network_id, (*ret)->id);
}

int container_network_reserve(Container *c, Error *reterr) {
        const SandboxWish wish = container_network_wish(c);
        int r;

        if (c->spec.config.network_disabled || c->spec.n_endpoints == 0)
                return 0;
        assert(!c->sandbox);
        r = sandbox_new(c->set->networks, &wish, &c->sandbox);
        for (size_t i = 0; r >= 0 && i < c->spec.n_endpoints; i++) {
                EndpointSpec *e = c->spec.endpoints + i;
                Network *n;

                r = find_to_start(c, e, &n, reterr);
                if (r >= 0)
                        r = sandbox_add(c->sandbox, n, e, NULL, NULL, reterr);
        }
        if (r < 0) {
                c->sandbox = sandbox_close(c->sandbox);
                return error_prefix(reterr, r, "failed to set up container networking");
        }
        return 0;
}

void container_network_close(Container *c) {
        c->sandbox = sandbox_close(c->sandbox);
        container_connects_end(c);
}

void container_network_publish(Container *c, const char *action) {
        for (size_t i = 0; i < c->spec.n_endpoints; i++) {
                Network *n;

                if (networks_find(c->set->networks, c->spec.endpoints[i].network, &n, NULL) >= 0)
                        network_publish(n, action, c->id);
        }
}

const Endpoint *container_endpoint(const Container *c, const EndpointSpec *spec) {
        const Endpoint *e;

        if (c->sandbox && container_is_running(c))
                LIST_FOREACH (e, &c->sandbox->endpoints, by_sandbox)
                        if (e->joined && names_network(spec, e->network))
                                return e;
        return NULL;
}

/* ---- the saved form ---- */

int container_network_save(Container *c) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(fd_closep) int folder = -EBADF;
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!c->sandbox)
                return 0;
        r = sandbox_write(c->sandbox, &v);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        if (r < 0)
                return r;
        folder = file_open_dir(c->set->run_fd, c->id);
        return folder < 0 ? folder : file_write_atomic_string(folder, NETWORK_FILE, text, 0600, 0);
}

void container_network_restore(Container *c) {
        const SandboxWish wish = container_network_wish(c);
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(fd_closep) int folder = -EBADF;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (c->sandbox)
                return;
        folder = file_open_dir(c->set->run_fd, c->id);
        r = folder < 0 ? folder
                       : file_read_at(folder, NETWORK_FILE, NETWORK_FILE_MAX, &text, &size);
        if (r == -ENOENT)
                return;
        if (r >= 0)
                r = json_parse(text, size, NETWORK_FILE_MAX, &v, &e);
        if (r >= 0)
                r = sandbox_read(c->set->networks, &wish, v, &c->sandbox, &e);
        if (r < 0) {
                log_container_warning(c, 0, "What it has of networks cannot be read: %s, ignoring",
                        error_text(&e, r));
                return;
        }
        sandbox_adopt(c->sandbox);
}
