/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/runtime-spec.h"

/* By number. */
static const char *const capability_table[] = {
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_DAC_READ_SEARCH",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_SETGID",
        "CAP_SETUID",
        "CAP_SETPCAP",
        "CAP_LINUX_IMMUTABLE",
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN",
        "CAP_NET_RAW",
        "CAP_IPC_LOCK",
        "CAP_IPC_OWNER",
        "CAP_SYS_MODULE",
        "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE",
        "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT",
        "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE",
        "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG",
        "CAP_MKNOD",
        "CAP_LEASE",
        "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL",
        "CAP_SETFCAP",
        "CAP_MAC_OVERRIDE",
        "CAP_MAC_ADMIN",
        "CAP_SYSLOG",
        "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND",
        "CAP_AUDIT_READ",
        "CAP_PERFMON",
        "CAP_BPF",
        "CAP_CHECKPOINT_RESTORE",
};

int capability_from_name(const char *name) {
        const char *rest;

        assert(name);

        rest = str_starts_nocase(name, "CAP_");
        if (!rest)
                rest = name;

        for (size_t i = 0; i < ARRAY_SIZE(capability_table); i++)
                if (strcasecmp(rest, capability_table[i] + STRLEN("CAP_")) == 0)
                        return (int) i;

        return -EINVAL;
}

const char *capability_to_name(unsigned capability) {
        return capability < ARRAY_SIZE(capability_table) ? capability_table[capability] : NULL;
}

static int set_parse(char *const *names, uint64_t *ret, Error *reterr) {
        uint64_t set = 0;

        STRV_FOREACH (name, names) {
                int c = capability_from_name(*name);

                if (c < 0)
                        return error_set(reterr, ERROR_INVALID, "unknown capability \"%s\"", *name);
                set |= UINT64_C(1) << c;
        }

        *ret = set;
        return 0;
}

int capabilities_parse(const RuntimeCapabilities *c, CapabilitySets *ret, Error *reterr) {
        CapabilitySets s = {};
        int r;

        assert(ret);

        if (c) {
                r = set_parse(c->bounding, &s.bounding, reterr);
                if (r >= 0)
                        r = set_parse(c->effective, &s.effective, reterr);
                if (r >= 0)
                        r = set_parse(c->permitted, &s.permitted, reterr);
                if (r >= 0)
                        r = set_parse(c->inheritable, &s.inheritable, reterr);
                if (r >= 0)
                        r = set_parse(c->ambient, &s.ambient, reterr);
                if (r < 0)
                        return r;
        }

        /* What the kernel would refuse with a bare EPERM. */
        if (s.effective & ~s.permitted)
                return error_set(reterr, ERROR_INVALID,
                        "capabilities: an effective capability is not permitted");
        if (s.ambient & ~(s.permitted & s.inheritable))
                return error_set(reterr, ERROR_INVALID,
                        "capabilities: an ambient capability is not permitted and inheritable");

        *ret = s;
        return 0;
}

void capabilities_limit(CapabilitySets *s, uint64_t held) {
        assert(s);

        s->bounding &= held;
        s->effective &= held;
        s->permitted &= held;
        s->inheritable &= held;
        s->ambient &= held;
}

int capabilities_held(uint64_t *ret) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = {};

        assert(ret);

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;

        *ret = data[0].permitted | ((uint64_t) data[1].permitted << 32);
        return 0;
}

int capabilities_apply_bounding(const CapabilitySets *s) {
        assert(s);

        for (unsigned c = 0; c < CAPABILITY_MAX; c++) {
                if (s->bounding & (UINT64_C(1) << c))
                        continue;
                if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) >= 0)
                        continue;
                if (errno == EINVAL) /* the kernel has no more of them */
                        return 0;
                return -errno;
        }

        return 0;
}

int capabilities_keep(void) {
        return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int set(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];

        for (unsigned i = 0; i < 2; i++)
                data[i] = (struct __user_cap_data_struct) {
                        .effective = (uint32_t) (effective >> (32 * i)),
                        .permitted = (uint32_t) (permitted >> (32 * i)),
                        .inheritable = (uint32_t) (inheritable >> (32 * i)),
                };

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int capabilities_apply_inherited(const CapabilitySets *s) {
        uint64_t held;
        int r;

        assert(s);

        r = capabilities_held(&held);
        if (r >= 0)
                r = set(s->effective, held, s->inheritable);
        if (r < 0)
                return r;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -errno;

        for (unsigned c = 0; c < CAPABILITY_MAX; c++)
                if (s->ambient & (UINT64_C(1) << c) &&
                        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
                        return -errno;

        return 0;
}

int capabilities_raise(const CapabilitySets *s) {
        uint64_t held;
        int r;

        assert(s);

        r = capabilities_held(&held);
        return r < 0 ? r : set(held, held, s->inheritable);
}

int capabilities_apply(const CapabilitySets *s) {
        assert(s);

        return set(s->effective, s->permitted, s->inheritable);
}
