/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/network/networks-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define FILE_VERSION    1
#define FILE_SIZE_MAX   ((size_t) 1024 * 1024)
#define FILE_SUFFIX     ".json"
#define DAMAGED_SUFFIX  ".damaged"
#define DEFAULT_BRIDGE  "docker0"
#define DEFAULT_NETWORK "bridge"

/* clang-format off */
static const JsonField saved_fields[] = {
        JSON_STRING("Id",         Network, id,         JSON_MANDATORY),
        JSON_TIME  ("Created",    Network, created_ns, 0),
        JSON_BOOL  ("ChosenIPv4", Network, chosen4,    JSON_OMIT_EMPTY),
        JSON_BOOL  ("ChosenIPv6", Network, chosen6,    JSON_OMIT_EMPTY),
        JSON_NESTED("Spec",       Network, spec,       network_spec_fields, JSON_MANDATORY),
        {}
};

/* Nothing of them is on disk, and their ids must be the same after a restart. */
static const struct {
        const char *id;
        const char *name;
        const char *driver;
} predefined[] = {
        { "035228ff958a635ad54eaf3e5dd29e9bc6214fd7b1d3bc9ddcbe382a7e7cfe15", "host", "host" },
        { "1d674da5bbe59e86fa061be21fbff652d860be9c5026b6529fb0ff574eaa28d5", "none", "null" },
};
/* clang-format on */

static int file_name(const char *id, char **ret) {
        return str_printf(ret, "%s" FILE_SUFFIX, id);
}

int network_save(Network *n) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL, *name = NULL;
        int r;

        r = json_write(n, saved_fields, &v);
        if (r >= 0)
                r = json_set_uint64(v, "version", FILE_VERSION);
        if (r >= 0)
                r = json_print(v, JSON_PRETTY, &text);
        if (r >= 0)
                r = file_name(n->id, &name);
        if (r < 0)
                return r;
        return file_write_atomic_string(n->set->root_fd, name, text, 0600, FILE_WRITE_DURABLE);
}

int network_forget_file(Network *n) {
        _cleanup_(freep) char *name = NULL;
        int r;

        r = file_name(n->id, &name);
        if (r >= 0)
                r = file_unlink(n->set->root_fd, name);
        return r < 0 ? r : file_sync_dir(n->set->root_fd);
}

/* ---- load ---- */

int network_parse(
        Networks *s, const char *id, const char *text, size_t size, Network **ret, Error *reterr) {
        _cleanup_(network_freep) Network *n = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        NetworkSpec empty = {};
        int r;

        r = network_new(id, &empty, &n);
        if (r >= 0)
                r = json_parse(text, size, FILE_SIZE_MAX, &v, reterr);
        if (r < 0)
                return r;
        if (json_get_int64(v, "version", -1) != FILE_VERSION)
                return error_set(reterr, ERROR_INVALID, "it is of another version");
        r = json_read(v, saved_fields, n, reterr);
        if (r < 0)
                return r;
        if (!str_equal(n->id, id) || !ident_is_name(str_or_empty(n->spec.name)))
                return error_set(reterr, ERROR_INVALID, "name or id are not right");
        r = str_copy(&n->name, n->spec.name);
        if (r < 0)
                return r;
        n->set = s;
        n->ground = s->w.ground;
        *ret = TAKE_PTR(n);
        return 0;
}

static int read_file(Networks *s, const char *name, const char *id, Network **ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read_at(s->root_fd, name, FILE_SIZE_MAX, &text, &size);
        return r < 0 ? r : network_parse(s, id, text, size, ret, reterr);
}

int network_revive(Networks *s, Network *n, Error *reterr) {
        int r;

        if (hashmap_contains(s->by_name, n->name) || hashmap_contains(s->by_id, n->id))
                return error_set(reterr, ERROR_EXISTS, "there are two of this name");
        n->driver = n->spec.config_only ? NULL : network_driver_find(str_or_empty(n->spec.driver));
        if (!n->driver && !n->spec.config_only)
                return error_set(reterr, ERROR_INVALID, "its driver is not known");
        n->ipv4 = n->spec.enable_ipv4 != 0;
        n->ipv6 = n->spec.enable_ipv6 > 0;
        if (!n->driver)
                return networks_add(s, n);
        r = network_read_options(n, reterr);
        if (r >= 0 && n->driver->check)
                r = n->driver->check(n, reterr);
        if (r >= 0 && n->driver->has_ipam)
                r = network_take_subnets(n, reterr);
        return r < 0 ? r : networks_add(s, n);
}

static void set_aside(Networks *s, const char *name, const char *why) {
        _cleanup_(freep) char *to = str_concat(name, DAMAGED_SUFFIX);

        if (!to || renameat(s->root_fd, name, s->root_fd, to) < 0)
                log_error("%s/%s cannot be used and not be put aside: %s", s->root, name, why);
        else
                log_error("%s/%s cannot be used: %s; put aside as %s, its containers will not "
                          "start",
                        s->root, name, why, to);
}

static int load_file(Networks *s, const char *name, Network **ret_default) {
        _cleanup_(network_freep) Network *n = NULL;
        _cleanup_(error_done) Error e = {};
        char id[IDENT_SIZE];
        int r;

        if (strlen(name) != IDENT_SIZE - 1 + STRLEN(FILE_SUFFIX) || !str_ends(name, FILE_SUFFIX))
                return 0;
        (void) snprintf(id, sizeof(id), "%.*s", (int) IDENT_SIZE - 1, name);
        if (!ident_is_valid(id))
                return 0;
        r = read_file(s, name, id, &n, &e);
        if (r >= 0 && streq(n->name, DEFAULT_NETWORK) && !*ret_default) {
                *ret_default = TAKE_PTR(n);
                return 0;
        }
        if (r >= 0)
                r = network_revive(s, n, &e);
        if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
                return r; /* nothing is wrong with it */
        if (r < 0) {
                set_aside(s, name, error_text(&e, r));
                return 0;
        }
        TAKE_PTR(n);
        return 0;
}

static int add_predefined(Networks *s, const char *id, const char *name, const char *driver) {
        _cleanup_(network_freep) Network *n = NULL;
        NetworkSpec spec;
        int r;

        network_spec_init(&spec);
        spec.name = (char *) name;
        spec.driver = (char *) driver;
        spec.scope = (char *) "local";
        spec.enable_ipv4 = true;
        spec.enable_ipv6 = false;
        spec.ipam.driver = (char *) "default";
        r = network_new(id, &spec, &n);
        if (r < 0)
                return r;
        n->set = s;
        n->ground = s->w.ground;
        n->predefined = n->ready = true;
        n->ipv4 = true;
        n->driver = network_driver_find(driver);
        n->created_ns = clock_realtime_ns();
        r = networks_add(s, n);
        if (r >= 0)
                TAKE_PTR(n);
        return r;
}

/* ---- the default network: its options are the daemon's ---- */

static int wrong_option(Error *reterr, const char *option, const char *value, const char *why) {
        return error_set(reterr, ERROR_INVALID, "--%s %s: %s", option, value, why);
}

static int add_config(
        NetworkSpec *spec, const char *subnet, const char *range, const char *gateway) {
        IpamConfig *l = new0(IpamConfig, spec->ipam.n_configs + 1), *c;
        int r;

        if (!l)
                return -ENOMEM;
        for (size_t i = 0; i < spec->ipam.n_configs; i++)
                l[i] = spec->ipam.configs[i];
        free(spec->ipam.configs);
        spec->ipam.configs = l;
        c = l + spec->ipam.n_configs++;
        r = str_copy(&c->subnet, subnet);
        if (r >= 0 && !str_empty(range))
                r = str_copy(&c->ip_range, range);
        if (r >= 0 && !str_empty(gateway))
                r = str_copy(&c->gateway, gateway);
        return r;
}

/* One family: the bridge's own address says subnet and gateway, the fixed range alone is subnet and range. */
static int add_family(NetworkSpec *spec, const char *const words[3], const char *bip,
        const char *fixed, const char *gateway, Error *reterr) {
        char subnet[IPAM_PREFIX_TEXT_SIZE], own[IPAM_TEXT_SIZE] = "";
        IpamPrefix p, range;
        IpamAddress a;

        if (str_empty(bip) && str_empty(fixed))
                return str_empty(gateway) ? 0
                                          : wrong_option(reterr, words[2], gateway,
                                                    "needs the subnet to be given as well");
        if (!str_empty(bip)) {
                if (ipam_parse_prefix(bip, &p) < 0)
                        return wrong_option(reterr, words[0], bip, "is no address with prefix");
                (void) ipam_format(&p.address, own);
        }
        if (!str_empty(fixed)) {
                if (ipam_parse_prefix(fixed, &range) < 0)
                        return wrong_option(reterr, words[1], fixed, "is no range of addresses");
                if (str_empty(bip))
                        p = range;
        }
        p = ipam_masked(&p);
        if (!str_empty(fixed) && (!ipam_contains(&p, &range.address) || range.bits < p.bits))
                return wrong_option(
                        reterr, words[1], fixed, "is not within the subnet of the bridge");
        if (!str_empty(gateway) && (ipam_parse(gateway, &a) < 0 || !ipam_contains(&p, &a)))
                return wrong_option(
                        reterr, words[2], gateway, "is not within the subnet of the bridge");
        return add_config(spec, ipam_format_prefix(&p, subnet), fixed, own);
}

static int set_option(NetworkSpec *spec, const char *key, const char *value) {
        return pairs_set(&spec->options, key, value);
}

static int describe_default(
        const NetworkDefaults *d, const Network *old, NetworkSpec *spec, Error *reterr) {
        static const char *const words4[] = { "bip", "fixed-cidr", "default-gateway" };
        static const char *const words6[] = { "bip6", "fixed-cidr-v6", "default-gateway-v6" };
        char mtu[16];
        int r;

        (void) snprintf(mtu, sizeof(mtu), "%u", d->mtu != 0 ? d->mtu : 1500);
        r = str_copy(&spec->name, DEFAULT_NETWORK);
        if (r >= 0)
                r = str_copy(&spec->driver, "bridge");
        if (r >= 0)
                r = str_copy(&spec->scope, "local");
        if (r >= 0)
                r = str_copy(&spec->ipam.driver, "default");
        if (r >= 0)
                r = set_option(spec, NETWORK_OPTION_DEFAULT, "true");
        if (r >= 0)
                r = set_option(spec, NETWORK_OPTION_ICC, d->icc ? "true" : "false");
        if (r >= 0)
                r = set_option(spec, NETWORK_OPTION_MASQUERADE, d->masquerade ? "true" : "false");
        if (r >= 0)
                r = set_option(
                        spec, NETWORK_OPTION_HOST_BINDING, str_empty(d->ip) ? "0.0.0.0" : d->ip);
        if (r >= 0)
                r = set_option(spec, NETWORK_OPTION_BRIDGE_NAME,
                        str_empty(d->bridge) ? DEFAULT_BRIDGE : d->bridge);
        if (r >= 0)
                r = set_option(spec, NETWORK_OPTION_MTU, mtu);
        if (r >= 0)
                r = add_family(spec, words4, d->bip, d->fixed_cidr, d->gateway4, reterr);
        if (r >= 0 && d->ipv6)
                r = add_family(spec, words6, d->bip6, d->fixed_cidr6, d->gateway6, reterr);
        if (r < 0)
                return r;
        spec->enable_ipv4 = true;
        spec->enable_ipv6 = d->ipv6;

        /* What was chosen last time stays, unless the administrator has a word for it now. */
        for (size_t i = 0; old && i < old->spec.ipam.n_configs && r >= 0; i++) {
                const IpamConfig *c = old->spec.ipam.configs + i;
                bool six = strchr(str_or_empty(c->subnet), ':') != NULL;
                bool again = six ? d->ipv6 && str_empty(d->bip6) && str_empty(d->fixed_cidr6) &&
                                             old->chosen6
                                 : str_empty(d->bip) && str_empty(d->fixed_cidr) && old->chosen4;

                if (again)
                        r = add_config(spec, c->subnet, NULL, c->gateway);
        }
        return r;
}

static int add_default(Networks *s, Network *old, Error *reterr) {
        _cleanup_(network_freep) _unused_ Network *before = old;
        _cleanup_(network_freep) Network *n = NULL;
        const NetworkDefaults *d = &s->w.defaults;
        NetworkSpec spec;
        char id[IDENT_SIZE];
        int r;

        if (str_equal(d->bridge, "none"))
                return 0;
        network_spec_init(&spec);
        r = describe_default(d, old, &spec, reterr);
        if (r >= 0)
                r = network_new(old ? old->id : ident_random(id), &spec, &n);
        network_spec_done(&spec);
        if (r < 0)
                return r;
        n->set = s;
        n->ground = s->w.ground;
        n->predefined = true;
        n->bridge_is_foreign = !str_empty(d->bridge) && !streq(d->bridge, DEFAULT_BRIDGE);
        n->created_ns = old ? old->created_ns : clock_realtime_ns();
        (void) inet_pton(AF_INET, str_or_empty(d->gateway4), &n->container_gateway4);
        (void) inet_pton(AF_INET6, str_or_empty(d->gateway6), &n->container_gateway6);
        n->chosen4 = old && old->chosen4 && str_empty(d->bip) && str_empty(d->fixed_cidr);
        n->chosen6 = old && old->chosen6 && str_empty(d->bip6) && str_empty(d->fixed_cidr6);
        r = network_revive(s, n, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "Failed to set up the default network");
        r = network_save(n);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to save network %s: %m, ignoring", n->name);
        TAKE_PTR(n);
        return 0;
}

int networks_load(Networks *s, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        Network *old = NULL;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(predefined); i++) {
                r = add_predefined(s, predefined[i].id, predefined[i].name, predefined[i].driver);
                if (r < 0)
                        return r;
        }
        r = file_list(s->root_fd, ".", /* hidden= */ false, &names);
        STRV_FOREACH (name, names)
                if (r >= 0)
                        r = load_file(s, *name, &old);
        if (r < 0) {
                network_free(old);
                return error_set_errno(reterr, r, "Failed to read the networks of %s", s->root);
        }
        return add_default(s, old, reterr);
}
