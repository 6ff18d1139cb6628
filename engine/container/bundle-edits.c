/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CDI changes of a container beside its mounts (bundle-mounts.c). */
#include <string.h>

#include "engine/container/bundle.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/cdi-spec.h"
#include "lib/oci/runtime-spec.h"

#define NODE_MODE 0666

/* Replaces a variable of the same name. */
static int add_variable(RuntimeProcess *p, const char *entry) {
        _cleanup_(freep) char *key = NULL;
        const char *equals = strchr(entry, '=');
        int r;

        if (!equals)
                return 0;
        r = str_copy_n(&key, entry, (size_t) (equals - entry));
        return r < 0 ? r : strv_env_set(&p->env, key, equals + 1);
}

static int fill_hook(RuntimeHook *to, const CdiHook *from) {
        int r;

        to->timeout = from->timeout;
        r = str_copy(&to->path, from->path);
        if (r >= 0)
                r = strv_set(&to->args, from->args);
        return r < 0 ? r : strv_set(&to->env, from->env);
}

static int add_hook(RuntimeHooks *h, const CdiHook *from) {
        const struct {
                const char *name;
                RuntimeHook **list;
                size_t *n;
        } kinds[] = {
                { "prestart", &h->prestart, &h->n_prestart },
                { "createRuntime", &h->create_runtime, &h->n_create_runtime },
                { "createContainer", &h->create_container, &h->n_create_container },
                { "startContainer", &h->start_container, &h->n_start_container },
                { "poststart", &h->poststart, &h->n_poststart },
                { "poststop", &h->poststop, &h->n_poststop },
        };

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                size_t n_allocated = *kinds[i].n;
                int r;

                if (!streq(kinds[i].name, from->name))
                        continue;
                r = array_grow(kinds[i].list, &n_allocated, n_allocated + 1);
                if (r < 0)
                        return r;
                (*kinds[i].list)[*kinds[i].n] = (RuntimeHook) {};
                return fill_hook(*kinds[i].list + (*kinds[i].n)++, from);
        }
        return -EINVAL;
}

int bundle_add_edits(const BundleInput *in, RuntimeSpec *s) {
        int r = 0;

        for (size_t i = 0; i < in->n_edits && r >= 0; i++) {
                const CdiEdits *e = in->edits[i];

                STRV_FOREACH (entry, e->env)
                        if (r >= 0)
                                r = add_variable(s->process, *entry);
                if (r >= 0 && e->n_hooks > 0 && !s->hooks) {
                        s->hooks = runtime_part_new(RuntimeHooks, runtime_hooks_fields);
                        if (!s->hooks)
                                return -ENOMEM;
                }
                for (size_t k = 0; k < e->n_hooks && r >= 0; k++)
                        r = add_hook(s->hooks, e->hooks + k);
        }
        return r;
}

int bundle_describe_node(const CdiNode *n, MonitorDevice *ret) {
        int r;

        *ret = (MonitorDevice) {};
        fields_init(monitor_device_fields, ret);
        ret->is_owned = true;
        ret->file_mode = n->file_mode == JSON_NO_UINT32 ? NODE_MODE : n->file_mode;
        ret->uid = n->uid;
        ret->gid = n->gid;
        /* Without numbers it is the host's; 0:0 is none. */
        if (!str_empty(n->type) && (n->major != 0 || n->minor != 0)) {
                ret->major = n->major;
                ret->minor = n->minor;
        }
        r = str_copy(&ret->path_on_host, str_empty(n->host_path) ? n->path : n->host_path);
        if (r >= 0)
                r = str_copy(&ret->path_in_container, n->path);
        if (r >= 0 && !str_empty(n->type))
                r = str_copy(&ret->type, streq(n->type, "u") ? "c" : n->type);
        return r < 0 ? r : str_copy(&ret->permissions, n->permissions);
}
