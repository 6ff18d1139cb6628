/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-network.h"
#include "engine/container/join.h"
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "engine/network/networks.h"
#include "engine/network/sandbox.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

void container_connects_forget(Container *c) {
        c->network_change = pending_unref(c->network_change);
        c->network_new = NULL;
}

static int check_mode(const Container *c, const Network *n, bool connect, Error *reterr) {
        const char *mode = str_or_empty(c->spec.host.network_mode);

        if (join_target(mode))
                return error_set(reterr, ERROR_INVALID,
                        "container sharing network namespace with another container or host "
                        "cannot be connected to any other network");
        if (streq(mode, "host") || streq(n->name, "host"))
                return error_set(reterr, ERROR_INVALID,
                        "cannot %s container %s host network - container must be created in host "
                        "network mode",
                        connect ? "connect" : "disconnect", connect ? "to" : "from");
        if (connect && c->spec.n_endpoints > 0 && (streq(mode, "none") || streq(n->name, "none")))
                return error_set(reterr, ERROR_INVALID,
                        "container cannot be connected to multiple networks with one of the "
                        "networks in private (none) mode");
        if (connect && !n->driver)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "configuration network %s cannot be used by containers", n->name);
        return 0;
}

static int busy(const Container *c, Error *reterr) {
        if (c->state == CONTAINER_REMOVING || c->remove)
                return error_set(reterr, ERROR_CONFLICT,
                        "container %s is marked for removal and cannot be connected or "
                        "disconnected to the network",
                        c->id);
        if (c->start || c->network_change)
                return error_set(reterr, ERROR_CONFLICT,
                        "networks of container %s are being changed: try again", c->name);
        return 0;
}

static void finish(Container *c, int r, const Error *e) {
        Pending *p = c->network_change;

        c->network_change = NULL;
        c->network_new = NULL;
        pending_complete(p, r, NULL, e);
        pending_unref(p);
}

/* On disk and in its files before anybody hears of it. */
static int keep(Container *c, char *const *gone) {
        int r;

        r = container_save(c);
        if (r >= 0)
                r = container_network_save(c);
        if (r >= 0 && container_is_running(c))
                r = container_network_write_files(c, gone);
        return r;
}

static void forget_spec(Container *c, const Network *n) {
        EndpointSpec *spec = container_endpoint_spec(c, n);

        if (spec)
                container_remove_endpoint_spec(c, spec);
}

/* What was disconnected is gone with the namespace; what was not connected yet never will be. */
void container_connects_end(Container *c) {
        _cleanup_(error_done) Error e = {};
        Pending *p = TAKE_PTR(c->network_change);
        Network *n = TAKE_PTR(c->network_new);
        int r = 0;

        if (!p)
                return;
        if (n) {
                forget_spec(c, n);
                r = error_set(&e, ERROR_CONFLICT,
                        "container %s has stopped before it was connected to network %s", c->name,
                        n->name);
        }
        pending_answer(r, &e, p);
}

static void on_connected(int r, const Error *e, void *userdata) {
        _cleanup_(error_done) Error error = {};
        Container *c = userdata;
        Network *n = c->network_new;

        if (r >= 0)
                r = keep(c, NULL);
        if (r >= 0) {
                network_publish(n, "connect", c->id);
                finish(c, 0, NULL);
                return;
        }
        if (e)
                (void) error_copy(&error, e);
        (void) error_set_errno(
                &error, r, "Failed to connect container %s to network %s", c->name, n->name);
        forget_spec(c, n);
        if (sandbox_find(c->sandbox, n))
                sandbox_drop(c->sandbox, sandbox_find(c->sandbox, n));
        finish(c, r, &error);
}

static int connect_running(Container *c, Network *n, const EndpointSpec *wish, Error *reterr) {
        Endpoint *e;
        int r;

        r = sandbox_add(c->sandbox, n, wish, NULL, &e, reterr);
        if (r < 0)
                return r;
        r = sandbox_join(c->sandbox, on_connected, c, reterr);
        if (r < 0)
                sandbox_drop(c->sandbox, e);
        return r;
}

int container_connect(
        Container *c, const char *network, const EndpointSpec *wish, Pending *p, Error *reterr) {
        const EndpointSpec nothing = {};
        Network *n;
        int r;

        assert(c);
        assert(p);

        wish = wish ?: &nothing;
        r = networks_find(c->set->networks, network, &n, reterr);
        if (r >= 0)
                r = busy(c, reterr);
        if (r >= 0)
                r = check_mode(c, n, /* connect= */ true, reterr);
        if (r >= 0 && container_endpoint_spec(c, n))
                r = error_set(reterr, ERROR_FORBIDDEN,
                        "endpoint with name %s already exists in network %s", c->name, n->name);
        if (r >= 0)
                r = container_check_endpoint(wish, n, reterr);
        if (r >= 0)
                r = container_add_endpoint_spec(c, wish, n->name, n->id);
        if (r < 0)
                return r;

        c->network_new = n;
        r = 1;
        if (container_is_running(c) && c->sandbox)
                r = connect_running(c, n, wish, reterr);
        if (r < 0) {
                c->network_new = NULL;
                forget_spec(c, n);
                return r;
        }
        c->network_change = pending_ref(p);
        if (r > 0 && container_is_running(c))
                on_connected(0, NULL, c);
        else if (r > 0) {
                r = container_save(c);
                finish(c, r, NULL);
        }
        return 0;
}

static void on_disconnected(int r, const Error *e, void *userdata) {
        Container *c = userdata;

        if (c->network_change) /* nobody, if it could not be saved */
                finish(c, r, e);
}

/* What is asked of a network that is gone is taken out of the wish: nothing of it stands any more. */
static int forget_lost(Container *c, const char *network, Pending *p, Error *reterr) {
        EndpointSpec *spec = container_endpoint_named(c, network);
        int r;

        if (!spec)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "container %s is not connected to the network %s", c->id, network);
        container_remove_endpoint_spec(c, spec);
        r = container_save(c);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to save container %s", c->name);
        pending_complete(p, 0, NULL, NULL);
        return 0;
}

int container_disconnect(Container *c, const char *network, bool force, Pending *p, Error *reterr) {
        _cleanup_(strv_freep) char **gone = NULL;
        _cleanup_(error_done) Error lost = {};
        EndpointSpec *spec = NULL;
        Network *n = NULL;
        Endpoint *e;
        int r, left;

        assert(c);
        assert(p);

        r = busy(c, reterr);
        if (r < 0)
                return r;
        r = networks_find(c->set->networks, network, &n, &lost);
        if (lost.kind == ERROR_NOT_FOUND && (force || !container_is_running(c)))
                return forget_lost(c, network, p, reterr);
        error_move(reterr, &lost);
        if (r >= 0)
                r = check_mode(c, n, /* connect= */ false, reterr);
        if (r < 0)
                return r;
        spec = container_endpoint_spec(c, n);
        if (!spec)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "container %s is not connected to network %s", c->id, n->name);
        e = sandbox_find(c->sandbox, n);
        r = e ? container_endpoint_addresses(e, &gone) : 0;
        if (r < 0)
                return r;
        container_remove_endpoint_spec(c, spec);
        left = e ? sandbox_leave(c->sandbox, e, on_disconnected, c, reterr) : 1;
        if (left == 0)
                c->network_change = pending_ref(p);
        r = keep(c, gone);
        network_publish(n, "disconnect", c->id);
        if (r < 0) {
                c->network_change = pending_unref(c->network_change);
                return error_set_errno(reterr, r, "Failed to save container %s", c->name);
        }
        if (left < 0)
                return left;
        if (left > 0)
                pending_complete(p, 0, NULL, NULL);
        return 0;
}
