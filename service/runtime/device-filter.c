/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/device-filter.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

/* One rule in the kernel's terms. */
typedef struct Rule {
        bool allow;
        int type;      /* BPF_DEVCG_DEV_*, 0: any */
        int64_t major; /* -1: any */
        int64_t minor;
        unsigned access;
} Rule;

/* In order; majors and minors are fixed by the kernel's documentation (admin-guide/devices.txt). */
static const Rule default_rules[] = {
        { true, BPF_DEVCG_DEV_CHAR, -1, -1, BPF_DEVCG_ACC_MKNOD },
        { true, BPF_DEVCG_DEV_BLOCK, -1, -1, BPF_DEVCG_ACC_MKNOD },
        { true, BPF_DEVCG_DEV_CHAR, 1, 3, ACCESS_ALL },    /* null */
        { true, BPF_DEVCG_DEV_CHAR, 1, 5, ACCESS_ALL },    /* zero */
        { true, BPF_DEVCG_DEV_CHAR, 1, 7, ACCESS_ALL },    /* full */
        { true, BPF_DEVCG_DEV_CHAR, 1, 8, ACCESS_ALL },    /* random */
        { true, BPF_DEVCG_DEV_CHAR, 1, 9, ACCESS_ALL },    /* urandom */
        { true, BPF_DEVCG_DEV_CHAR, 5, 0, ACCESS_ALL },    /* tty */
        { true, BPF_DEVCG_DEV_CHAR, 5, 2, ACCESS_ALL },    /* ptmx */
        { true, BPF_DEVCG_DEV_CHAR, 136, -1, ACCESS_ALL }, /* pts */
};

/* A rule is at most: two tests, three about its bits, a result of two. */
#define INSTRUCTIONS_PER_RULE 7U
#define INSTRUCTIONS_FRAME    12U

enum {
        REG_RESULT = BPF_REG_0,
        REG_CONTEXT = BPF_REG_1,
        REG_TYPE = BPF_REG_2,
        REG_ACCESS = BPF_REG_3, /* the bits that no rule has allowed yet */
        REG_MAJOR = BPF_REG_4,
        REG_MINOR = BPF_REG_5,
        REG_DEVICE = BPF_REG_6, /* major and minor together */
        REG_SCRATCH = BPF_REG_7,
};

#define MINOR_BITS 20

static void emit(
        DeviceFilter *f, uint8_t code, uint8_t to, uint8_t from, int16_t jump, int32_t value) {
        f->instructions[f->n_instructions++] = (struct bpf_insn) {
                .code = code,
                .dst_reg = to,
                .src_reg = from,
                .off = jump,
                .imm = value,
        };
}

static void emit_load(DeviceFilter *f, uint8_t to, size_t offset) {
        emit(f, BPF_LDX | BPF_MEM | BPF_W, to, REG_CONTEXT, (int16_t) offset, 0);
}

static void emit_result(DeviceFilter *f, bool allow) {
        emit(f, BPF_ALU64 | BPF_MOV | BPF_K, REG_RESULT, 0, 0, allow);
        emit(f, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void emit_prologue(DeviceFilter *f) {
        emit_load(f, REG_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
        emit(f, BPF_ALU | BPF_MOV | BPF_X, REG_ACCESS, REG_TYPE, 0, 0);
        emit(f, BPF_ALU | BPF_AND | BPF_K, REG_TYPE, 0, 0, 0xffff);
        emit(f, BPF_ALU | BPF_RSH | BPF_K, REG_ACCESS, 0, 0, 16);
        emit_load(f, REG_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
        emit_load(f, REG_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
        emit(f, BPF_ALU | BPF_MOV | BPF_X, REG_DEVICE, REG_MAJOR, 0, 0);
        emit(f, BPF_ALU | BPF_LSH | BPF_K, REG_DEVICE, 0, 0, MINOR_BITS);
        emit(f, BPF_ALU | BPF_OR | BPF_X, REG_DEVICE, REG_MINOR, 0, 0);
}

/* The tests jump to the end of this rule, which is where the next one begins. */
static void emit_rule(DeviceFilter *f, const Rule *rule) {
        size_t tests[2], n_tests = 0;

        if (rule->type != 0) {
                tests[n_tests++] = f->n_instructions;
                emit(f, BPF_JMP | BPF_JNE | BPF_K, REG_TYPE, 0, 0, rule->type);
        }
        if (rule->major >= 0 && rule->minor >= 0) {
                tests[n_tests++] = f->n_instructions;
                emit(f, BPF_JMP32 | BPF_JNE | BPF_K, REG_DEVICE, 0, 0,
                        (int32_t) (uint32_t) (rule->major << MINOR_BITS | rule->minor));
        } else if (rule->major >= 0) {
                tests[n_tests++] = f->n_instructions;
                emit(f, BPF_JMP | BPF_JNE | BPF_K, REG_MAJOR, 0, 0, (int32_t) rule->major);
        } else if (rule->minor >= 0) {
                tests[n_tests++] = f->n_instructions;
                emit(f, BPF_JMP | BPF_JNE | BPF_K, REG_MINOR, 0, 0, (int32_t) rule->minor);
        }

        if (rule->access == ACCESS_ALL)
                emit_result(f, rule->allow);
        else if (rule->allow) {
                emit(f, BPF_ALU | BPF_AND | BPF_K, REG_ACCESS, 0, 0,
                        (int32_t) (ACCESS_ALL & ~rule->access));
                emit(f, BPF_JMP | BPF_JNE | BPF_K, REG_ACCESS, 0, 2, 0);
                emit_result(f, true);
        } else {
                emit(f, BPF_ALU | BPF_MOV | BPF_X, REG_SCRATCH, REG_ACCESS, 0, 0);
                emit(f, BPF_ALU | BPF_AND | BPF_K, REG_SCRATCH, 0, 0, (int32_t) rule->access);
                emit(f, BPF_JMP | BPF_JEQ | BPF_K, REG_SCRATCH, 0, 2, 0);
                emit_result(f, false);
        }

        for (size_t i = 0; i < n_tests; i++)
                f->instructions[tests[i]].off = (int16_t) (f->n_instructions - tests[i] - 1);
}

static int rule_parse(const RuntimeDeviceRule *r, Rule *ret, Error *reterr) {
        Rule rule = { .allow = r->allow, .major = -1, .minor = -1 };

        if (str_empty(r->type) || streq(r->type, "a"))
                rule.type = 0;
        else if (STR_IN_SET(r->type, "c", "u"))
                rule.type = BPF_DEVCG_DEV_CHAR;
        else if (streq(r->type, "b"))
                rule.type = BPF_DEVCG_DEV_BLOCK;
        else
                return error_set(reterr, ERROR_INVALID,
                        "device rule: type \"%s\" is not one of a, b, c", r->type);

        if (r->major != JSON_NO_INT64 && r->major >= 0)
                rule.major = r->major;
        if (r->minor != JSON_NO_INT64 && r->minor >= 0)
                rule.minor = r->minor;
        if (rule.major > 0xfff || rule.minor > 0xfffff)
                return error_set(reterr, ERROR_INVALID,
                        "device rule: no device has the number %lld:%lld", (long long) rule.major,
                        (long long) rule.minor);

        for (const char *p = str_or_empty(r->access); *p; p++)
                if (*p == 'r')
                        rule.access |= BPF_DEVCG_ACC_READ;
                else if (*p == 'w')
                        rule.access |= BPF_DEVCG_ACC_WRITE;
                else if (*p == 'm')
                        rule.access |= BPF_DEVCG_ACC_MKNOD;
                else
                        return error_set(reterr, ERROR_INVALID,
                                "device rule: access \"%s\" has other letters than r, w, m",
                                r->access);
        if (rule.access == 0) /* the field is optional; nothing said means all of it */
                rule.access = ACCESS_ALL;

        *ret = rule;
        return 0;
}

static bool may_both_match(int64_t a, int64_t b) {
        return a < 0 || b < 0 || a == b;
}

static bool overlap(const Rule *a, const Rule *b) {
        return (a->type == 0 || b->type == 0 || a->type == b->type) &&
               may_both_match(a->major, b->major) && may_both_match(a->minor, b->minor);
}

/* Whether every device of b is one of a. */
static bool includes(const Rule *a, const Rule *b) {
        return (a->type == 0 || a->type == b->type) && (a->major < 0 || a->major == b->major) &&
               (a->minor < 0 || a->minor == b->minor);
}

/* Takes away rules that cannot change an answer; Docker's and podman's lists are half of such. Checking a program takes the kernel
 * longer than all the rest that happens to it. The rules are in the order in which the program asks. */
static size_t simplify(Rule *rules, size_t n) {
        size_t n_kept = 0;

        for (size_t i = 0; i < n; i++) {
                bool needed = rules[i].allow;

                /* To deny what nothing further on allows is what happens at the end anyway. */
                for (size_t k = i + 1; k < n && !needed; k++)
                        needed = rules[k].allow && overlap(rules + i, rules + k);
                for (size_t k = 0; k < n_kept && needed; k++)
                        needed = !includes(rules + k, rules + i) ||
                                 (rules[k].access != ACCESS_ALL &&
                                         (rules[k].allow != rules[i].allow ||
                                                 rules[i].access & ~rules[k].access));
                if (needed)
                        rules[n_kept++] = rules[i];
        }

        return n_kept;
}

int device_filter_build(
        const RuntimeDeviceRule *rules, size_t n, DeviceFilter *ret, Error *reterr) {
        _cleanup_(device_filter_done) DeviceFilter f = {};
        _cleanup_(freep) Rule *asked = NULL;
        size_t n_asked = 0;
        int r;

        assert(rules || n == 0);
        assert(ret);

        if (n > DEVICE_RULES_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %u device rules", DEVICE_RULES_MAX);
        asked = new (Rule, n + ARRAY_SIZE(default_rules));
        if (!asked)
                return -ENOMEM;

        /* The last match decides, so the program asks backwards. */
        for (size_t i = ARRAY_SIZE(default_rules); i > 0; i--)
                asked[n_asked++] = default_rules[i - 1];
        for (size_t i = n; i > 0; i--) {
                r = rule_parse(rules + i - 1, asked + n_asked++, reterr);
                if (r < 0)
                        return r;
        }
        n_asked = simplify(asked, n_asked);

        /* The first rule about everything ends it; when no rule before it denies, all is allowed. */
        for (size_t i = 0; i < n_asked && asked[i].allow; i++)
                if (asked[i].type == 0 && asked[i].major < 0 && asked[i].minor < 0 &&
                        asked[i].access == ACCESS_ALL) {
                        *ret = (DeviceFilter) {};
                        return 0;
                }

        f.instructions =
                new (struct bpf_insn, n_asked * INSTRUCTIONS_PER_RULE + INSTRUCTIONS_FRAME);
        if (!f.instructions)
                return -ENOMEM;
        emit_prologue(&f);
        for (size_t i = 0; i < n_asked; i++)
                emit_rule(&f, asked + i);
        emit_result(&f, false);

        *ret = TAKE_STRUCT(f);
        return 0;
}

void device_filter_done(DeviceFilter *f) {
        if (!f)
                return;

        f->instructions = mfree(f->instructions);
        f->n_instructions = 0;
}

static int bpf(int command, union bpf_attr *attr, size_t size) {
        int r;

        r = (int) syscall(SYS_bpf, command, attr, size);
        return r < 0 ? -errno : r;
}

int device_filter_attach(const DeviceFilter *f, int cgroup_fd, Error *reterr) {
        _cleanup_(fd_closep) int program_fd = -EBADF;
        union bpf_attr attr;
        int r;

        assert(f);
        assert(cgroup_fd >= 0);

        if (f->n_instructions == 0)
                return 0;

        memset(&attr, 0, sizeof(attr));
        attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
        attr.expected_attach_type = BPF_CGROUP_DEVICE;
        attr.insns = (uint64_t) (uintptr_t) f->instructions;
        attr.insn_cnt = (uint32_t) f->n_instructions;
        attr.license = (uint64_t) (uintptr_t) "GPL";
        program_fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
        if (program_fd < 0)
                return error_set_errno(reterr, program_fd, "load the device filter");

        memset(&attr, 0, sizeof(attr));
        attr.attach_type = BPF_CGROUP_DEVICE;
        attr.target_fd = (uint32_t) cgroup_fd;
        attr.attach_bpf_fd = (uint32_t) program_fd;
        attr.attach_flags = BPF_F_ALLOW_MULTI;
        r = bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));
        if (r < 0)
                return error_set_errno(reterr, r, "attach the device filter to the cgroup");

        return 0;
}
