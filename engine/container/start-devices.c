/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a start: those of --device, and those that are asked for by name. */
#include "config/settings.h"
#include "engine/container/bundle.h"
#include "engine/container/cdi.h"
#include "engine/container/set.h"
#include "engine/container/start.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/cdi-spec.h"

/* Another driver than CDI's does not exist here, as with a dockerd without the programs of NVIDIA. */
static int refuse_request(const DeviceRequest *d, Error *reterr) {
        _cleanup_(freep) char *words = NULL;
        int r = 0;

        /* As Go prints a list of lists: [[gpu x] [y]] */
        for (size_t k = 0; k < d->n_capabilities && r >= 0; k++) {
                _cleanup_(freep) char *joined = strv_join(d->capabilities[k].items, " ");

                r = joined ? str_appendf(&words, "%s[%s]", k > 0 ? " " : "", joined) : -ENOMEM;
        }
        return r < 0 ? r
                     : error_set(reterr, ERROR_INVALID,
                               "could not select device driver \"%s\" with capabilities: [%s]",
                               str_or_empty(d->driver), str_or_empty(words));
}

int start_find_devices(ContainerStart *s, Error *reterr) {
        const Resources *c = &s->container->spec.host.resources;
        char *const *dirs = settings_cdi_dirs(s->container->set->settings);
        _cleanup_(strv_freep) char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < c->n_device_requests && r >= 0; i++) {
                const DeviceRequest *d = c->device_requests + i;

                if (!str_equal(d->driver, "cdi") || strv_empty(dirs))
                        return refuse_request(d, reterr);
                if (d->count != 0 || !strv_empty(d->options))
                        return error_set(reterr, ERROR_INVALID,
                                "unexpected %s in CDI device request",
                                d->count != 0 ? "count" : "options");
                r = strv_add_all(&names, d->device_ids);
        }
        if (r < 0 || strv_empty(names))
                return r;
        r = cdi_devices_read(dirs, &s->devices);
        return r < 0 ? r : cdi_devices_find(s->devices, names, &s->edits, &s->n_edits, reterr);
}

static int make_edits(const ContainerStart *s, MonitorSpec *m) {
        size_t n_allocated = m->n_devices;
        int r = 0;

        for (size_t i = 0; i < s->n_edits && r >= 0; i++) {
                const CdiEdits *e = s->edits[i];

                for (size_t k = 0; k < e->n_gids && r >= 0; k++)
                        r = strv_addf(&m->group_add, "%u", e->gids[k]);
                for (size_t k = 0; k < e->n_nodes && r >= 0; k++) {
                        r = array_grow(&m->devices, &n_allocated, m->n_devices + 1);
                        if (r >= 0)
                                r = bundle_describe_node(e->nodes + k, m->devices + m->n_devices++);
                }
        }
        return r;
}

static int make_devices(const HostConfig *h, MonitorSpec *m) {
        const Resources *c = &h->resources;
        int r = 0;

        m->all_devices = h->privileged;
        m->devices = new0(MonitorDevice, MAX(c->n_devices, (size_t) 1));
        if (!m->devices)
                return -ENOMEM;
        for (size_t i = 0; i < c->n_devices && r >= 0; i++) {
                MonitorDevice *d = m->devices + m->n_devices++;

                fields_init(monitor_device_fields, d);
                r = str_copy(&d->path_on_host, c->devices[i].path_on_host);
                if (r >= 0)
                        r = str_copy(&d->path_in_container, c->devices[i].path_in_container);
                if (r >= 0)
                        r = str_copy(&d->permissions, c->devices[i].permissions);
        }
        return r;
}

int start_make_devices(const ContainerStart *s, MonitorSpec *m) {
        int r = make_devices(&s->container->spec.host, m);

        return r < 0 ? r : make_edits(s, m);
}
