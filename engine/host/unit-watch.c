/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/units-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

void unit_watch_handle_removed(UnitWatch *w) {
        unit_gone_t gone;

        w->removed = true;
        if (w->job_slot)
                return; /* first it is told who stopped it */
        gone = TAKE_PTR(w->gone);
        hashmap_remove_value(w->units->watches, w->name, w);
        w->slot = sd_bus_slot_unref(w->slot);
        if (gone)
                gone(w->userdata);
}

UnitWatch *unit_watch_free(UnitWatch *w) {
        if (!w)
                return NULL;

        hashmap_remove_value(w->units->watches, w->name, w);
        sd_bus_slot_unref(w->slot);
        sd_bus_slot_unref(w->job_slot);
        free(w->name);
        free(w);
        return NULL;
}

int units_watch(Units *u, const char *name, unit_gone_t gone, void *userdata, UnitWatch **ret) {
        _cleanup_(unit_watch_freep) UnitWatch *w = NULL;
        int r;

        assert(u);
        assert(name);
        assert(gone);
        assert(ret);

        w = new0(UnitWatch, 1);
        if (!w)
                return -ENOMEM;
        w->units = u;
        w->gone = gone;
        w->userdata = userdata;
        r = str_copy(&w->name, name);
        if (r < 0)
                return r;
        r = hashmap_put(u->watches, w->name, w);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

static int on_watch_looked(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        UnitWatch *w = userdata;

        w->slot = sd_bus_slot_unref(w->slot);
        if (units_read_active(m) == 0)
                unit_watch_handle_removed(w);
        return 0;
}

void unit_watch_look(UnitWatch *w) {
        int r;

        if (!w || w->slot)
                return;
        r = units_look(w->units, w->name, on_watch_looked, w, &w->slot);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to ask systemd for the state of %s: %m, ignoring", w->name);
}
