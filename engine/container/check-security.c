/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-check.h"
#include "engine/container/join.h"
#include "engine/container/seccomp-profile.h"
#include "engine/container/security.h"
#include "engine/host/sysinfo.h"
#include "lib/api/container-spec.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define SYSCTLS_MAX 100U
#define PATHS_MAX   1000U

/* Only what belongs to a namespace of the container, one name per key (CVE-2022-0811: nothing that
 * smuggles a second one). */
static int check_sysctls(const HostConfig *h, Error *reterr) {
        static const char *const ipc[] = { "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
                "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
                "kernel.shm_rmid_forced", NULL };
        bool own_ipc = !str_equal(h->ipc_mode, "host"), own_uts = !str_equal(h->uts_mode, "host"),
             own_net = !str_equal(h->network_mode, "host");
        const char *key, *value;

        if (pairs_count(h->sysctls) > SYSCTLS_MAX)
                return error_set(reterr, ERROR_INVALID, "more than %u sysctls", SYSCTLS_MAX);

        PAIRS_FOREACH(key, value, h->sysctls) {
                bool ok = false;

                if (key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "._-/")] ||
                        strstr(key, "..") || strstr(key, "//") || strstr(key, "./") ||
                        strstr(key, "/."))
                        return error_set(reterr, ERROR_INVALID, "invalid sysctl name '%s'", key);
                if (str_has_control(value))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid value of sysctl '%s'", key);
                if (str_in(key, ipc) || str_starts(key, "fs.mqueue."))
                        ok = own_ipc;
                else if (STR_IN_SET(key, "kernel.domainname", "kernel.hostname"))
                        ok = own_uts;
                else if (str_starts(key, "net.") || str_starts(key, "net/"))
                        ok = own_net;
                if (!ok)
                        return error_set(reterr, ERROR_INVALID,
                                "sysctl '%s' is not allowed: it is not in a namespace of the "
                                "container's own",
                                key);
        }
        return 0;
}

static int check_paths(char *const *paths, const char *what, Error *reterr) {
        if (strv_length(paths) > PATHS_MAX)
                return error_set(reterr, ERROR_INVALID, "more than %u %s", PATHS_MAX, what);
        STRV_FOREACH (path, paths)
                if (!path_is_absolute(*path) || str_has_control(*path))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid path in %s: '%s'", what, *path);
        return 0;
}

int check_security(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        _cleanup_(security_options_done) SecurityOptions o = {};
        HostConfig *h = &spec->host;
        int r;

        if (!strv_empty(h->capabilities))
                return error_set(reterr, ERROR_INVALID,
                        "invalid option: Capabilities: use CapAdd and CapDrop");
        r = security_check_capabilities(h->cap_add, "CapAdd", reterr);
        if (r < 0)
                return r;
        r = security_check_capabilities(h->cap_drop, "CapDrop", reterr);
        if (r < 0)
                return r;

        r = security_options_parse(h->security_opt, &o, reterr);
        if (r < 0)
                return r;
        if (o.seccomp_profile) {
                _cleanup_(seccomp_profile_freep) SeccompProfile *profile = NULL;

                r = seccomp_profile_parse(
                        o.seccomp_profile, strlen(o.seccomp_profile), &profile, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "Decoding seccomp profile failed");
        }
        if (o.apparmor && !streq(o.apparmor, "unconfined") && !x->sysinfo->has_apparmor) {
                r = check_warn(x, "AppArmor is not enabled on this host. Profile %s discarded.",
                        o.apparmor);
                if (r < 0)
                        return r;
        }

        r = check_sysctls(h, reterr);
        if (r < 0)
                return r;
        r = check_paths(h->masked_paths, "MaskedPaths", reterr);
        if (r < 0)
                return r;
        return check_paths(h->readonly_paths, "ReadonlyPaths", reterr);
}

const char *container_check_privilege(const ContainerSpec *spec) {
        const HostConfig *h = &spec->host;

        if (h->privileged)
                return "privileged";
        if (str_equal(h->pid_mode, "host"))
                return "host-pid";
        if (str_equal(h->ipc_mode, "host"))
                return "host-ipc";
        if (str_equal(h->network_mode, "host"))
                return "host-network";
        if (str_equal(h->uts_mode, "host") || str_equal(h->cgroupns_mode, "host"))
                return "host-namespace";
        /* That of somebody who may have more rights, or the host's after all. */
        if (join_wanted(h))
                return "container-namespace";

        STRV_FOREACH (bind, h->binds)
                if (path_is_absolute(*bind))
                        return "bind";
        for (size_t i = 0; i < h->n_mounts; i++) {
                const VolumeOptions *o = h->mounts[i].volume_options;

                /* An option of the local driver may mount what is on the host. */
                if (STR_IN_SET(str_or_empty(h->mounts[i].type), "bind", "") ||
                        (o && o->driver_config && pairs_count(o->driver_config->options) > 0))
                        return "bind";
        }
        if (!strv_empty(h->volumes_from)) /* the binds of another container */
                return "bind";
        if (h->resources.n_devices > 0 || h->resources.n_device_requests > 0 ||
                !strv_empty(h->resources.device_cgroup_rules))
                return "device";

        STRV_FOREACH (word, h->cap_add)
                if (!security_is_default_capability(*word))
                        return "capability";
        STRV_FOREACH (word, h->security_opt) {
                if (str_starts(*word, "seccomp"))
                        return "seccomp";
                if (str_starts(*word, "apparmor"))
                        return "apparmor";
                if (str_starts(*word, "systempaths") || str_starts(*word, "writable-cgroups"))
                        return "system-paths";
        }
        /* A list of one's own takes the place of the default one, and [] is a list. */
        if (!container_spec_hides_system_paths(h))
                return "system-paths";
        /* They go to the runtime, and some runtimes obey them: crun takes a filter for system calls from there. */
        if (pairs_count(h->annotations) > 0)
                return "annotation";
        if (!str_empty(h->resources.cgroup_parent))
                return "cgroup-parent";
        return NULL;
}
