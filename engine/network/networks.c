/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/networks.h"

#include "lib/base/alloc.h"
#include "lib/base/hashmap.h"
#include "lib/base/str.h"

struct Networks {
        Hashmap *by_name;
};

/* Nothing of them is on disk, and their ids must be the same after a restart. */
static const struct {
        const char *id;
        const char *name;
        const NetworkDriver *driver;
} predefined[] = {
        { "035228ff958a635ad54eaf3e5dd29e9bc6214fd7b1d3bc9ddcbe382a7e7cfe15", "host",
                &network_driver_host },
        { "1d674da5bbe59e86fa061be21fbff652d860be9c5026b6529fb0ff574eaa28d5", "none",
                &network_driver_null },
};

int networks_new(Networks **ret) {
        _cleanup_(networks_freep) Networks *s = NULL;
        int r;

        assert(ret);

        s = new0(Networks, 1);
        if (!s)
                return -ENOMEM;
        s->by_name = hashmap_new(HASHMAP_STRING);
        if (!s->by_name)
                return -ENOMEM;

        for (size_t i = 0; i < ARRAY_SIZE(predefined); i++) {
                _cleanup_(network_freep) Network *n = NULL;

                r = network_new(predefined[i].id, predefined[i].name, predefined[i].driver, &n);
                if (r < 0)
                        return r;
                r = hashmap_put(s->by_name, n->name, n);
                if (r < 0)
                        return r;
                n = NULL;
        }

        *ret = TAKE_PTR(s);
        return 0;
}

Networks *networks_free(Networks *s) {
        if (!s)
                return NULL;

        hashmap_free_with(s->by_name, network_free);
        free(s);
        return NULL;
}

Network *networks_next(Networks *s, Network *after) {
        bool found = !after;
        Network *n;

        HASHMAP_FOREACH (n, s->by_name) {
                if (found)
                        return n;
                found = n == after;
        }
        return NULL;
}

int networks_find(Networks *s, const char *name, Network **ret, Error *reterr) {
        Network *n, *found = NULL;

        assert(s);
        assert(name);
        assert(ret);

        found = hashmap_get(s->by_name, name);
        if (!found)
                HASHMAP_FOREACH (n, s->by_name) {
                        if (str_empty(name) || !str_starts(n->id, name))
                                continue;
                        if (found)
                                return error_set(reterr, ERROR_INVALID,
                                        "network %s is ambiguous (2 matches found on prefix)",
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
        if (streq(name, "bridge") || str_starts(name, "container:"))
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "network mode \"%s\" is not implemented yet: use \"none\" or \"host\"",
                        name);
        r = networks_find(s, name, &found, reterr);
        if (r < 0)
                return r;
        /* Rights and sysctls are decided by the words "host" and "none", so these have one word only. */
        if (!streq(name, found->name))
                return error_set(reterr, ERROR_INVALID,
                        "network mode \"%s\": call the network by its name, \"%s\"", name,
                        found->name);

        *ret = found;
        return 0;
}
