/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container.h"

#include <stdio.h>

#include "config/settings.h"
#include "engine/container/join.h"
#include "engine/container/scope.h"
#include "engine/container/set.h"
#include "engine/container/container-store.h"
#include "engine/host/cgroup.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/network/networks.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"
#include "lib/json/pairs.h"

#define SHARES_MAX 16u

static const char *const container_state_table[_CONTAINER_STATE_MAX] = {
        [CONTAINER_CREATED] = "created",
        [CONTAINER_STARTING] = "starting",
        [CONTAINER_RUNNING] = "running",
        [CONTAINER_PAUSED] = "paused",
        [CONTAINER_RESTARTING] = "restarting",
        [CONTAINER_EXITED] = "exited",
        [CONTAINER_REMOVING] = "removing",
};

const char *container_state_to_string(ContainerState s) {
        return (size_t) s < ARRAY_SIZE(container_state_table) ? container_state_table[s] : NULL;
}

int container_new(const char *id, const char *name, Container **ret) {
        _cleanup_(container_freep) Container *c = NULL;
        int r;

        assert(id);
        assert(ret);

        c = new0(Container, 1);
        if (!c)
                return -ENOMEM;

        container_spec_init(&c->spec);
        fields_init(container_fields, c);
        c->accounting = ACCOUNTING_NULL;
        c->started_ns = c->finished_ns = CLOCK_NEVER;
        list_init(&c->waits);
        list_init(&c->stops);
        list_init(&c->restarts);
        list_init(&c->freezes);
        list_init(&c->holds);
        list_init(&c->updates);
        list_init(&c->tops);
        list_init(&c->logs);
        list_init(&c->execs);
        list_init(&c->waiting_clients);
        list_init(&c->files);
        r = str_copy(&c->id, id);
        if (r < 0)
                return r;
        r = str_copy(&c->name, name);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

/* What is under way was ended before: container_detach(). */
Container *container_free(Container *c) {
        if (!c)
                return NULL;

        assert(!c->link);
        assert(!c->start);
        assert(!c->remove);
        assert(!c->scope);
        assert(list_empty(&c->execs));
        assert(list_empty(&c->waits));
        assert(list_empty(&c->stops));
        assert(list_empty(&c->restarts));
        assert(list_empty(&c->freezes));
        assert(list_empty(&c->holds));
        assert(list_empty(&c->updates));
        assert(list_empty(&c->tops));
        assert(!c->again);
        assert(!c->freezer);
        assert(list_empty(&c->logs));
        container_attach_drop(c);
        container_replays_forget(c);
        container_files_detach(c);

        strv_free(c->path_and_args);
        strv_free(c->warnings);
        fields_done(container_fields, c);
        free(c);
        return NULL;
}

const char *container_status(const Container *c) {
        if (c->state == CONTAINER_STARTING)
                return container_state_to_string(c->restarting    ? CONTAINER_RESTARTING
                                                 : c->has_started ? CONTAINER_EXITED
                                                                  : CONTAINER_CREATED);
        return container_state_to_string(c->state);
}

const char *container_scope(const Container *c, char ret[static CONTAINER_SCOPE_SIZE]) {
        (void) snprintf(ret, CONTAINER_SCOPE_SIZE, "docker-%s.scope", c->id);
        return ret;
}

sd_event *container_event(const Container *c) {
        return c->set->event;
}

char *container_folder(const Container *c) {
        return path_join(c->set->root, c->id);
}

char *container_files_folder(const Container *c) {
        /* A row of shares is short; a circle cannot run. */
        for (unsigned i = 0; i < SHARES_MAX; i++) {
                const Container *owner = join_network_owner(c);

                if (!owner || owner == c)
                        break;
                c = owner;
        }
        return container_folder(c);
}

char *container_file(const Container *c, const char *name) {
        return path_join(c->set->root, c->id, name);
}

char *container_log_file(const Container *c) {
        const char *type = c->spec.host.log_config.type;

        if (str_equal(type, "json-file"))
                return container_log_path(c);
        if (str_equal(type, "local"))
                return container_file(c, "local.log");
        return str_equal(type, "syslog") ? container_file(c, "cached.log") : str_concat("");
}

char *container_log_path(const Container *c) {
        _cleanup_(freep) char *name = NULL;

        if (!str_equal(c->spec.host.log_config.type, "json-file"))
                return str_concat("");
        name = str_concat(c->id, "-json.log");
        return name ? container_file(c, name) : NULL;
}

char *container_run_folder(const Container *c) {
        return path_join(c->set->run, c->id);
}

const char *container_image_name(const Container *c) {
        const char *name = str_or_empty(c->spec.config.image);
        Image *now;

        if (images_find(c->set->images, name, &now, NULL) < 0 || !str_equal(now->id, c->image_id))
                return str_or_empty(c->image_id);
        return name;
}

int container_describe_layer(const Container *c, char ***ret) {
        return storage_layer_describe(c->set->storage, c->id, /* read_only= */ false, ret);
}

int container_event_attributes(const Container *c, char ***ret) {
        _cleanup_(strv_freep) char **l = NULL;
        const char *key, *value;
        int r;

        PAIRS_FOREACH(key, value, c->spec.config.labels) {
                r = strv_addf(&l, "%s=%s", key, value);
                if (r < 0)
                        return r;
        }
        r = strv_addf(&l, "image=%s", str_or_empty(c->spec.config.image));
        if (r < 0)
                return r;
        r = strv_addf(&l, "name=%s", c->name);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

char *container_scope_folder(const Container *c) {
        _cleanup_(freep) char *path = NULL;

        if (scope_cgroup_path(
                    scope_slice(&c->spec, c->set->settings->cgroup_parent), c->id, &path) < 0)
                return NULL;
        return path_join("/sys/fs/cgroup", path);
}

char *container_cgroup_folder(const Container *c) {
        _cleanup_(freep) char *scope = container_scope_folder(c);

        return scope ? path_join(scope, "container") : NULL;
}

void container_figures(const Container *c, ContainerFigures *ret) {
        _cleanup_(freep) char *path = NULL;
        CgroupFigures f;

        assert(c);
        assert(ret);

        *ret = (ContainerFigures) {
                .accounting = c->has_accounting ? c->accounting : ACCOUNTING_NULL,
                .memory_current = UINT64_MAX,
                .tasks_current = UINT64_MAX,
        };
        if (!container_is_running(c))
                return;
        ret->accounting = ACCOUNTING_NULL;

        path = container_cgroup_folder(c);
        if (!path)
                return;
        cgroup_read(path, &f);
        ret->accounting = (Accounting) {
                .cpu_usage_nsec = f.cpu_usage_nsec,
                .cpu_user_nsec = f.cpu_user_nsec,
                .cpu_system_nsec = f.cpu_system_nsec,
                .memory_peak = f.memory_peak,
                .io_read_bytes = f.io_read_bytes,
                .io_write_bytes = f.io_write_bytes,
                .io_read_operations = f.io_read_operations,
                .io_write_operations = f.io_write_operations,
                .pids_peak = f.pids_peak,
                .oom_kills = f.oom_kills,
        };
        ret->memory_current = f.memory_current;
        ret->tasks_current = f.pids_current;
}
