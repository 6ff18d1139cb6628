/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/firewall.h"

#include "engine/host/conntrack.h"
#include "engine/host/firewalld.h"
#include "engine/host/nft.h"
#include "engine/network/firewall-internal.h"
#include "engine/network/ports.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/hashmap.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "lib/json/json.h"

/* Repairs follow each other no faster: two programs that both want to be right must not keep the machine busy. */
#define REPAIR_PAUSE_USEC UINT64_C(250000)

struct Firewall {
        sd_event *event;
        FirewallOptions options;
        Nft *nft;
        Conntrack *conntrack;
        Firewalld *firewalld; /* NULL: not told of a bus */
        Hashmap *networks;    /* id, RuleNetwork */
        Hashmap *endpoints;   /* ident, RuleEndpoint */
        bool guard4, guard6;
        bool started;
        sd_event_source *repair;
        uint64_t repaired_usec; /* when last; 0: never */
        char *warning;
};

RuleNetwork *rule_network_free(RuleNetwork *n) {
        if (!n)
                return NULL;
        free(n->id);
        free(n->name);
        free(n->subnets);
        free(n);
        return NULL;
}

RuleEndpoint *rule_endpoint_free(RuleEndpoint *e) {
        if (!e)
                return NULL;
        free(e->ident);
        free(e->name);
        free(e->ports);
        free(e);
        return NULL;
}

int firewall_new(sd_event *e, const FirewallOptions *o, Firewall **ret) {
        _cleanup_(firewall_freep) Firewall *f = NULL;
        int r;

        assert(e);
        assert(o);
        assert(ret);

        f = new0(Firewall, 1);
        if (!f)
                return -ENOMEM;
        f->options = *o;
        f->event = sd_event_ref(e);
        r = nft_new(&f->nft);
        if (r >= 0)
                r = conntrack_new(e, &f->conntrack);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

Firewall *firewall_free(Firewall *f) {
        if (!f)
                return NULL;
        (void) loop_source_free(f->repair);
        (void) nft_free(f->nft);
        (void) conntrack_free(f->conntrack);
        (void) firewalld_free(f->firewalld);
        hashmap_free_with(f->endpoints, rule_endpoint_free);
        hashmap_free_with(f->networks, rule_network_free);
        free(f->warning);
        (void) loop_free(f->event);
        free(f);
        return NULL;
}

static int run(Firewall *f, Buffer *b, Error *reterr) {
        const char *text = buffer_string(b);

        return text ? nft_run(f->nft, text, reterr) : -ENOMEM;
}

static int write_all(Firewall *f, Error *reterr) {
        _cleanup_(buffer_done) Buffer b = {};
        RuleEndpoint *e;
        RuleNetwork *n;
        int r;

        r = rules_write_table(&b);
        if (r >= 0 && f->options.no_ipv6)
                r = rules_write_without_ipv6(&b);
        if (r >= 0)
                r = rules_write_guard(&b, f->guard4, f->guard6);
        HASHMAP_FOREACH (n, f->networks)
                if (r >= 0)
                        r = rules_write_network(&b, RULE_ADD, n);
        HASHMAP_FOREACH (e, f->endpoints)
                if (r >= 0)
                        r = rules_write_endpoint(&b, RULE_ADD, e);
        if (r >= 0)
                r = run(f, &b, reterr);
        buffer_done(&b);
        nft_rest(f->nft);
        if (r >= 0)
                f->repaired_usec = clock_monotonic_us();
        return r;
}

static int on_repair(sd_event_source *s, uint64_t usec, void *userdata) {
        _cleanup_(error_done) Error e = {};
        Firewall *f = userdata;
        int r;

        r = write_all(f, &e);
        if (r >= 0)
                log_notice("The nftables table \"inet %s\" is written anew: somebody else has "
                           "changed it, or firewalld has loaded its rules.",
                        FIREWALL_TABLE);
        else {
                log_error("Our nftables table cannot be repaired, published ports may not be "
                          "reached: %s",
                        error_text(&e, r));
                /* Not told again when nothing changes; whoever stood in the way may be gone then. */
                (void) loop_timer(f->event, 4 * REPAIR_PAUSE_USEC, LOOP_SYSTEM, "firewall repair",
                        on_repair, f, &f->repair);
        }
        return 0;
}

static void on_touched(void *userdata) {
        Firewall *f = userdata;
        uint64_t now = clock_monotonic_us(), due = f->repaired_usec + REPAIR_PAUSE_USEC;
        int r;

        if (loop_timer_armed(f->repair))
                return;
        r = loop_timer(f->event, due > now ? due - now : 0, LOOP_SYSTEM, "firewall repair",
                on_repair, f, &f->repair);
        if (r < 0)
                (void) log_error_errno(r, "The firewall cannot be repaired: %m");
}

/* What firewalld has done to rules that are not its own is heard of by itself; this makes sure. */
static void on_firewalld(void *userdata) {
        Firewall *f = userdata;

        if (f->started)
                on_touched(f);
}

static void tell_firewalld(Firewall *f, const char *bridge) {
        int r;

        if (!f->firewalld)
                return;
        r = firewalld_add(f->firewalld, bridge);
        if (r < 0)
                (void) log_warning_errno(
                        r, "firewalld cannot be told of bridge %s, ignoring: %m", bridge);
}

bool firewall_has_ipv6(const Firewall *f) {
        return !f->options.no_ipv6;
}

int firewall_use_bus(Firewall *f, sd_bus *bus) {
        RuleNetwork *n;
        int r;

        assert(f);
        assert(bus);

        if (f->firewalld)
                return 0;
        r = firewalld_new(bus, on_firewalld, f, &f->firewalld);
        if (r < 0)
                return r;
        HASHMAP_FOREACH (n, f->networks)
                tell_firewalld(f, n->bridge);
        return 0;
}

int firewall_start(Firewall *f, Error *reterr) {
        int r;

        assert(f);

        /* First, so that nothing happens between the two unseen. */
        r = nft_watch(f->nft, f->event, FIREWALL_TABLE, on_touched, f);
        if (r < 0)
                return error_set_errno(reterr, r, "nftables cannot be watched");
        r = write_all(f, reterr);
        if (r < 0)
                return r;
        f->started = true;
        if (firewall_warning(f))
                log_warning("%s.", f->warning);
        return 0;
}

/* The model is right already. What cannot be done entry by entry (somebody has removed one) is done by writing all. */
static int apply(Firewall *f, Buffer *changes, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        int r;

        if (!f->started || buffer_empty(changes))
                return 0;
        r = run(f, changes, &e);
        if (r >= 0)
                return 0;
        log_debug("Writing all of the firewall: %s", error_text(&e, r));
        return write_all(f, reterr);
}

int firewall_set_network(Firewall *f, RuleNetwork *n, Error *reterr) {
        _cleanup_(rule_network_freep) RuleNetwork *new = n;
        _cleanup_(buffer_done) Buffer b = {};
        RuleNetwork *old = NULL;
        int r = 0;

        old = hashmap_remove(f->networks, n->id);
        if (old)
                r = rules_write_network(&b, RULE_DELETE, old);
        if (r >= 0)
                r = rules_write_network(&b, RULE_ADD, new);
        if (r >= 0)
                r = hashmap_ensure_put(&f->networks, HASHMAP_STRING, new->id, new);
        if (r >= 0) {
                r = apply(f, &b, reterr);
                if (r < 0)
                        (void) hashmap_remove(f->networks, new->id);
                else {
                        tell_firewalld(f, new->bridge);
                        new = NULL;
                }
        }
        if (r < 0 && old && hashmap_ensure_put(&f->networks, HASHMAP_STRING, old->id, old) >= 0)
                old = NULL;
        (void) rule_network_free(old);
        return r;
}

void firewall_remove_network(Firewall *f, const char *network_id) {
        _cleanup_(rule_network_freep) RuleNetwork *n = NULL;
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(error_done) Error e = {};
        int r;

        assert(f);

        n = hashmap_remove(f->networks, network_id);
        if (!n)
                return;
        r = rules_write_network(&b, RULE_DELETE, n);
        if (r >= 0)
                r = apply(f, &b, &e);
        if (r < 0)
                log_warning("Network %s cannot be taken out of the firewall, ignoring: %s", n->name,
                        error_text(&e, r));
        if (f->firewalld)
                firewalld_remove(f->firewalld, n->bridge);
}

/* A flow of UDP keeps the way of its first packet for as long as somebody sends. */
static void forget_flows(Firewall *f, const RuleEndpoint *e) {
        int r;

        for (size_t i = 0; f->started && e && i < e->n_ports; i++) {
                const PortMapping *m = e->ports + i;

                if (m->protocol != IPPROTO_UDP || m->host_port == 0)
                        continue;
                r = conntrack_forget(f->conntrack, m->family, IPPROTO_UDP, m->host_port);
                if (r < 0)
                        (void) log_debug_errno(
                                r, "Flows to udp port %u cannot be looked at: %m", m->host_port);
        }
}

int firewall_set_endpoint(Firewall *f, RuleEndpoint *e, Error *reterr) {
        _cleanup_(rule_endpoint_freep) RuleEndpoint *new = e, *old = NULL;
        _cleanup_(buffer_done) Buffer b = {};
        int r = 0;

        new->direct = f->options.direct;
        old = hashmap_remove(f->endpoints, e->ident);
        if (old)
                r = rules_write_endpoint(&b, RULE_DELETE, old);
        if (r >= 0)
                r = rules_write_endpoint(&b, RULE_ADD, new);
        if (r >= 0)
                r = hashmap_ensure_put(&f->endpoints, HASHMAP_STRING, new->ident, new);
        if (r < 0)
                return r;
        r = apply(f, &b, reterr);
        if (r < 0) {
                /* The old ones were replaced because they are not true any more. */
                (void) hashmap_remove(f->endpoints, new->ident);
                return r;
        }
        forget_flows(f, old);
        forget_flows(f, new);
        new = NULL;
        return 0;
}

void firewall_unpublish(Firewall *f, const char *endpoint_ident) {
        _cleanup_(rule_endpoint_freep) RuleEndpoint *old = NULL;
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(error_done) Error e = {};
        int r;

        assert(f);

        old = hashmap_remove(f->endpoints, endpoint_ident);
        if (!old)
                return;
        r = rules_write_endpoint(&b, RULE_DELETE, old);
        if (r >= 0)
                r = apply(f, &b, &e);
        if (r < 0)
                log_warning("Ports of container %s cannot be taken out of the firewall, ignoring: "
                            "%s",
                        old->name, error_text(&e, r));
        forget_flows(f, old);
}

int firewall_guard(Firewall *f, bool guard4, bool guard6, Error *reterr) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        assert(f);

        if (f->options.no_guard)
                return 0;
        guard6 = guard6 && !f->options.no_ipv6;
        if (f->guard4 == guard4 && f->guard6 == guard6)
                return 0;
        f->guard4 = guard4;
        f->guard6 = guard6;
        r = rules_write_guard(&b, guard4, guard6);
        return r < 0 ? r : apply(f, &b, reterr);
}

/* "ip filter FORWARD" of what drops by its policy. */
static int foreign_policies(Firewall *f, char **ret) {
        _cleanup_(json_unrefp) Json *list = NULL;
        _cleanup_(freep) char *names = NULL;
        const char *key;
        Json *entry;
        int r;

        r = nft_list(f->nft, "list chains", &list, NULL);
        if (r < 0)
                return r;
        JSON_FOREACH (key, entry, json_get(list, "nftables")) {
                const Json *c = json_get(entry, "chain");

                if (!str_equal(json_get_text(c, "hook"), "forward") ||
                        !str_equal(json_get_text(c, "policy"), "drop"))
                        continue;
                r = str_appendf(&names, "%s\"%s %s %s\"", names ? ", " : "",
                        str_or_empty(json_get_text(c, "family")),
                        str_or_empty(json_get_text(c, "table")),
                        str_or_empty(json_get_text(c, "name")));
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(names);
        return 0;
}

const char *firewall_warning(Firewall *f) {
        _cleanup_(freep) char *names = NULL;

        assert(f);

        f->warning = mfree(f->warning);
        if (!f->started || foreign_policies(f, &names) < 0 || !names)
                return NULL;
        if (str_printf(&f->warning,
                    "Other firewall rules drop forwarded packets by policy (nftables chain %s): "
                    "containers may not reach the outside, nor be reached",
                    names) < 0)
                return NULL;
        return f->warning;
}
