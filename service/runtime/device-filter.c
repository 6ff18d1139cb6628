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

/* A rule is at most: three tests, the taking away of bits, a jump, a result of two. */
#define INSTRUCTIONS_PER_RULE 8U
#define INSTRUCTIONS_FRAME    8U

enum {
        REG_RESULT = BPF_REG_0,
        REG_CONTEXT = BPF_REG_1,
        REG_TYPE = BPF_REG_2,
        REG_ACCESS = BPF_REG_3, /* the bits that no rule has allowed yet */
        REG_MAJOR = BPF_REG_4,
        REG_MINOR = BPF_REG_5,
        REG_SCRATCH = BPF_REG_6,
};

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
}

/* The tests jump to the end of this rule, which is where the next one begins. */
static void emit_rule(DeviceFilter *f, const Rule *rule) {
        size_t tests[3], n_tests = 0;

        if (rule->type != 0) {
                tests[n_tests++] = f->n_instructions;
                emit(f, BPF_JMP | BPF_JNE | BPF_K, REG_TYPE, 0, 0, rule->type);
        }
        if (rule->major >= 0) {
                tests[n_tests++] = f->n_instructions;
                emit(f, BPF_JMP | BPF_JNE | BPF_K, REG_MAJOR, 0, 0, (int32_t) rule->major);
        }
        if (rule->minor >= 0) {
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

int device_filter_build(
        const RuntimeDeviceRule *rules, size_t n, DeviceFilter *ret, Error *reterr) {
        _cleanup_(device_filter_done) DeviceFilter f = {};
        _cleanup_(freep) Rule *parsed = NULL;
        int r;

        assert(rules || n == 0);
        assert(ret);

        if (n > DEVICE_RULES_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %u device rules", DEVICE_RULES_MAX);

        parsed = new (Rule, n + 1);
        f.instructions = new (struct bpf_insn,
                (n + ARRAY_SIZE(default_rules)) * INSTRUCTIONS_PER_RULE + INSTRUCTIONS_FRAME);
        if (!parsed || !f.instructions)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                r = rule_parse(rules + i, parsed + i, reterr);
                if (r < 0)
                        return r;
        }

        /* The last match decides, so the program asks backwards. A rule about every device ends it. */
        emit_prologue(&f);
        for (size_t i = ARRAY_SIZE(default_rules); i > 0; i--)
                emit_rule(&f, default_rules + i - 1);

        bool only_allowing = true;
        for (size_t i = n; i > 0; i--) {
                const Rule *rule = parsed + i - 1;
                bool final = rule->type == 0 && rule->major < 0 && rule->minor < 0 &&
                             rule->access == ACCESS_ALL;

                if (final && rule->allow && only_allowing) {
                        *ret = (DeviceFilter) {};
                        return 0;
                }
                only_allowing = only_allowing && rule->allow;
                emit_rule(&f, rule);
                if (final) {
                        *ret = TAKE_STRUCT(f);
                        return 0;
                }
        }

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
