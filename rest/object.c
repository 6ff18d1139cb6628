/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/object.h"

#include "engine/container/container-check.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/network/networks.h"
#include "engine/volume/volumes.h"
#include "lib/api/container-spec.h"
#include "lib/base/str.h"
#include "rest/request.h"
#include "rest/router.h"

static int find_container(Request *q, RequestObject *o) {
        const char *privilege;
        Container *c;

        if (containers_find(q->engine->containers, o->object, &c, NULL) < 0)
                return 0;
        privilege = container_check_privilege(&c->spec);
        *o = (RequestObject) {
                .object = c->id,
                .details = { "container", c->name, "image", str_or_empty(c->spec.config.image),
                        "privilege", str_or(privilege, "none") },
                .privileged = privilege,
        };
        return request_set_var(q, "id", c->id);
}

static void find_image(Request *q, RequestObject *o) {
        Image *i;

        if (images_find(q->engine->images, o->object, &i, NULL) < 0)
                return;
        *o = (RequestObject) {
                .object = i->id,
                .details = { "image", i->repo_tags && i->repo_tags[0] ? i->repo_tags[0] : i->id },
        };
}

static void find_volume(Request *q, RequestObject *o) {
        Volume *v;

        if (volumes_find(q->engine->volumes, o->object, &v, NULL) >= 0)
                *o = (RequestObject) { .object = v->name, .details = { "volume", v->name } };
}

static void find_network(Request *q, RequestObject *o) {
        Network *n;

        if (networks_find(q->engine->networks, o->object, &n, NULL) >= 0)
                *o = (RequestObject) { .object = n->id, .details = { "network", n->name } };
}

int request_object(Request *q, RequestObject *ret) {
        const char *name = q->route->object;

        *ret = (RequestObject) {};
        if (!name)
                return 0;
        ret->object = request_var(q, name);
        if (streq(name, "id"))
                return find_container(q, ret);
        if (streq(name, "volume"))
                find_volume(q, ret);
        else if (streq(name, "network"))
                find_network(q, ret);
        else
                find_image(q, ret);
        return 0;
}
