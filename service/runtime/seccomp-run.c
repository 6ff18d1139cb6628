/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "service/runtime/seccomp.h"

/* One instruction that changes nothing but the accumulator; false: not one of those that libseccomp makes. */
static bool compute(const struct sock_filter *i, const struct seccomp_data *data, uint32_t *a) {
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
                if (i->k > sizeof(*data) - sizeof(*a))
                        return false;
                memcpy(a, (const char *) data + i->k, sizeof(*a));
                return true;
        case BPF_ALU | BPF_AND | BPF_K:
                *a &= i->k;
                return true;
        default:
                return false;
        }
}

static bool jump(const struct sock_filter *i, uint32_t a, size_t *pc) {
        bool yes;

        switch (i->code) {
        case BPF_JMP | BPF_JA:
                *pc += i->k;
                return true;
        case BPF_JMP | BPF_JEQ | BPF_K:
                yes = a == i->k;
                break;
        case BPF_JMP | BPF_JGT | BPF_K:
                yes = a > i->k;
                break;
        case BPF_JMP | BPF_JGE | BPF_K:
                yes = a >= i->k;
                break;
        case BPF_JMP | BPF_JSET | BPF_K:
                yes = a & i->k;
                break;
        default:
                return false;
        }
        *pc += yes ? i->jt : i->jf;
        return true;
}

bool seccomp_filter_allows(const SeccompFilter *f, int number, const uint64_t args[6]) {
        struct seccomp_data data = { .nr = number, .arch = seccomp_arch_native() };
        uint32_t a = 0;

        assert(f);

        if (f->n_instructions == 0)
                return true;
        for (size_t i = 0; args && i < 6; i++)
                data.args[i] = args[i];

        /* There are only jumps forward, so it ends. */
        for (size_t pc = 0; pc < f->n_instructions; pc++) {
                const struct sock_filter *i = f->instructions + pc;

                if (i->code == (BPF_RET | BPF_K))
                        return (i->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW ||
                               (i->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_LOG;
                if (!compute(i, &data, &a) && !jump(i, a, &pc))
                        return false;
        }
        return false;
}
