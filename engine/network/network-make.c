/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/core/pending.h"
#include "engine/network/firewall.h"
#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "engine/network/networks-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define NETWORKS_MAX 10000U

/* ---- what stands on the host ---- */

void network_forget_call(Network *n) {
        n->call = netlink_call_free(n->call);
        n->pending = pending_unref(n->pending);
        n->busy = false;
        n->why = mfree(n->why);
}

static void unmake(Network *n) {
        if (n->ground->firewall)
                firewall_remove_network(n->ground->firewall, n->id);
        (void) hashmap_remove_value(n->set->by_name, n->name, n);
        network_free(n);
}

/* A new one is seen from here on, or never was. */
static void end_first(Network *n, int r, const Error *e) {
        _cleanup_(pending_unrefp) Pending *p = TAKE_PTR(n->pending);
        _cleanup_(error_done) Error error = {};
        Networks *s = n->set;

        if (r >= 0)
                r = networks_add(s, n);
        if (r < 0) {
                (void) error_copy(&error, e);
                (void) error_set_errno(&error, r, "Failed to create network %s", n->name);
                (void) network_forget_file(n);
                unmake(n);
                pending_complete(p, r, NULL, &error);
                return;
        }
        n->is_new = false;
        network_publish(n, "create", NULL);
        pending_complete(p, 0, n, NULL);
}

static void on_made(int r, const Error *e, void *userdata) {
        Network *n = userdata;

        n->call = netlink_call_free(n->call);
        n->busy = false;
        n->ready = r >= 0;
        (void) str_copy(&n->why, r < 0 ? error_text(e, r) : NULL);
        if (n->is_new) {
                end_first(n, r, e);
                return;
        }
        if (r < 0)
                log_warning("Network %s cannot be used: %s, ignoring", n->name, n->why);
        sandboxes_proceed(n->set, n);
}

/* 0: under way, on_made() is called; 1: it is there. */
int network_make(Network *n, Error *reterr) {
        Firewall *f = n->ground->firewall;
        int r = 1;

        assert(!n->busy);

        if (f && streq(n->driver->name, "bridge")) {
                r = firewall_add_network(f, n, reterr);
                if (r < 0)
                        return r;
                r = 1;
        }
        if (n->driver->create) {
                if (!n->ground->netlink)
                        return error_set(reterr, ERROR_INTERNAL,
                                "the engine has no right to make network links");
                r = n->driver->create(n, on_made, n, reterr);
        }
        n->busy = r == 0;
        n->ready = r > 0;
        return r;
}

void networks_start(Networks *s) {
        Network *n;

        LIST_FOREACH (n, &s->by_age, by_age) {
                _cleanup_(error_done) Error e = {};
                int r;

                if (!n->driver || n->ready || n->busy)
                        continue;
                r = network_make(n, &e);
                if (r >= 0)
                        continue;
                (void) str_copy(&n->why, error_text(&e, r));
                log_warning("Network %s cannot be used: %s, ignoring", n->name, n->why);
        }
}

int networks_start_pool(Networks *s, bool at_once) {
        const Network *n;

        LIST_FOREACH (n, &s->by_age, by_age)
                at_once = at_once || (n->driver && n->driver->uses_netns);
        if (!at_once || s->pool_runs || !s->w.ground->pool)
                return 0;
        s->pool_runs = true;
        return netns_pool_start(s->w.ground->pool);
}

/* ---- create ---- */

static int complete_from(Networks *s, NetworkSpec *spec, Error *reterr) {
        Network *from;
        int r;

        if (str_empty(spec->config_from))
                return 0;
        r = networks_find(s, spec->config_from, &from, NULL);
        if (r < 0)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "configuration network \"%s\" does not exist", spec->config_from);
        if (!from->spec.config_only)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "network configuration specified is not a configuration network: %s",
                        from->name);
        if (spec->ipam.n_configs > 0 || pairs_count(spec->options) > 0 || spec->internal ||
                spec->enable_ipv6 > 0)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "user specified configurations are not supported if the network depends "
                        "on a configuration network");
        ipam_spec_done(&spec->ipam);
        r = ipam_spec_copy(&from->spec.ipam, &spec->ipam);
        if (r >= 0)
                r = pairs_merge(&spec->options, from->spec.options, /* replace= */ false);
        spec->internal = from->spec.internal;
        spec->enable_ipv4 = from->spec.enable_ipv4;
        spec->enable_ipv6 = from->spec.enable_ipv6;
        return r;
}

static int check_name(Networks *s, const NetworkSpec *spec, Error *reterr) {
        const char *name = str_or_empty(spec->name);

        if (strspn(name, " \t") == strlen(name))
                return error_set(reterr, ERROR_INVALID, "invalid name: name is empty");
        if (STR_IN_SET(name, "bridge", "host", "none", "default"))
                return error_set(reterr, ERROR_FORBIDDEN,
                        "operation is not permitted on predefined %s network ", name);
        if (!network_name_is_valid(name))
                return error_set(reterr, ERROR_INVALID,
                        "invalid name: \"%s\": no blanks at its ends, no control characters, at "
                        "most %zu bytes",
                        name, NETWORK_NAME_MAX);
        if (hashmap_contains(s->by_name, name))
                return error_set(reterr, ERROR_EXISTS, "network with name %s already exists", name);
        if (hashmap_size(s->by_name) >= NETWORKS_MAX)
                return error_set(
                        reterr, ERROR_INVALID, "there are %u networks already", NETWORKS_MAX);
        return 0;
}

static int check_kind(const NetworkSpec *spec, Error *reterr) {
        const char *driver = spec->driver;
        const NetworkDriver *d = network_driver_find(driver);

        if (spec->ingress)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "ingress network can only be global scope network");
        if (str_equal(spec->scope, "swarm"))
                return error_set(reterr, ERROR_FORBIDDEN,
                        "cannot create a swarm scoped network when swarm is not active");
        if (!STR_IN_SET(str_or_empty(spec->scope), "", "local"))
                return error_set(reterr, ERROR_INVALID, "invalid network scope: %s", spec->scope);
        if (!STR_IN_SET(str_or_empty(spec->ipam.driver), "", "default", "null"))
                return error_set(reterr, ERROR_NOT_FOUND,
                        "error looking up IPAM plugin %s: plugin \"%s\" not found",
                        spec->ipam.driver, spec->ipam.driver);
        if (spec->config_only)
                return 0;
        if (str_equal(driver, "overlay"))
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker "
                        "swarm join\" to connect this node to swarm and try again.");
        if (!d)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "error looking up network plugin %s: plugin \"%s\" not found", driver,
                        driver);
        if (!d->may_be_made)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "only one instance of \"%s\" network is allowed", driver);
        return 0;
}

static int set_defaults(Networks *s, NetworkSpec *spec) {
        int r;

        if (str_empty(spec->driver)) {
                r = str_copy(&spec->driver, "bridge");
                if (r < 0)
                        return r;
        }
        if (str_empty(spec->ipam.driver)) {
                r = str_copy(&spec->ipam.driver, "default");
                if (r < 0)
                        return r;
        }
        r = str_empty(spec->scope) ? str_copy(&spec->scope, "local") : 0;
        STRV_FOREACH (option, (char **) s->w.defaults.options) {
                const char *rest = str_starts(*option, spec->driver);
                _cleanup_(freep) char *key = NULL, *value = NULL;

                if (r < 0)
                        return r;
                if (!rest || *rest != '=' || str_split_pair(rest + 1, '=', &key, &value) < 0 ||
                        pairs_get(spec->options, key))
                        continue;
                r = pairs_set(&spec->options, key, value);
        }
        if (r >= 0 && !spec->options)
                spec->options = strv_copy(NULL);
        if (r >= 0 && !spec->labels)
                spec->labels = strv_copy(NULL);
        return spec->options && spec->labels ? r : -ENOMEM;
}

static int prepare(Networks *s, NetworkSpec *spec, Network **ret, Error *reterr) {
        _cleanup_(network_freep) Network *n = NULL;
        char id[IDENT_SIZE];
        int r;

        r = check_name(s, spec, reterr);
        if (r >= 0)
                r = set_defaults(s, spec);
        if (r >= 0)
                r = check_kind(spec, reterr);
        if (r >= 0)
                r = complete_from(s, spec, reterr);
        if (r >= 0)
                r = network_check_ipam(spec, reterr);
        if (r < 0)
                return r;
        if (spec->enable_ipv4 < 0)
                spec->enable_ipv4 = true;
        if (spec->enable_ipv6 < 0)
                spec->enable_ipv6 = false;
        if (!spec->enable_ipv4 && !spec->enable_ipv6 && !spec->config_only)
                return error_set(reterr, ERROR_INVALID, "IPv4 or IPv6 must be enabled");

        r = network_new(ident_random(id), spec, &n);
        if (r < 0)
                return r;
        n->set = s;
        n->ground = s->w.ground;
        n->created_ns = clock_realtime_ns();
        n->ipv4 = spec->enable_ipv4;
        n->ipv6 = spec->enable_ipv6;
        if (!spec->config_only) {
                n->driver = network_driver_find(spec->driver);
                r = network_read_options(n, reterr);
                if (r >= 0 && n->driver->check)
                        r = n->driver->check(n, reterr);
                if (r >= 0 && n->driver->has_ipam)
                        r = network_take_subnets(n, reterr);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(n);
        return 0;
}

static int bridge_is_taken(Networks *s, const Network *n, Error *reterr) {
        const Network *other;

        if (!n->bridge[0])
                return 0;
        HASHMAP_FOREACH (other, s->by_name)
                if (streq(other->bridge, n->bridge))
                        return error_set(reterr, ERROR_FORBIDDEN,
                                "cannot create network %s (%s): conflicts with network %s (%s): "
                                "networks have same bridge name",
                                n->id, n->bridge, other->id, other->bridge);
        return 0;
}

int networks_create(Networks *s, NetworkSpec *spec, Pending *p, Error *reterr) {
        _cleanup_(network_freep) Network *n = NULL;
        int r;

        assert(s);
        assert(spec);
        assert(p);

        r = prepare(s, spec, &n, reterr);
        if (r >= 0)
                r = bridge_is_taken(s, n, reterr);
        if (r >= 0)
                r = hashmap_put(s->by_name, n->name, n);
        if (r < 0)
                return r;
        /* Saved first: a daemon that is killed now makes it again, and leaves no bridge that is nobody's. */
        r = network_save(n);
        if (r < 0)
                (void) error_set_errno(reterr, r, "Failed to save network %s", n->name);
        else if (n->driver) {
                n->is_new = true;
                r = network_make(n, reterr);
        } else
                r = 1;
        if (r < 0) {
                (void) network_forget_file(n);
                unmake(TAKE_PTR(n));
                return r;
        }

        network_spec_done(spec);
        network_spec_init(spec);
        n->pending = pending_ref(p);
        if (r > 0)
                end_first(n, 0, NULL);
        TAKE_PTR(n);
        return 0;
}
