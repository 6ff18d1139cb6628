/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "engine/container/bundle.h"
#include "engine/container/seccomp-profile.h"
#include "engine/container/security.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"

/* Permitted and effective are for root: for anybody else the monitor, which knows the user, empties them, as
 * execve() would. Inheritable and ambient stay empty (CVE-2022-24769). */
static int add_capabilities(const BundleInput *in, RuntimeSpec *s, char ***ret_set) {
        RuntimeCapabilities *c;
        int r;

        s->process->capabilities = c =
                runtime_part_new(RuntimeCapabilities, runtime_capabilities_fields);
        if (!c)
                return -ENOMEM;
        r = security_capabilities(&in->spec->host, in->last_capability, &c->bounding);
        if (r < 0)
                return r;
        r = strv_set(&c->effective, c->bounding);
        if (r < 0)
                return r;
        *ret_set = c->bounding;
        return strv_set(&c->permitted, c->bounding);
}

static int add_seccomp(const BundleInput *in, const SecurityOptions *o, char *const *capabilities,
        RuntimeSpec *s, Error *reterr) {
        _cleanup_(seccomp_profile_freep) SeccompProfile *own = NULL;
        const SeccompProfile *p = in->seccomp;
        int r;

        if (in->spec->host.privileged || o->seccomp_unconfined)
                return 0;
        if (o->seccomp_profile) {
                r = seccomp_profile_parse(
                        o->seccomp_profile, strlen(o->seccomp_profile), &own, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "Decoding seccomp profile failed");
                p = own;
        }
        if (!p)
                return 0;
        return seccomp_profile_evaluate(
                p, in->architecture, capabilities, in->kernel, &s->linux_->seccomp);
}

static int add_paths(const BundleInput *in, RuntimeLinux *l) {
        const HostConfig *h = &in->spec->host;
        int r;

        if (h->privileged)
                return 0;
        if (!strv_empty(h->masked_paths)) {
                r = strv_set(&l->masked_paths, h->masked_paths);
                if (r < 0)
                        return r;
                /* The default list, not one of the user's own. */
                if (strv_contains(h->masked_paths, "/proc/kcore")) {
                        r = strv_add_all(&l->masked_paths, in->extra_masked);
                        if (r < 0)
                                return r;
                        /* Not in Docker's list, but root of a container may write to it (seen on 6.1). */
                        r = strv_add(&l->masked_paths, "/proc/dynamic_debug");
                        if (r < 0)
                                return r;
                }
        }
        return strv_empty(h->readonly_paths) ? 0 : strv_set(&l->readonly_paths, h->readonly_paths);
}

int bundle_add_security(
        const BundleInput *in, const SecurityOptions *o, RuntimeSpec *s, Error *reterr) {
        char **capabilities;
        int r;

        r = add_capabilities(in, s, &capabilities);
        if (r < 0)
                return r;
        r = add_seccomp(in, o, capabilities, s, reterr);
        if (r < 0)
                return r;
        return add_paths(in, s->linux_);
}

static int rule_add(RuntimeResources *c, size_t *n_allocated, bool allow, const char *type,
        int64_t major, int64_t minor, const char *access) {
        RuntimeDeviceRule *d;
        int r;

        r = array_grow(&c->devices, n_allocated, c->n_devices + 1);
        if (r < 0)
                return r;
        d = c->devices + c->n_devices++;
        fields_init(runtime_device_rule_fields, d);
        d->allow = allow;
        d->major = major;
        d->minor = minor;
        r = type ? str_copy(&d->type, type) : 0;
        return r < 0 ? r : str_copy(&d->access, access);
}

/* The scope has the same rules (scope.c); runtimes that set their own filter need them, too. */
int bundle_add_device_rules(const ContainerSpec *spec, RuntimeSpec *s) {
        /* clang-format off */
        static const struct {
                const char *type;
                int64_t major, minor;
        } defaults[] = {
                { "c", 1, 5 }, { "c", 1, 3 }, { "c", 1, 9 }, { "c", 1, 8 }, { "c", 5, 0 }, { "c", 5, 1 },
        };
        /* clang-format on */
        size_t n_allocated = 0;
        RuntimeResources *c;
        int r;

        s->linux_->resources = c = runtime_part_new(RuntimeResources, runtime_resources_fields);
        if (!c)
                return -ENOMEM;

        if (spec->host.privileged)
                return rule_add(c, &n_allocated, true, NULL, JSON_NO_INT64, JSON_NO_INT64, "rwm");

        r = rule_add(c, &n_allocated, false, NULL, JSON_NO_INT64, JSON_NO_INT64, "rwm");
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
                r = rule_add(c, &n_allocated, true, defaults[i].type, defaults[i].major,
                        defaults[i].minor, "rwm");
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (rule, spec->host.resources.device_cgroup_rules) {
                int64_t major = JSON_NO_INT64, minor = JSON_NO_INT64;
                char type[2] = {}, access[4], a[12], b[12];

                if (sscanf(*rule, "%c %11[0-9*]:%11[0-9*] %3[rwm]", type, a, b, access) != 4)
                        return -EINVAL;
                if (!streq(a, "*") && parse_i64(a, &major) < 0)
                        return -EINVAL;
                if (!streq(b, "*") && parse_i64(b, &minor) < 0)
                        return -EINVAL;
                r = rule_add(c, &n_allocated, true, type, major, minor, access);
                if (r < 0)
                        return r;
        }
        return 0;
}
