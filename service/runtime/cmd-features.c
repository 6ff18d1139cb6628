/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/args.h"
#include "service/runtime/capabilities.h"
#include "service/runtime/commands.h"
#include "service/runtime/mount-options.h"
#include "service/runtime/namespaces.h"
#include "service/runtime/seccomp.h"
#include "stauer-config.h"

static const char *const hook_names[] = {
        "prestart",
        "createRuntime",
        "createContainer",
        "startContainer",
        "poststart",
        "poststop",
        NULL,
};

static int set_names(Json *object, const char *key, const char *const *names) {
        return json_set_strv(object, key, (char *const *) names);
}

static int set_enabled(Json *object, const char *key, bool enabled) {
        Json *child;
        int r;

        r = json_set_new_object(object, key, &child);
        return r < 0 ? r : json_set_bool(child, "enabled", enabled);
}

static int add_capabilities(Json *linux_) {
        Json *list;
        int r;

        r = json_set_new_list(linux_, "capabilities", &list);
        for (unsigned i = 0; r >= 0 && capability_to_name(i); i++)
                r = json_append_text(list, capability_to_name(i));
        return r;
}

static int add_namespaces(Json *linux_) {
        Json *list;
        int r;

        r = json_set_new_list(linux_, "namespaces", &list);
        for (NamespaceType t = 0; r >= 0 && t < _NAMESPACE_TYPE_MAX; t++)
                r = json_append_text(list, namespace_to_string(t));
        return r;
}

static int add_cgroup(Json *linux_) {
        Json *cgroup;
        int r;

        r = json_set_new_object(linux_, "cgroup", &cgroup);
        if (r >= 0)
                r = json_set_bool(cgroup, "v1", false);
        if (r >= 0)
                r = json_set_bool(cgroup, "v2", true);
        if (r >= 0)
                r = json_set_bool(cgroup, "systemd", true);
        if (r >= 0)
                r = json_set_bool(cgroup, "systemdUser", false);
        if (r >= 0)
                r = json_set_bool(cgroup, "rdma", true);
        return r;
}

static int add_seccomp(Json *linux_) {
        Json *seccomp;
        int r;

        r = json_set_new_object(linux_, "seccomp", &seccomp);
        if (r >= 0)
                r = json_set_bool(seccomp, "enabled", true);
        if (r >= 0)
                r = set_names(seccomp, "actions", seccomp_action_names);
        if (r >= 0)
                r = set_names(seccomp, "operators", seccomp_operator_names);
        if (r >= 0)
                r = set_names(seccomp, "archs", seccomp_arch_names);
        if (r >= 0)
                r = set_names(seccomp, "knownFlags", seccomp_flag_names);
        if (r >= 0)
                r = set_names(seccomp, "supportedFlags", seccomp_flag_names);
        return r;
}

int command_features(const Globals *g, char **argv, Error *reterr) {
        static const Arg table[] = { {} };
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        const char *words[1];
        Json *linux_, *child;
        int r;

        r = args_parse(argv, table, words, 0, 0, reterr);
        if (r < 0)
                return r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "ociVersionMin", "1.0.0");
        if (r >= 0)
                r = json_set_text(v, "ociVersionMax", RUNTIME_SPEC_VERSION);
        if (r >= 0)
                r = set_names(v, "hooks", hook_names);
        if (r >= 0)
                r = set_names(v, "mountOptions", mount_options_names());
        if (r >= 0)
                r = json_set_new_object(v, "linux", &linux_);
        if (r >= 0)
                r = add_namespaces(linux_);
        if (r >= 0)
                r = add_capabilities(linux_);
        if (r >= 0)
                r = add_cgroup(linux_);
        if (r >= 0)
                r = add_seccomp(linux_);
        if (r >= 0)
                r = set_enabled(linux_, "apparmor", true);
        if (r >= 0)
                r = set_enabled(linux_, "selinux", true);
        if (r >= 0)
                r = set_enabled(linux_, "intelRdt", false);
        if (r >= 0)
                r = json_set_new_object(linux_, "mountExtensions", &child);
        if (r >= 0)
                r = set_enabled(child, "idmap", false);
        if (r >= 0)
                r = json_set_new_object(v, "annotations", &child);
        if (r >= 0)
                r = json_set_text(child, "org.stauer.version", STAUER_VERSION);
        if (r >= 0)
                r = json_print(v, JSON_PRETTY, &text);
        if (r < 0)
                return r;

        (void) fputs(text, stdout);
        return fflush(stdout) < 0 ? -errno : 0;
}
