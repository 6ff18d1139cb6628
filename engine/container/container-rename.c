/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/names.h"
#include "engine/container/set.h"
#include "engine/host/unit-properties.h"
#include "engine/host/units.h"
#include "engine/network/sandbox.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

/* A name is an entry of the set's index and a field of container.json. The scope's description follows, the journal's CONTAINER_NAME from
 * the next start on: what a run writes has one name. */

static void describe_scope(Container *c) {
        _cleanup_(unit_properties_done) UnitProperties p = {};
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        if (!container_is_running(c))
                return;
        r = container_describe_scope(c, &p);
        if (r >= 0)
                r = units_set_properties(
                        c->set->units, container_scope(c, scope), &p, NULL, NULL, NULL);
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to describe the scope: %m, ignoring");
}

int container_rename(Container *c, const char *name, Error *reterr) {
        _cleanup_(freep) char *old = NULL, *shown = NULL;
        Containers *s;
        int r;

        assert(c);

        s = c->set;
        if (str_empty(name))
                return error_set(reterr, ERROR_INVALID, "Neither old nor new names may be empty");
        r = names_check(name, &name, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "Error when allocating new name");
        if (streq(name, c->name))
                return error_set(reterr, ERROR_INVALID,
                        "Renaming a container with the same name as its current name");
        if (c->state == CONTAINER_REMOVING || c->remove)
                return error_set(reterr, ERROR_CONFLICT,
                        "container is marked for removal and cannot be renamed");

        shown = str_concat("/", c->name);
        old = TAKE_PTR(c->name);
        r = shown ? str_copy(&c->name, name) : -ENOMEM;
        if (r >= 0)
                r = containers_reserve(s, name, c, reterr);
        if (r < 0) {
                free(c->name);
                c->name = TAKE_PTR(old);
                return error_prefix(reterr, r, "Error when allocating new name");
        }
        r = container_save(c);
        if (r < 0) {
                containers_release(s, name, c);
                r = error_set_errno(reterr, r, "Failed to save container %s", old);
                free(c->name);
                c->name = TAKE_PTR(old);
                return r;
        }

        containers_release(s, old, c);
        if (c->sandbox && sandbox_rename(c->sandbox, c->name) < 0)
                (void) log_oom();
        container_publish(c, "rename", "oldName", shown);
        describe_scope(c);
        return 0;
}
