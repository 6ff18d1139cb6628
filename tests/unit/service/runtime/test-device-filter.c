/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/device-filter.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"
#include "tests/unit/test.h"

/* Runs what device_filter_build() makes: the instructions it uses, nothing else, and no loops. */
static int run(
        const DeviceFilter *f, uint32_t type, uint32_t access, uint32_t major, uint32_t minor) {
        const struct bpf_cgroup_dev_ctx context = { (access << 16) | type, major, minor };
        uint64_t reg[11] = {};

        if (f->n_instructions == 0)
                return 1;

        for (size_t pc = 0, steps = 0; steps <= f->n_instructions; steps++) {
                const struct bpf_insn *i;
                bool jump = false;

                assert_true(pc < f->n_instructions);
                i = f->instructions + pc;
                switch (i->code) {
                case BPF_LDX | BPF_MEM | BPF_W: {
                        uint32_t value;

                        assert_true(i->src_reg == 1 && (size_t) i->off + 4 <= sizeof(context));
                        memcpy(&value, (const char *) &context + i->off, 4);
                        reg[i->dst_reg] = value;
                        break;
                }
                case BPF_ALU | BPF_MOV | BPF_X:
                        reg[i->dst_reg] = (uint32_t) reg[i->src_reg];
                        break;
                case BPF_ALU64 | BPF_MOV | BPF_K:
                        reg[i->dst_reg] = (uint64_t) i->imm;
                        break;
                case BPF_ALU | BPF_AND | BPF_K:
                        reg[i->dst_reg] = (uint32_t) reg[i->dst_reg] & (uint32_t) i->imm;
                        break;
                case BPF_ALU | BPF_LSH | BPF_K:
                        reg[i->dst_reg] = (uint32_t) ((uint32_t) reg[i->dst_reg] << i->imm);
                        break;
                case BPF_ALU | BPF_OR | BPF_X:
                        reg[i->dst_reg] = (uint32_t) reg[i->dst_reg] | (uint32_t) reg[i->src_reg];
                        break;
                case BPF_JMP32 | BPF_JNE | BPF_K:
                        jump = (uint32_t) reg[i->dst_reg] != (uint32_t) i->imm;
                        break;
                case BPF_ALU | BPF_RSH | BPF_K:
                        reg[i->dst_reg] = (uint32_t) reg[i->dst_reg] >> i->imm;
                        break;
                case BPF_JMP | BPF_JNE | BPF_K:
                        jump = reg[i->dst_reg] != (uint64_t) i->imm;
                        break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        jump = reg[i->dst_reg] == (uint64_t) i->imm;
                        break;
                case BPF_JMP | BPF_EXIT:
                        return (int) reg[0];
                default:
                        fail_msg("instruction %#x is not expected", i->code);
                }
                assert_true(i->off >= 0);
                pc += jump ? (size_t) i->off + 1 : 1;
        }

        fail_msg("the program does not end");
        return -1;
}

enum {
        C = BPF_DEVCG_DEV_CHAR,
        B = BPF_DEVCG_DEV_BLOCK,
        M = BPF_DEVCG_ACC_MKNOD,
        R = BPF_DEVCG_ACC_READ,
        W = BPF_DEVCG_ACC_WRITE,
};

#define RULE(allow_, type_, major_, minor_, access_)                                               \
        {                                                                                          \
                .allow = (allow_), .type = (char *) (type_), .major = (major_), .minor = (minor_), \
                .access = (char *) (access_)                                                       \
        }
#define ANY JSON_NO_INT64

static void test_docker_rules(void **state) {
        const RuntimeDeviceRule rules[] = {
                RULE(false, NULL, ANY, ANY, "rwm"),
                RULE(true, "c", 1, 5, "rwm"),
                RULE(true, "c", 10, 200, "rw"),
                RULE(true, "b", 8, ANY, "r"),
        };
        _cleanup_(device_filter_done) DeviceFilter f = {};

        assert_ok(device_filter_build(rules, ARRAY_SIZE(rules), &f, NULL));
        assert_int_equal(run(&f, C, R | W, 1, 3), 1); /* null: always */
        assert_int_equal(run(&f, C, R, 136, 7), 1);   /* a terminal */
        assert_int_equal(run(&f, C, M, 99, 99), 1);   /* any node may be made, not opened */
        assert_int_equal(run(&f, B, M, 99, 99), 1);
        assert_int_equal(run(&f, C, M | R, 99, 99), 0);
        assert_int_equal(run(&f, C, R | W, 10, 200), 1);
        assert_int_equal(run(&f, C, R | W | M, 10, 200), 1); /* mknod by the rule for all nodes */
        assert_int_equal(run(&f, B, R, 8, 1), 1);
        assert_int_equal(run(&f, B, R | W, 8, 1), 0);
        assert_int_equal(run(&f, C, R, 8, 1), 0); /* the other kind of device */
        assert_int_equal(run(&f, C, R, 1, 1), 0);
}

static void test_everything(void **state) {
        const RuntimeDeviceRule all[] = { RULE(true, "a", ANY, ANY, "rwm") };
        const RuntimeDeviceRule but_one[] = {
                RULE(true, "a", ANY, ANY, "rwm"),
                RULE(false, "b", 8, 0, "w"),
        };
        const RuntimeDeviceRule again[] = {
                RULE(false, "a", ANY, ANY, "rwm"),
                RULE(true, NULL, -1, -1, NULL),
        };
        _cleanup_(device_filter_done) DeviceFilter f = {}, g = {}, h = {};

        assert_ok(device_filter_build(all, 1, &f, NULL));
        assert_int_equal(f.n_instructions, 0);

        assert_ok(device_filter_build(but_one, 2, &g, NULL));
        assert_int_equal(run(&g, B, R, 8, 0), 1);
        assert_int_equal(run(&g, B, W, 8, 0), 0);
        assert_int_equal(run(&g, B, R | W, 8, 0), 0);
        assert_int_equal(run(&g, B, W, 8, 1), 1);

        assert_ok(device_filter_build(again, 2, &h, NULL));
        assert_int_equal(h.n_instructions, 0);
}

static void test_nothing_named(void **state) {
        _cleanup_(device_filter_done) DeviceFilter f = {};

        assert_ok(device_filter_build(NULL, 0, &f, NULL));
        assert_int_equal(run(&f, C, R | W, 1, 9), 1);
        assert_int_equal(run(&f, B, R, 8, 0), 0);
}

/* A bit at a time, as the controller of cgroup v1 did: the last rule that names the bit decides. */
static void test_access_bits(void **state) {
        const RuntimeDeviceRule rules[] = {
                RULE(false, "a", ANY, ANY, "rwm"),
                RULE(true, "c", 10, 1, "r"),
                RULE(true, "c", 10, 1, "w"),
                RULE(true, "c", 10, 2, "rw"),
                RULE(false, "c", 10, 2, "w"),
                RULE(true, "c", ANY, 3, "r"),
        };
        _cleanup_(device_filter_done) DeviceFilter f = {};

        assert_ok(device_filter_build(rules, ARRAY_SIZE(rules), &f, NULL));
        assert_int_equal(run(&f, C, R, 10, 1), 1);
        assert_int_equal(run(&f, C, R | W, 10, 1), 1);
        assert_int_equal(run(&f, C, R, 10, 2), 1);
        assert_int_equal(run(&f, C, W, 10, 2), 0);
        assert_int_equal(run(&f, C, R | W, 10, 2), 0);
        assert_int_equal(run(&f, C, R, 77, 3), 1);
        assert_int_equal(run(&f, C, W, 77, 3), 0);
}

/* The same as the rules read one after the other, over many made-up lists. */
static void test_against_reference(void **state) {
        static const char *const types[] = { "a", "c", "b" };
        static const char *const accesses[] = { "r", "w", "m", "rw", "rwm", "wm" };

        srand(7);
        for (unsigned round = 0; round < 2000; round++) {
                RuntimeDeviceRule rules[8];
                _cleanup_(device_filter_done) DeviceFilter f = {};
                size_t n = (size_t) (rand() % 8);

                for (size_t i = 0; i < n; i++)
                        rules[i] = (RuntimeDeviceRule) RULE(rand() % 2, types[rand() % 3],
                                rand() % 3 ? 240 + rand() % 2 : ANY, rand() % 3 ? rand() % 2 : ANY,
                                accesses[rand() % 6]);
                assert_ok(device_filter_build(rules, n, &f, NULL));

                for (unsigned t = 0; t < 2; t++)
                        for (uint32_t access = 1; access < 8; access++)
                                for (unsigned d = 0; d < 4; d++) {
                                        uint32_t allowed = M;

                                        for (size_t i = 0; i < n; i++) {
                                                uint32_t bits = 0;

                                                if (rules[i].type[0] != 'a' &&
                                                        (rules[i].type[0] == 'c') != (t == 0))
                                                        continue;
                                                if (rules[i].major != ANY &&
                                                        rules[i].major != 240 + d / 2)
                                                        continue;
                                                if (rules[i].minor != ANY &&
                                                        rules[i].minor != d % 2)
                                                        continue;
                                                for (const char *p = rules[i].access; *p; p++)
                                                        bits |= *p == 'r' ? R : *p == 'w' ? W : M;
                                                allowed = rules[i].allow ? allowed | bits
                                                                         : allowed & ~bits;
                                        }
                                        allowed |= M; /* the defaults come last */
                                        if (run(&f, t == 0 ? C : B, access, 240 + d / 2, d % 2) !=
                                                !(access & ~allowed))
                                                fail_msg("round %u", round);
                                }
        }
}

static void test_mistakes(void **state) {
        const RuntimeDeviceRule type = RULE(true, "x", 1, 1, "r"),
                                access = RULE(true, "c", 1, 1, "rx"),
                                number = RULE(true, "c", 70000, 1, "r");
        _cleanup_(device_filter_done) DeviceFilter f = {};
        _cleanup_(error_done) Error e = {};

        assert_int_equal(device_filter_build(&type, 1, &f, &e), -EINVAL);
        assert_string_equal(e.text, "device rule: type \"x\" is not one of a, b, c");
        assert_int_equal(device_filter_build(&access, 1, &f, NULL), -EINVAL);
        assert_int_equal(device_filter_build(&number, 1, &f, NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_docker_rules),
                cmocka_unit_test(test_everything),
                cmocka_unit_test(test_nothing_named),
                cmocka_unit_test(test_access_bits),
                cmocka_unit_test(test_against_reference),
                cmocka_unit_test(test_mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
