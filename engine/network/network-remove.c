/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/core/hub.h"
#include "engine/core/pending.h"
#include "engine/network/firewall.h"
#include "engine/host/netlink.h"
#include "engine/network/networks-internal.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

const char *const network_prune_filter_keys[] = { "label", "label!", "until", NULL };

struct NetworksPrune {
        Networks *set;
        Pending *pending;
        Pending *step;
        char **ids;
        size_t n_next;
        char *name_copy; /* of the one that is being removed */
        char **names;    /* removed */
};

static int check_free(const Network *n, Error *reterr) {
        const Endpoint *e;

        if (n->predefined)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "%s is a pre-defined network and cannot be removed", n->name);
        e = list_first(&n->endpoints, Endpoint, by_network);
        if (e)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "error while removing network: network %s has active endpoints "
                        "(name:\"%s\" "
                        "id:\"%.12s\")",
                        n->name, e->sandbox->container_name, e->sandbox->container_id);
        if (n->busy)
                return error_set(reterr, ERROR_CONFLICT, "network %s is being removed", n->name);
        return 0;
}

/* Others' configuration may hang on this one. */
static int check_config(const Network *n, Error *reterr) {
        const Network *other;

        if (n->spec.config_only)
                HASHMAP_FOREACH (other, n->set->by_name)
                        if (str_equal(other->spec.config_from, n->name))
                                return error_set(reterr, ERROR_FORBIDDEN,
                                        "configuration network \"%s\" is in use", n->name);
        return 0;
}

/* From the host it is gone; now from the disk, then it is told. */
static int finish(Network *n, Error *reterr) {
        Networks *s = n->set;
        int r;

        n->busy = false;
        r = network_forget_file(n);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to remove network %s", n->name);
        if (n->ground->firewall)
                firewall_remove_network(n->ground->firewall, n->id);
        networks_drop(s, n);
        network_publish(n, "destroy", NULL);
        network_free(n);
        return 0;
}

static void on_unmade(int r, const Error *e, void *userdata) {
        _cleanup_(error_done) Error error = {};
        Network *n = userdata;
        _cleanup_(pending_unrefp) Pending *p = TAKE_PTR(n->pending);

        n->call = netlink_call_free(n->call);
        n->busy = n->ready = false;
        if (r >= 0)
                r = finish(n, &error);
        else {
                (void) error_copy(&error, e);
                (void) error_set_errno(&error, r, "Failed to remove network %s", n->name);
        }
        pending_complete(p, r, NULL, &error);
}

int network_remove(Network *n, Pending *p, Error *reterr) {
        int r = 1;

        assert(n);
        assert(p);

        r = check_free(n, reterr);
        if (r >= 0)
                r = check_config(n, reterr);
        if (r < 0)
                return r;
        r = 1;
        if (n->driver && n->driver->remove && n->ground->netlink)
                r = n->driver->remove(n, on_unmade, n, reterr);
        if (r < 0)
                return r;
        if (r == 0) {
                n->busy = true;
                n->pending = pending_ref(p);
                return 0;
        }
        r = finish(n, reterr);
        if (r < 0)
                return r;
        pending_complete(p, 0, NULL, NULL);
        return 0;
}

/* ---- prune ---- */

static NetworksPrune *prune_free(NetworksPrune *x) {
        if (!x)
                return NULL;

        if (x->step)
                pending_detach(x->step);
        pending_unref(x->step);
        pending_unref(x->pending);
        strv_free(x->ids);
        strv_free(x->names);
        free(x->name_copy);
        free(x);
        return NULL;
}

void networks_prune_free(Networks *s) {
        s->prune = prune_free(s->prune);
}

static void prune_next(NetworksPrune *x);

static void on_removed(int r, void *result, const Error *e, void *userdata) {
        NetworksPrune *x = userdata;

        x->step = pending_unref(x->step);
        if (r >= 0)
                (void) strv_add(&x->names, x->name_copy);
        prune_next(x);
}

static void prune_end(NetworksPrune *x) {
        int r;

        x->set->prune = NULL;
        r = hub_publish(
                x->set->w.hub, "network", "prune", "", (char *[]) { (char *) "reclaimed=0", NULL });
        if (r < 0)
                (void) log_warning_errno(r, "Failed to publish \"prune\": %m, ignoring");
        pending_complete(x->pending, 0, x->names, NULL);
        prune_free(x);
}

/* One that somebody joined or removed meanwhile is passed over. */
static void prune_next(NetworksPrune *x) {
        while (x->ids && x->ids[x->n_next]) {
                const char *id = x->ids[x->n_next++];
                Network *n = hashmap_get(x->set->by_id, id);

                if (!n || str_copy(&x->name_copy, n->name) < 0 ||
                        pending_new(on_removed, x, &x->step) < 0)
                        continue;
                if (network_remove(n, x->step, NULL) >= 0)
                        return; /* on_removed() goes on, or has done so already */
                x->step = pending_unref(x->step);
        }
        prune_end(x);
}

static int read_until(const Filter *f, int64_t *ret, Error *reterr) {
        char *const *values = filter_values(f, "until");

        *ret = INT64_MAX;
        if (!values || !values[0])
                return 0;
        if (values[1])
                return error_set(reterr, ERROR_INVALID, "more than one until filter specified");
        if (clock_parse_point(values[0], clock_realtime_ns(), ret) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid filter 'until=[%s]'", values[0]);
        return 0;
}

int networks_prune(Networks *s, const Filter *f, Pending *p, Error *reterr) {
        NetworksPrune *x;
        int64_t until;
        Network *n;
        int r;

        assert(s);
        assert(p);

        if (s->prune)
                return error_set(reterr, ERROR_CONFLICT, "a prune operation is already running");
        r = read_until(f, &until, reterr);
        if (r < 0)
                return r;
        x = new0(NetworksPrune, 1);
        if (!x)
                return -ENOMEM;
        x->set = s;
        x->pending = pending_ref(p);
        LIST_FOREACH (n, &s->by_age, by_age)
                if (r >= 0 && !n->predefined && !n->spec.config_only && list_empty(&n->endpoints) &&
                        n->created_ns < until && filter_match_labels(f, n->spec.labels))
                        r = strv_add(&x->ids, n->id);
        if (r < 0) {
                prune_free(x);
                return r;
        }
        s->prune = x;
        prune_next(x);
        return 0;
}
