/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/security.h"

#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define SECURITY_OPTIONS_MAX 100U

/* clang-format off */
static const struct {
        const char *name;
        bool is_default; /* Docker's fourteen */
} capabilities[] = {
        { "CAP_CHOWN",              true  }, /* 0: the index is the kernel's number */
        { "CAP_DAC_OVERRIDE",       true  },
        { "CAP_DAC_READ_SEARCH",    false },
        { "CAP_FOWNER",             true  },
        { "CAP_FSETID",             true  },
        { "CAP_KILL",               true  },
        { "CAP_SETGID",             true  },
        { "CAP_SETUID",             true  },
        { "CAP_SETPCAP",            true  },
        { "CAP_LINUX_IMMUTABLE",    false },
        { "CAP_NET_BIND_SERVICE",   true  },
        { "CAP_NET_BROADCAST",      false },
        { "CAP_NET_ADMIN",          false },
        { "CAP_NET_RAW",            true  },
        { "CAP_IPC_LOCK",           false },
        { "CAP_IPC_OWNER",          false },
        { "CAP_SYS_MODULE",         false },
        { "CAP_SYS_RAWIO",          false },
        { "CAP_SYS_CHROOT",         true  },
        { "CAP_SYS_PTRACE",         false },
        { "CAP_SYS_PACCT",          false },
        { "CAP_SYS_ADMIN",          false },
        { "CAP_SYS_BOOT",           false },
        { "CAP_SYS_NICE",           false },
        { "CAP_SYS_RESOURCE",       false },
        { "CAP_SYS_TIME",           false },
        { "CAP_SYS_TTY_CONFIG",     false },
        { "CAP_MKNOD",              true  },
        { "CAP_LEASE",              false },
        { "CAP_AUDIT_WRITE",        true  },
        { "CAP_AUDIT_CONTROL",      false },
        { "CAP_SETFCAP",            true  },
        { "CAP_MAC_OVERRIDE",       false },
        { "CAP_MAC_ADMIN",          false },
        { "CAP_SYSLOG",             false },
        { "CAP_WAKE_ALARM",         false },
        { "CAP_BLOCK_SUSPEND",      false },
        { "CAP_AUDIT_READ",         false },
        { "CAP_PERFMON",            false },
        { "CAP_BPF",                false },
        { "CAP_CHECKPOINT_RESTORE", false },
};
/* clang-format on */

#define ALL "ALL"

const char *security_capability(const char *word) {
        const char *rest = str_starts_nocase(word, "CAP_");

        if (!rest)
                rest = word;
        for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
                if (strcasecmp(rest, capabilities[i].name + STRLEN("CAP_")) == 0)
                        return capabilities[i].name;
        return NULL;
}

bool security_is_default_capability(const char *word) {
        const char *name = security_capability(word);

        for (size_t i = 0; name && i < ARRAY_SIZE(capabilities); i++)
                if (streq(name, capabilities[i].name))
                        return capabilities[i].is_default;
        return false;
}

int security_check_capabilities(char *const *list, const char *what, Error *reterr) {
        STRV_FOREACH (word, list)
                if (strcasecmp(*word, ALL) != 0 && !security_capability(*word))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid %s: unknown capability: \"%s\"", what, *word);
        return 0;
}

static bool has_all(char *const *list) {
        STRV_FOREACH (word, list)
                if (strcasecmp(*word, ALL) == 0)
                        return true;
        return false;
}

static bool has_name(char *const *list, const char *name) {
        STRV_FOREACH (word, list)
                if (str_equal(security_capability(*word), name))
                        return true;
        return false;
}

int security_capabilities(const HostConfig *h, unsigned last, char ***ret) {
        _cleanup_(strv_freep) char **set = NULL;
        bool add_all = has_all(h->cap_add), drop_all = has_all(h->cap_drop);
        int r;

        assert(h);
        assert(ret);

        for (size_t i = 0; i < ARRAY_SIZE(capabilities) && i <= last; i++) {
                const char *name = capabilities[i].name;
                bool has;

                if (h->privileged)
                        has = true;
                else if (has_name(h->cap_add, name))
                        has = true; /* also after --cap-drop ALL */
                else if (add_all)
                        has = !has_name(h->cap_drop, name);
                else
                        has = capabilities[i].is_default && !drop_all &&
                              !has_name(h->cap_drop, name);
                if (!has)
                        continue;
                r = strv_add(&set, name);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(set);
        return 0;
}

const char *security_apparmor_profile(const HostConfig *h, const SecurityOptions *o) {
        if (h->privileged)
                return "unconfined";
        return str_empty(o->apparmor) ? "docker-default" : o->apparmor;
}

void security_options_done(SecurityOptions *o) {
        free(o->seccomp_profile);
        free(o->apparmor);
        free(o->selinux_label);
        *o = (SecurityOptions) {};
}

int security_options_parse(char *const *words, SecurityOptions *ret, Error *reterr) {
        _cleanup_(security_options_done) SecurityOptions o = {};
        int r;

        assert(ret);

        if (strv_length(words) > SECURITY_OPTIONS_MAX)
                return error_set(reterr, ERROR_INVALID, "more than %u security options",
                        SECURITY_OPTIONS_MAX);

        STRV_FOREACH (word, words) {
                const char *value = strchr(*word, '='), *colon = strchr(*word, ':');
                _cleanup_(freep) char *key = NULL;

                if (streq(*word, "no-new-privileges")) {
                        o.no_new_privileges = o.no_new_privileges_given = true;
                        continue;
                }
                if (streq(*word, "disable"))
                        continue; /* of labels, as old clients write it */
                if (!value || (colon && colon < value))
                        value = colon;
                if (!value)
                        return error_set(
                                reterr, ERROR_INVALID, "invalid --security-opt 1: \"%s\"", *word);
                r = str_copy_n(&key, *word, (size_t) (value - *word));
                if (r < 0)
                        return r;
                value++;

                if (streq(key, "no-new-privileges")) {
                        if (parse_bool(value, &o.no_new_privileges) < 0)
                                return error_set(reterr, ERROR_INVALID,
                                        "invalid --security-opt 2: \"%s\"", *word);
                        o.no_new_privileges_given = true;
                } else if (streq(key, "writable-cgroups")) {
                        if (parse_bool(value, &o.writable_cgroups) < 0)
                                return error_set(reterr, ERROR_INVALID,
                                        "invalid --security-opt 2: \"%s\"", *word);
                } else if (streq(key, "seccomp")) {
                        o.seccomp_unconfined = streq(value, "unconfined");
                        o.seccomp_profile = mfree(o.seccomp_profile);
                        if (!STR_IN_SET(value, "unconfined", "builtin", "default")) {
                                r = str_copy(&o.seccomp_profile, value);
                                if (r < 0)
                                        return r;
                        }
                } else if (streq(key, "apparmor")) {
                        r = str_copy(&o.apparmor, value);
                        if (r < 0)
                                return r;
                } else if (streq(key, "label")) {
                        /* As Docker without --selinux-enabled, which is not there yet: stored, never looked at. */
                } else
                        return error_set(
                                reterr, ERROR_INVALID, "invalid --security-opt 2: \"%s\"", *word);
        }

        *ret = TAKE_STRUCT(o);
        return 0;
}
