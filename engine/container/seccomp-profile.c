/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/seccomp-profile.h"

#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"

typedef struct SeccompCondition {
        char **caps;
        char **arches;
        char *min_kernel;
} SeccompCondition;

typedef struct SeccompRule {
        RuntimeSyscall syscall;
        char *name; /* old profiles name one system call only */
        SeccompCondition includes;
        SeccompCondition excludes;
} SeccompRule;

typedef struct SeccompArchitecture {
        char *architecture;
        char **sub_architectures;
} SeccompArchitecture;

struct SeccompProfile {
        char *default_action;
        uint32_t default_errno;
        char **architectures; /* a list, or the map: never both */
        char **flags;
        SeccompArchitecture *arch_map;
        size_t n_arch_map;
        SeccompRule *rules;
        size_t n_rules;
};

static const JsonField condition_fields[] = {
        JSON_STRV("caps", SeccompCondition, caps, JSON_OMIT_EMPTY),
        JSON_STRV("arches", SeccompCondition, arches, JSON_OMIT_EMPTY),
        JSON_STRING("minKernel", SeccompCondition, min_kernel, JSON_OMIT_EMPTY),
        {},
};

static const JsonField arg_fields[] = {
        JSON_UINT32("index", RuntimeSeccompArg, index, JSON_MANDATORY),
        JSON_UINT64("value", RuntimeSeccompArg, value, JSON_MANDATORY),
        JSON_UINT64("valueTwo", RuntimeSeccompArg, value_two, JSON_OMIT_EMPTY),
        JSON_STRING("op", RuntimeSeccompArg, op, JSON_MANDATORY),
        {},
};

/* runtime_syscall_fields, but "names" may be missing: old profiles have "name". */
static const JsonField rule_fields[] = {
        JSON_STRV("names", SeccompRule, syscall.names, JSON_NULLABLE),
        JSON_STRING("name", SeccompRule, name, JSON_OMIT_EMPTY),
        JSON_STRING("action", SeccompRule, syscall.action, JSON_MANDATORY),
        JSON_UINT32("errnoRet", SeccompRule, syscall.errno_ret, JSON_NULLABLE),
        JSON_ARRAY("args", SeccompRule, syscall.args, syscall.n_args, RuntimeSeccompArg, arg_fields,
                JSON_NULLABLE),
        JSON_NESTED("includes", SeccompRule, includes, condition_fields, JSON_OMIT_EMPTY),
        JSON_NESTED("excludes", SeccompRule, excludes, condition_fields, JSON_OMIT_EMPTY),
        {},
};

static const JsonField architecture_fields[] = {
        JSON_STRING("architecture", SeccompArchitecture, architecture, 0),
        JSON_STRV("subArchitectures", SeccompArchitecture, sub_architectures, JSON_NULLABLE),
        {},
};

static const JsonField profile_fields[] = {
        JSON_STRING("defaultAction", SeccompProfile, default_action, JSON_MANDATORY),
        JSON_UINT32("defaultErrnoRet", SeccompProfile, default_errno, JSON_NULLABLE),
        JSON_STRV("architectures", SeccompProfile, architectures, JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_STRV("flags", SeccompProfile, flags, JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_ARRAY("archMap", SeccompProfile, arch_map, n_arch_map, SeccompArchitecture,
                architecture_fields, JSON_NULLABLE),
        JSON_ARRAY("syscalls", SeccompProfile, rules, n_rules, SeccompRule, rule_fields,
                JSON_NULLABLE),
        {},
};

/* Names of Go's architectures and of libseccomp's. */
static const char *const native[][2] = {
        { "amd64", "SCMP_ARCH_X86_64" },
        { "386", "SCMP_ARCH_X86" },
        { "arm", "SCMP_ARCH_ARM" },
        { "arm64", "SCMP_ARCH_AARCH64" },
        { "ppc64le", "SCMP_ARCH_PPC64LE" },
        { "s390x", "SCMP_ARCH_S390X" },
        { "riscv64", "SCMP_ARCH_RISCV64" },
        { "loong64", "SCMP_ARCH_LOONGARCH64" },
        { "mips64", "SCMP_ARCH_MIPS64" },
};

SeccompProfile *seccomp_profile_free(SeccompProfile *p) {
        if (!p)
                return NULL;

        fields_done(profile_fields, p);
        free(p);
        return NULL;
}

static bool is_action(const char *s) {
        return STR_IN_SET(s, "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
                "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY",
                "SCMP_ACT_TRACE", "SCMP_ACT_TRAP");
}

static bool is_comparison(const char *s) {
        return STR_IN_SET(s, "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ",
                "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ");
}

static int check(const SeccompProfile *p, Error *reterr) {
        if (!is_action(str_or_empty(p->default_action)))
                return error_set(reterr, ERROR_INVALID, "unknown defaultAction \"%s\"",
                        str_or_empty(p->default_action));
        if (!strv_empty(p->architectures) && p->n_arch_map > 0)
                return error_set(reterr, ERROR_INVALID, "use either 'architectures' or 'archMap'");

        for (size_t i = 0; i < p->n_rules; i++) {
                const SeccompRule *rule = p->rules + i;

                if (!str_empty(rule->name) && !strv_empty(rule->syscall.names))
                        return error_set(reterr, ERROR_INVALID, "use either 'name' or 'names'");
                if (!is_action(str_or_empty(rule->syscall.action)))
                        return error_set(reterr, ERROR_INVALID, "unknown action \"%s\"",
                                str_or_empty(rule->syscall.action));
                for (size_t k = 0; k < rule->syscall.n_args; k++)
                        if (rule->syscall.args[k].index > 5 ||
                                !is_comparison(str_or_empty(rule->syscall.args[k].op)))
                                return error_set(reterr, ERROR_INVALID,
                                        "argument %u of a rule with \"%s\": no such argument or "
                                        "comparison",
                                        rule->syscall.args[k].index,
                                        str_or_empty(rule->syscall.args[k].op));
        }
        return 0;
}

int seccomp_profile_parse(const char *text, size_t size, SeccompProfile **ret, Error *reterr) {
        _cleanup_(seccomp_profile_freep) SeccompProfile *p = NULL;
        int r;

        assert(text);
        assert(ret);

        if (size > SECCOMP_PROFILE_SIZE_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "profile is too large");

        p = new0(SeccompProfile, 1);
        if (!p)
                return -ENOMEM;
        fields_init(profile_fields, p);
        r = json_read_text(text, size, profile_fields, p, 0, reterr);
        if (r < 0)
                return r;
        r = check(p, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(p);
        return 0;
}

static bool kernel_is_at_least(const char *version, const unsigned kernel[2]) {
        unsigned major = 0, minor = 0;

        if (sscanf(version, "%u.%u", &major, &minor) < 1)
                return false;
        return kernel[0] > major || (kernel[0] == major && kernel[1] >= minor);
}

/* All of includes must hold, none of excludes may. */
static bool rule_applies(const SeccompRule *rule, const char *architecture,
        char *const *capabilities, const unsigned kernel[2]) {
        const SeccompCondition *in = &rule->includes, *ex = &rule->excludes;

        if (!strv_empty(ex->arches) && strv_contains(ex->arches, architecture))
                return false;
        STRV_FOREACH (cap, ex->caps)
                if (strv_contains(capabilities, *cap))
                        return false;
        if (!str_empty(ex->min_kernel) && kernel_is_at_least(ex->min_kernel, kernel))
                return false;

        if (!strv_empty(in->arches) && !strv_contains(in->arches, architecture))
                return false;
        STRV_FOREACH (cap, in->caps)
                if (!strv_contains(capabilities, *cap))
                        return false;
        return str_empty(in->min_kernel) || kernel_is_at_least(in->min_kernel, kernel);
}

static int copy_architectures(const SeccompProfile *p, const char *architecture, char ***ret) {
        const char *name = NULL;
        int r;

        if (!strv_empty(p->architectures))
                return strv_add_all(ret, p->architectures);

        for (size_t i = 0; i < ARRAY_SIZE(native); i++)
                if (streq(architecture, native[i][0]))
                        name = native[i][1];
        for (size_t i = 0; name && i < p->n_arch_map; i++) {
                if (!str_equal(p->arch_map[i].architecture, name))
                        continue;
                r = strv_add(ret, name);
                return r < 0 ? r : strv_add_all(ret, p->arch_map[i].sub_architectures);
        }
        return name ? strv_add(ret, name) : 0;
}

int seccomp_profile_evaluate(const SeccompProfile *p, const char *architecture,
        char *const *capabilities, const unsigned kernel[2], RuntimeSeccomp **ret) {
        RuntimeSeccomp *s;
        int r;

        assert(p);
        assert(architecture);
        assert(ret);

        s = runtime_part_new(RuntimeSeccomp, runtime_seccomp_fields);
        if (!s)
                return -ENOMEM;

        s->default_errno_ret = p->default_errno;
        r = str_copy(&s->default_action, p->default_action);
        if (r >= 0)
                r = copy_architectures(p, architecture, &s->architectures);
        if (r >= 0 && !strv_empty(p->flags))
                r = strv_set(&s->flags, p->flags);
        if (r >= 0) {
                s->syscalls = new0(RuntimeSyscall, MAX(p->n_rules, (size_t) 1));
                r = s->syscalls ? 0 : -ENOMEM;
        }

        for (size_t i = 0; r >= 0 && i < p->n_rules; i++) {
                const SeccompRule *rule = p->rules + i;
                RuntimeSyscall *to = s->syscalls + s->n_syscalls;

                if (!rule_applies(rule, architecture, capabilities, kernel))
                        continue;
                s->n_syscalls++;
                r = fields_copy(runtime_syscall_fields, &rule->syscall, to);
                if (r >= 0 && !str_empty(rule->name))
                        r = strv_add(&to->names, rule->name);
        }
        if (r < 0) {
                fields_done(runtime_seccomp_fields, s);
                free(s);
                return r;
        }

        *ret = s;
        return 0;
}
