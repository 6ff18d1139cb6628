/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/network.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

void network_leg_done(NetworkLeg *l) {
        free(l->netns);
        *l = (NetworkLeg) {};
}

int network_new(const char *id, const char *name, const NetworkDriver *driver, Network **ret) {
        _cleanup_(network_freep) Network *n = NULL;
        int r;

        assert(id);
        assert(name);
        assert(driver);
        assert(ret);

        n = new0(Network, 1);
        if (!n)
                return -ENOMEM;

        r = str_copy(&n->name, name);
        if (r < 0)
                return r;

        r = str_copy(&n->id, id);
        if (r < 0)
                return r;

        n->driver = driver;
        *ret = TAKE_PTR(n);
        return 0;
}

Network *network_free(Network *n) {
        if (!n)
                return NULL;

        free(n->id);
        free(n->name);
        free(n);
        return NULL;
}

int network_join(Network *n, const char *container_id, NetworkLeg *ret, Error *reterr) {
        assert(n);
        assert(ret);

        *ret = (NetworkLeg) { .host = n->driver == &network_driver_host };
        return 0;
}

void network_leave(Network *n, const char *container_id) {
        assert(n);
}
