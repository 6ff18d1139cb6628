/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/bundle.h"

#include <ctype.h>

#include "engine/container/join.h"
#include "engine/container/security.h"
#include "engine/network/driver.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/pairs.h"
#include "lib/oci/runtime-spec.h"

/* Nothing in here is newer, and crun of Debian 12 refuses what it does not know. */
#define OCI_VERSION  "1.0.2"
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* PATH, HOSTNAME and TERM first, as Docker has them; what the user or the image says wins. */
static int make_env(const ContainerConfig *c, RuntimeProcess *p) {
        _cleanup_(strv_freep) char **env = NULL;
        int r;

        r = strv_env_set(&env, "PATH", PATH_DEFAULT);
        if (r < 0)
                return r;
        r = strv_env_set(&env, "HOSTNAME", str_or_empty(c->hostname));
        if (r < 0)
                return r;
        if (c->tty) {
                r = strv_env_set(&env, "TERM", "xterm");
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (entry, c->env) {
                _cleanup_(freep) char *key = NULL;
                const char *equals = strchr(*entry, '=');

                if (!equals || equals == *entry)
                        continue;
                r = str_copy_n(&key, *entry, (size_t) (equals - *entry));
                if (r < 0)
                        return r;
                r = strv_env_set(&env, key, equals + 1);
                if (r < 0)
                        return r;
        }

        p->env = TAKE_PTR(env);
        return 0;
}

static int make_args(const BundleInput *in, RuntimeProcess *p) {
        const ContainerConfig *c = &in->spec->config;
        int r = 0;

        if (in->init_path) {
                r = strv_add(&p->args, BUNDLE_INIT);
                if (r >= 0)
                        r = strv_add(&p->args, "--");
        }
        if (r >= 0)
                r = strv_add_all(&p->args, c->entrypoint);
        return r < 0 ? r : strv_add_all(&p->args, c->cmd);
}

static int make_rlimits(const Resources *c, RuntimeProcess *p) {
        if (c->n_ulimits == 0)
                return 0;

        p->rlimits = new0(RuntimeRlimit, c->n_ulimits);
        if (!p->rlimits)
                return -ENOMEM;
        for (size_t i = 0; i < c->n_ulimits; i++) {
                RuntimeRlimit *l = p->rlimits + p->n_rlimits++;
                int r;

                r = str_printf(&l->type, "RLIMIT_%s", c->ulimits[i].name);
                if (r < 0)
                        return r;
                for (char *at = l->type; *at; at++)
                        *at = (char) toupper((unsigned char) *at);
                l->soft = (uint64_t) c->ulimits[i].soft; /* -1 is the kernel's infinity */
                l->hard = (uint64_t) c->ulimits[i].hard;
        }
        return 0;
}

static int make_process(const BundleInput *in, const SecurityOptions *o, RuntimeSpec *s) {
        const ContainerConfig *c = &in->spec->config;
        const HostConfig *h = &in->spec->host;
        RuntimeProcess *p;
        const char *apparmor;
        int r;

        s->process = p = runtime_part_new(RuntimeProcess, runtime_process_fields);
        if (!p)
                return -ENOMEM;

        p->terminal = c->tty;
        if (c->tty && h->console_size[0] > 0 && h->console_size[1] > 0) {
                p->console_size = new0(RuntimeConsoleSize, 1);
                if (!p->console_size)
                        return -ENOMEM;
                p->console_size->height = h->console_size[0];
                p->console_size->width = h->console_size[1];
        }
        p->no_new_privileges =
                o->no_new_privileges_given ? o->no_new_privileges : in->no_new_privileges;
        p->oom_score_adj = h->oom_score_adj; /* always: the monitor's own must not be inherited */
        r = str_copy(&p->cwd, str_empty(c->working_dir) ? "/" : c->working_dir);
        if (r < 0)
                return r;
        apparmor = security_apparmor_profile(h, o);
        /* Unconfined is what the monitor is. */
        if (in->has_apparmor && !streq(apparmor, "unconfined")) {
                r = str_copy(&p->apparmor_profile, apparmor);
                if (r < 0)
                        return r;
        }
        r = make_args(in, p);
        if (r < 0)
                return r;
        r = make_env(c, p);
        return r < 0 ? r : make_rlimits(&h->resources, p);
}

static bool is_host(const char *mode) {
        return str_equal(mode, "host");
}

static int make_namespaces(const BundleInput *in, RuntimeLinux *l) {
        static const NamespaceJoin none[_JOIN_KIND_MAX] = {};
        const NamespaceJoin *joins = in->joins ?: none;
        const HostConfig *h = &in->spec->host;
        const struct {
                const char *type;
                const char *path;
                bool wanted;
        } table[] = {
                { "mount", NULL, true },
                { "network", joins[JOIN_NETWORK].path ?: in->leg->netns, !in->leg->host },
                { "uts", NULL, !is_host(h->uts_mode) },
                { "pid", joins[JOIN_PID].path, !is_host(h->pid_mode) },
                { "ipc", joins[JOIN_IPC].path, !is_host(h->ipc_mode) },
                { "cgroup", NULL, !is_host(h->cgroupns_mode) },
        };
        int r;

        l->namespaces = new0(RuntimeNamespace, ARRAY_SIZE(table));
        if (!l->namespaces)
                return -ENOMEM;
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                RuntimeNamespace *n = l->namespaces + l->n_namespaces;

                if (!table[i].wanted)
                        continue;
                l->n_namespaces++;
                r = str_copy(&n->type, table[i].type);
                if (r < 0)
                        return r;
                r = str_copy(&n->path, table[i].path);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make_sysctls(const BundleInput *in, RuntimeLinux *l) {
        static const char *const defaults[][2] = {
                { "net.ipv4.ip_unprivileged_port_start", "0" },
                { "net.ipv4.ping_group_range", "0 2147483647" },
        };
        const HostConfig *h = &in->spec->host;
        bool own_network =
                !in->leg->host && !str_starts(str_or_empty(h->network_mode), "container:");
        int r;

        for (size_t i = 0; own_network && i < ARRAY_SIZE(defaults); i++) {
                r = pairs_set(&l->sysctl, defaults[i][0], defaults[i][1]);
                if (r < 0)
                        return r;
        }
        return pairs_merge(&l->sysctl, h->sysctls, /* replace= */ true);
}

static int make_linux(const BundleInput *in, RuntimeSpec *s) {
        RuntimeLinux *l;
        int r;

        s->linux_ = l = runtime_part_new(RuntimeLinux, runtime_linux_fields);
        if (!l)
                return -ENOMEM;
        r = make_namespaces(in, l);
        if (r < 0)
                return r;
        return make_sysctls(in, l);
}

/* The one limit that the runtime sets: what the scope counts includes the monitor, and this is for what runs inside. */
static int add_pids(const Resources *c, RuntimeResources *r) {
        if (c->pids_limit == JSON_NO_INT64 || c->pids_limit <= 0)
                return 0;

        r->pids = runtime_part_new(RuntimePids, runtime_pids_fields);
        if (!r->pids)
                return -ENOMEM;
        r->pids->limit = c->pids_limit;
        return 0;
}

int bundle_make(const BundleInput *in, RuntimeSpec *ret, Error *reterr) {
        _cleanup_(security_options_done) SecurityOptions o = {};
        _cleanup_(runtime_spec_done) RuntimeSpec s = {};
        const ContainerConfig *c;
        const HostConfig *h;
        int r;

        assert(in);
        assert(ret);

        c = &in->spec->config;
        h = &in->spec->host;
        runtime_spec_init(&s);

        r = security_options_parse(h->security_opt, &o, reterr);
        if (r < 0)
                return r;
        r = str_copy(&s.oci_version, OCI_VERSION);
        if (r < 0)
                return r;

        s.root = runtime_part_new(RuntimeRoot, runtime_root_fields);
        if (!s.root)
                return -ENOMEM;
        s.root->readonly = h->readonly_rootfs;
        r = str_copy(&s.root->path, "rootfs");
        if (r < 0)
                return r;

        if (!is_host(h->uts_mode)) {
                r = str_copy(&s.hostname, c->hostname);
                if (r >= 0 && !str_empty(c->domainname))
                        r = str_copy(&s.domainname, c->domainname);
                if (r < 0)
                        return r;
        }
        r = pairs_merge(&s.annotations, h->annotations, /* replace= */ true);
        if (r < 0)
                return r;

        r = make_process(in, &o, &s);
        if (r < 0)
                return r;
        r = make_linux(in, &s);
        if (r < 0)
                return r;
        r = bundle_add_mounts(in, &o, &s);
        if (r < 0)
                return r;
        r = bundle_add_security(in, &o, &s, reterr);
        if (r < 0)
                return r;
        r = bundle_add_device_rules(in->spec, &s);
        if (r < 0)
                return r;
        r = bundle_add_edits(in, &s);
        if (r < 0)
                return r;
        r = add_pids(&in->spec->host.resources, s.linux_->resources);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(s);
        return 0;
}
