/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/seccomp-names.h"

#include <errno.h>
#include <stddef.h>

#include "lib/base/macro.h"
#include "lib/base/str.h"
#include "service/runtime/seccomp.h"

/* Each list of words is in the order of the list of values below it. */
const char *const seccomp_action_names[] = {
        "SCMP_ACT_KILL",
        "SCMP_ACT_KILL_PROCESS",
        "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_TRAP",
        "SCMP_ACT_ERRNO",
        "SCMP_ACT_TRACE",
        "SCMP_ACT_ALLOW",
        "SCMP_ACT_LOG",
        NULL,
};
static const uint32_t action_values[] = {
        SCMP_ACT_KILL,
        SCMP_ACT_KILL_PROCESS,
        SCMP_ACT_KILL_THREAD,
        SCMP_ACT_TRAP,
        SCMP_ACT_ERRNO(0),
        SCMP_ACT_TRACE(0),
        SCMP_ACT_ALLOW,
        SCMP_ACT_LOG,
};

const char *const seccomp_operator_names[] = {
        "SCMP_CMP_NE",
        "SCMP_CMP_LT",
        "SCMP_CMP_LE",
        "SCMP_CMP_EQ",
        "SCMP_CMP_GE",
        "SCMP_CMP_GT",
        "SCMP_CMP_MASKED_EQ",
        NULL,
};
static const enum scmp_compare operator_values[] = {
        SCMP_CMP_NE,
        SCMP_CMP_LT,
        SCMP_CMP_LE,
        SCMP_CMP_EQ,
        SCMP_CMP_GE,
        SCMP_CMP_GT,
        SCMP_CMP_MASKED_EQ,
};

const char *const seccomp_arch_names[] = {
        "SCMP_ARCH_X86",
        "SCMP_ARCH_X86_64",
        "SCMP_ARCH_X32",
        "SCMP_ARCH_ARM",
        "SCMP_ARCH_AARCH64",
        "SCMP_ARCH_MIPS",
        "SCMP_ARCH_MIPS64",
        "SCMP_ARCH_MIPS64N32",
        "SCMP_ARCH_MIPSEL",
        "SCMP_ARCH_MIPSEL64",
        "SCMP_ARCH_MIPSEL64N32",
        "SCMP_ARCH_PPC",
        "SCMP_ARCH_PPC64",
        "SCMP_ARCH_PPC64LE",
        "SCMP_ARCH_S390",
        "SCMP_ARCH_S390X",
        "SCMP_ARCH_PARISC",
        "SCMP_ARCH_PARISC64",
        "SCMP_ARCH_RISCV64",
        NULL,
};
static const uint32_t arch_values[] = {
        SCMP_ARCH_X86,
        SCMP_ARCH_X86_64,
        SCMP_ARCH_X32,
        SCMP_ARCH_ARM,
        SCMP_ARCH_AARCH64,
        SCMP_ARCH_MIPS,
        SCMP_ARCH_MIPS64,
        SCMP_ARCH_MIPS64N32,
        SCMP_ARCH_MIPSEL,
        SCMP_ARCH_MIPSEL64,
        SCMP_ARCH_MIPSEL64N32,
        SCMP_ARCH_PPC,
        SCMP_ARCH_PPC64,
        SCMP_ARCH_PPC64LE,
        SCMP_ARCH_S390,
        SCMP_ARCH_S390X,
        SCMP_ARCH_PARISC,
        SCMP_ARCH_PARISC64,
        SCMP_ARCH_RISCV64,
};

const char *const seccomp_flag_names[] = {
        "SECCOMP_FILTER_FLAG_TSYNC",
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_LOG",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
        NULL,
};

static int find(const char *const *names, const char *name) {
        if (name)
                for (int i = 0; names[i]; i++)
                        if (streq(names[i], name))
                                return i;
        return -EINVAL;
}

int seccomp_action_from_name(const char *name, uint32_t *ret) {
        int i = find(seccomp_action_names, name);

        assert(ret);

        if (i < 0)
                return i;
        *ret = action_values[i];
        return 0;
}

int seccomp_operator_from_name(const char *name, enum scmp_compare *ret) {
        int i = find(seccomp_operator_names, name);

        assert(ret);

        if (i < 0)
                return i;
        *ret = operator_values[i];
        return 0;
}

int seccomp_arch_from_name(const char *name, uint32_t *ret) {
        int i = find(seccomp_arch_names, name);

        assert(ret);

        if (i < 0)
                return i;
        *ret = arch_values[i];
        return 0;
}

_Static_assert(ARRAY_SIZE(action_values) + 1 == ARRAY_SIZE(seccomp_action_names), "same order");
_Static_assert(ARRAY_SIZE(operator_values) + 1 == ARRAY_SIZE(seccomp_operator_names), "same order");
_Static_assert(ARRAY_SIZE(arch_values) + 1 == ARRAY_SIZE(seccomp_arch_names), "same order");
