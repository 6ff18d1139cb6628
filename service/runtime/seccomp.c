/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/seccomp.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/seccomp-names.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

DEFINE_CLEANUP(scmp_filter_ctx, seccomp_release);

static bool errno_counts(uint32_t action) {
        return action == SCMP_ACT_ERRNO(0) || action == SCMP_ACT_TRACE(0);
}

static int action_parse(const char *name, uint32_t errno_ret, uint32_t *ret, Error *reterr) {
        uint32_t action;
        int r;

        r = seccomp_action_from_name(name, &action);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID, "seccomp: unknown action \"%s\"",
                        str_or_empty(name));

        if (errno_counts(action)) {
                if (errno_ret == JSON_NO_UINT32)
                        errno_ret = EPERM;
                if (errno_ret > 0xffff)
                        return error_set(reterr, ERROR_INVALID,
                                "seccomp: errno %" PRIu32 " is out of range", errno_ret);
                action |= errno_ret;
        }

        *ret = action;
        return 0;
}

static int flags_parse(const RuntimeSeccomp *s, unsigned *ret, Error *reterr) {
        unsigned flags = 0;

        STRV_FOREACH (name, s->flags) {
                if (streq(*name, "SECCOMP_FILTER_FLAG_LOG"))
                        flags |= SECCOMP_FILTER_FLAG_LOG;
                else if (streq(*name, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"))
                        flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
                else if (streq(*name, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"))
                        flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
                else if (!streq(*name, "SECCOMP_FILTER_FLAG_TSYNC")) /* there is one thread */
                        return error_set(
                                reterr, ERROR_INVALID, "seccomp: unknown flag \"%s\"", *name);
        }

        *ret = flags;
        return 0;
}

static int rule_args(const RuntimeSyscall *c, struct scmp_arg_cmp *ret, Error *reterr) {
        for (size_t i = 0; i < c->n_args; i++) {
                const RuntimeSeccompArg *a = c->args + i;
                enum scmp_compare op;
                int r;

                r = seccomp_operator_from_name(a->op, &op);
                if (r < 0)
                        return error_set(reterr, ERROR_INVALID, "seccomp: unknown operator \"%s\"",
                                str_or_empty(a->op));
                if (a->index > 5)
                        return error_set(reterr, ERROR_INVALID,
                                "seccomp: a system call has no argument %" PRIu32, a->index);
                ret[i] = (struct scmp_arg_cmp) {
                        .arg = a->index,
                        .op = op,
                        .datum_a = a->value,
                        .datum_b = a->value_two,
                };
        }

        return 0;
}

static bool has_repeated_argument(const RuntimeSyscall *c) {
        for (size_t i = 0; i < c->n_args; i++)
                for (size_t k = 0; k < i; k++)
                        if (c->args[i].index == c->args[k].index)
                                return true;
        return false;
}

static int add_rule(scmp_filter_ctx context, const RuntimeSyscall *c, uint32_t default_action,
        unsigned *n_names, Error *reterr) {
        struct scmp_arg_cmp args[6] = {};
        uint32_t action;
        bool alternatives;
        int r;

        r = action_parse(c->action, c->errno_ret, &action, reterr);
        if (r < 0)
                return r;
        if (c->n_args > ARRAY_SIZE(args))
                return error_set(
                        reterr, ERROR_INVALID, "seccomp: more than six arguments in a rule");
        r = rule_args(c, args, reterr);
        if (r < 0)
                return r;

        /* The specification does not say what two tests of one argument mean; everybody takes either. */
        alternatives = has_repeated_argument(c);

        STRV_FOREACH (name, c->names) {
                int number;

                if (++*n_names > SECCOMP_NAMES_MAX)
                        return error_set(reterr, ERROR_TOO_LARGE,
                                "seccomp: more than %u system call names", SECCOMP_NAMES_MAX);
                if (action == default_action)
                        continue;

                /* Profiles name calls of every age and machine; what this library cannot name gets the default. */
                number = seccomp_syscall_resolve_name(*name);
                if (number == __NR_SCMP_ERROR)
                        continue;

                if (!alternatives)
                        r = seccomp_rule_add_array(
                                context, action, number, (unsigned) c->n_args, args);
                else
                        for (size_t i = 0; i < c->n_args; i++) {
                                r = seccomp_rule_add_array(context, action, number, 1, args + i);
                                if (r < 0)
                                        break;
                        }
                if (r == -EEXIST || r == -EDOM) /* said before; not a call of this architecture */
                        r = 0;
                if (r < 0)
                        return error_set_errno(reterr, r, "seccomp: rule for %s", *name);
        }

        return 0;
}

static int add_architectures(scmp_filter_ctx context, const RuntimeSeccomp *s, Error *reterr) {
        STRV_FOREACH (name, s->architectures) {
                uint32_t arch;
                int r;

                r = seccomp_arch_from_name(*name, &arch);
                if (r < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "seccomp: unknown architecture \"%s\"", *name);
                r = seccomp_arch_add(context, arch);
                if (r < 0 && r != -EEXIST)
                        return error_set_errno(reterr, r, "seccomp: architecture %s", *name);
        }

        return 0;
}

/* Calls that are younger than the profile must say ENOSYS, so that programs fall back to what they used before; with the
 * default's EPERM they give up. A few instructions in front of the library's: for each architecture, numbers above the greatest
 * one that the profile names. */
static int number_limit(const RuntimeSeccomp *s, uint32_t arch, uint32_t *ret) {
        int max = -1;

        for (size_t i = 0; i < s->n_syscalls; i++)
                STRV_FOREACH (name, s->syscalls[i].names) {
                        int number = seccomp_syscall_resolve_name_arch(arch, *name);

                        if (number > max)
                                max = number;
                }

        *ret = (uint32_t) max;
        return max >= 0;
}

static size_t emit_number_limits(const RuntimeSeccomp *s, struct sock_filter *p, size_t room) {
        static const uint32_t enosys = SECCOMP_RET_ERRNO | ENOSYS;
        uint32_t native = seccomp_arch_native();
        size_t n = 0;

        for (ssize_t i = -1; i < (ssize_t) strv_length(s->architectures); i++) {
                uint32_t arch = native, limit;

                if (i >= 0 &&
                        (seccomp_arch_from_name(s->architectures[i], &arch) < 0 || arch == native))
                        continue;
                /* x32 shares its number of the architecture with x86-64 and is told by a bit of the call number, so it
                 * lies above any limit: it is left to the library's part. */
                if (arch == SCMP_ARCH_X32 || !number_limit(s, arch, &limit))
                        continue;
                if (n + 6 > room)
                        break;

                p[n++] = (struct sock_filter) BPF_STMT(
                        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
                p[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 4);
                p[n++] = (struct sock_filter) BPF_STMT(
                        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
                p[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 2, 0);
                p[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, limit, 0, 1);
                p[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, enosys);
        }

        return n;
}

static int export(
        scmp_filter_ctx context, const RuntimeSeccomp *s, bool limits, SeccompFilter *ret) {
        _cleanup_(freep) struct sock_filter *p = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t n = 0;
        ssize_t size;
        int r;

        fd = fd_memfd("seccomp");
        if (fd < 0)
                return fd;
        r = seccomp_export_bpf(context, fd);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;

        p = new (struct sock_filter, BPF_MAXINSNS);
        if (!p)
                return -ENOMEM;
        if (limits)
                n = emit_number_limits(s, p, BPF_MAXINSNS);
        size = fd_read_full(fd, p + n, (BPF_MAXINSNS - n) * sizeof(*p));
        if (size < 0)
                return (int) size;
        n += (size_t) size / sizeof(*p);
        if (n >= BPF_MAXINSNS)
                return -E2BIG;

        ret->n_instructions = n;
        ret->instructions = p;
        ret->owned = TAKE_PTR(p);
        return 0;
}

int seccomp_compile(const RuntimeSeccomp *s, SeccompFilter *ret, Error *reterr) {
        _cleanup_(seccomp_filter_done) SeccompFilter f = {};
        _cleanup_(seccomp_releasep) scmp_filter_ctx context = NULL;
        unsigned n_names = 0;
        uint32_t action;
        int r;

        assert(s);
        assert(ret);

        r = flags_parse(s, &f.flags, reterr);
        if (r < 0)
                return r;
        r = action_parse(s->default_action, s->default_errno_ret, &action, reterr);
        if (r < 0)
                return r;

        context = seccomp_init(action);
        if (!context)
                return error_set(reterr, ERROR_INVALID,
                        "seccomp: default action \"%s\" is not possible here", s->default_action);
        r = add_architectures(context, s, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n_syscalls; i++) {
                r = add_rule(context, s->syscalls + i, action, &n_names, reterr);
                if (r < 0)
                        return r;
        }

        /* A binary tree instead of a list: shorter for every system call, and quicker to install, as the kernel tries the
         * program for every number. Older libraries do not know it. */
        (void) seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);

        r = export(
                context, s, errno_counts(action & 0xffff0000) && (action & 0xffff) != ENOSYS, &f);
        if (r < 0)
                return error_set_errno(reterr, r, "seccomp: compile the profile");

        *ret = TAKE_STRUCT(f);
        return 0;
}

void seccomp_filter_done(SeccompFilter *f) {
        if (!f)
                return;

        if (f->map)
                (void) munmap(f->map, f->map_size);
        free(f->owned);
        *f = (SeccompFilter) {};
}

int seccomp_filter_install(const SeccompFilter *f) {
        struct sock_fprog program;

        assert(f);

        if (f->n_instructions == 0)
                return 0;

        program = (struct sock_fprog) {
                .len = (unsigned short) f->n_instructions,
                .filter = (struct sock_filter *) f->instructions,
        };
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->flags, &program) < 0 ? -errno : 0;
}
