/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/networks.h"

#include <fcntl.h>

#include "engine/core/hub.h"
#include "engine/network/networks-internal.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

const char *const network_filter_keys[] = { "dangling", "driver", "id", "label", "name", "scope",
        "type", NULL };

static const NetworkDriver *const drivers[] = {
        &network_driver_bridge,
        &network_driver_host,
        &network_driver_ipvlan,
        &network_driver_macvlan,
        &network_driver_null,
};

const NetworkDriver *network_driver_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
                if (streq(drivers[i]->name, name))
                        return drivers[i];
        return NULL;
}

/* ---- making and ending ---- */

static int open_folder(Networks *s) {
        _cleanup_(fd_closep) int data_fd = -EBADF;

        s->root = path_join(s->w.data_root, "networks");
        if (!s->root)
                return -ENOMEM;
        data_fd = file_open_dir(AT_FDCWD, s->w.data_root);
        if (data_fd < 0)
                return data_fd;
        s->root_fd = file_mkdir_open_exact(data_fd, "networks", 0700);
        return s->root_fd < 0 ? s->root_fd : 0;
}

int networks_new(const NetworksWiring *w, Networks **ret, Error *reterr) {
        _cleanup_(networks_freep) Networks *s = NULL;
        int r;

        assert(w);
        assert(w->ground);
        assert(ret);

        s = new0(Networks, 1);
        if (!s)
                return -ENOMEM;
        s->w = *w;
        s->root_fd = -EBADF;
        list_init(&s->by_age);
        list_init(&s->sandboxes);
        s->by_id = hashmap_new(HASHMAP_STRING);
        s->by_name = hashmap_new(HASHMAP_STRING);
        if (!s->by_id || !s->by_name)
                return -ENOMEM;

        r = ipam_new(str_or_empty(w->seed), &s->ipam);
        if (r < 0)
                return r;
        STRV_FOREACH (pool, (char **) w->defaults.pools) {
                r = ipam_add_pool(s->ipam, *pool, reterr);
                if (r < 0)
                        return r;
        }
        r = open_folder(s);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Failed to open the folder %s/networks", w->data_root);
        r = networks_load(s, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

Networks *networks_free(Networks *s) {
        Network *n;

        if (!s)
                return NULL;

        networks_end(s);
        assert(list_empty(&s->sandboxes));
        HASHMAP_FOREACH (n, s->by_name)
                if (!list_node_linked(&n->by_age)) /* was being made */
                        network_free(n);
        while ((n = list_first(&s->by_age, Network, by_age)))
                network_free(n);
        hashmap_free(s->by_name);
        hashmap_free(s->by_id);
        ipam_free(s->ipam);
        fd_close(s->root_fd);
        free(s->root);
        free(s);
        return NULL;
}

void networks_end(Networks *s) {
        Network *n;

        if (!s)
                return;
        s->ending = true;
        networks_prune_free(s);
        HASHMAP_FOREACH (n, s->by_name)
                network_forget_call(n);
}

/* ---- the indexes ---- */

int networks_add(Networks *s, Network *n) {
        int r;

        r = hashmap_put(s->by_id, n->id, n);
        if (r < 0)
                return r;
        /* Its name may be reserved already. */
        r = hashmap_set(s->by_name, n->name, n, NULL);
        if (r < 0) {
                (void) hashmap_remove(s->by_id, n->id);
                return r;
        }
        n->set = s;
        list_append(&s->by_age, &n->by_age);
        return 0;
}

void networks_drop(Networks *s, Network *n) {
        (void) hashmap_remove_value(s->by_id, n->id, n);
        (void) hashmap_remove_value(s->by_name, n->name, n);
        list_remove(&n->by_age);
}

void network_publish(Network *n, const char *action, const char *container_id) {
        _cleanup_(strv_freep) char **attributes = NULL;
        int r = 0;

        if (container_id)
                r = strv_addf(&attributes, "container=%s", container_id);
        if (r >= 0)
                r = strv_addf(&attributes, "name=%s", n->name);
        if (r >= 0)
                r = strv_addf(&attributes, "type=%s", str_or_empty(n->spec.driver));
        if (r >= 0)
                r = hub_publish(n->set->w.hub, "network", action, n->id, attributes);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to publish \"%s\" of network %s: %m, ignoring", action, n->name);
}

Network *networks_next(Networks *s, const Network *after) {
        const ListNode *node;

        if (!after)
                return list_first(&s->by_age, Network, by_age);
        node = after->by_age.next;
        return !node || node == &s->by_age.head ? NULL : list_entry(node, Network, by_age);
}

unsigned networks_count(const Networks *s) {
        return (unsigned) hashmap_size(s->by_id);
}

int networks_find(Networks *s, const char *name, Network **ret, Error *reterr) {
        Network *n, *found;

        assert(s);
        assert(name);
        assert(ret);

        found = hashmap_get(s->by_id, name);
        if (!found) {
                found = hashmap_get(s->by_name, name);
                if (found && !list_node_linked(&found->by_age))
                        found = NULL;
        }
        if (!found && !str_empty(name))
                LIST_FOREACH (n, &s->by_age, by_age) {
                        if (!str_starts(n->id, name))
                                continue;
                        if (found)
                                return error_set(reterr, ERROR_INVALID,
                                        "network %s is ambiguous (2 matches found on ID prefix)",
                                        name);
                        found = n;
                }
        if (!found)
                return error_set(reterr, ERROR_NOT_FOUND, "network %s not found", name);

        *ret = found;
        return 0;
}

int networks_find_mode(Networks *s, const char *mode, Network **ret, Error *reterr) {
        const char *name = str_or_empty(mode);
        Network *found;
        int r;

        if (STR_IN_SET(name, "", "default"))
                name = "bridge";
        r = networks_find(s, name, &found, reterr);
        if (r < 0)
                return r;
        if (!found->driver)
                return error_set(reterr, ERROR_FORBIDDEN,
                        "configuration network %s cannot be used by containers", found->name);
        /* Rights and sysctls are decided by the words "host" and "none", so these have one word only. */
        if (!found->driver->uses_netns && !streq(name, found->name))
                return error_set(reterr, ERROR_INVALID,
                        "network mode \"%s\": call the network by its name, \"%s\"", name,
                        found->name);

        *ret = found;
        return 0;
}

void networks_host_gateway(Networks *s, struct in_addr *ret4, struct in6_addr *ret6) {
        const Network *n = hashmap_get(s->by_name, "bridge");
        const NetworkSubnet *four = n ? network_subnet(n, AF_INET) : NULL;
        const NetworkSubnet *six = n ? network_subnet(n, AF_INET6) : NULL;

        *ret4 = four ? four->gateway.address4 : (struct in_addr) {};
        *ret6 = six ? six->gateway.address6 : (struct in6_addr) {};
}

/* ---- list ---- */

static bool passes(const Network *n, const Filter *f, const bool *dangling) {
        if (dangling && *dangling != (!n->predefined && list_empty(&n->endpoints)))
                return false;
        return filter_match_pattern(f, "name", n->name) && filter_match_prefix(f, "id", n->id) &&
               filter_match_exact(f, "driver", str_or_empty(n->spec.driver)) &&
               filter_match_exact(f, "scope", "local") &&
               filter_match_exact(f, "type", n->predefined ? "builtin" : "custom") &&
               filter_match_labels(f, n->spec.labels);
}

static int check_filter(const Filter *f, Error *reterr) {
        STRV_FOREACH (value, (char **) filter_values(f, "type"))
                if (!STR_IN_SET(*value, "builtin", "custom"))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter: 'type'='%s'", *value);
        STRV_FOREACH (value, (char **) filter_values(f, "scope"))
                if (!STR_IN_SET(*value, "local", "swarm", "global"))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter: 'scope'='%s'", *value);
        return 0;
}

int networks_list(Networks *s, const Filter *f, Network ***ret, size_t *ret_n, Error *reterr) {
        _cleanup_(freep) Network **list = NULL;
        bool dangling = false, has;
        size_t count = 0;
        Network *n;
        int r;

        r = check_filter(f, reterr);
        if (r < 0)
                return r;
        r = filter_get_bool(f, "dangling", &dangling, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        has = r != -ENOENT;
        list = new0(Network *, hashmap_size(s->by_id) + 1);
        if (!list)
                return -ENOMEM;
        LIST_FOREACH (n, &s->by_age, by_age)
                if (passes(n, f, has ? &dangling : NULL))
                        list[count++] = n;

        *ret = TAKE_PTR(list);
        *ret_n = count;
        return 0;
}
