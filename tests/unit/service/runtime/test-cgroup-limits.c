/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/cgroup-limits.h"

#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"
#include "tests/unit/test.h"

static const char *value_of(const CgroupLimits *l, const char *file) {
        for (size_t i = 0; i < l->n_items; i++)
                if (streq(l->items[i].file, file))
                        return l->items[i].value;
        return NULL;
}

static void test_weights(void **state) {
        static const struct {
                uint64_t shares, weight;
        } table[] = {
                /* as runc 1.3 converts them */
                { 0, 0 },
                { 1, 1 },
                { 2, 1 },
                { 3, 2 },
                { 10, 4 },
                { 100, 17 },
                { 512, 59 },
                { 1023, 100 },
                { 1024, 100 },
                { 1025, 101 },
                { 2048, 174 },
                { 10000, 627 },
                { 100000, 4340 },
                { 116225, 4938 },
                { 262143, 10000 },
                { 262144, 10000 },
                { UINT64_MAX, 10000 },
        };
        uint64_t last = 0;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert_int_equal(cgroup_weight_from_shares(table[i].shares), table[i].weight);
        for (uint64_t s = 2; s <= 262144; s += 37) {
                uint64_t w = cgroup_weight_from_shares(s);

                assert_true(w >= last && w >= 1 && w <= 10000);
                last = w;
        }

        assert_int_equal(cgroup_io_weight(0), 0);
        assert_int_equal(cgroup_io_weight(10), 1);
        assert_int_equal(cgroup_io_weight(1000), 10000);
        assert_int_equal(cgroup_io_weight(1), 1);
        assert_int_equal(cgroup_io_weight(65535), 10000);
}

static RuntimeMemory no_memory(void) {
        return (RuntimeMemory) { JSON_NO_INT64, JSON_NO_INT64, JSON_NO_INT64, JSON_NO_INT64,
                JSON_NO_INT64, JSON_NO_UINT64, JSON_NO_TRISTATE, JSON_NO_TRISTATE,
                JSON_NO_TRISTATE };
}

static void test_memory(void **state) {
        RuntimeMemory m = no_memory();
        RuntimeResources r = { .memory = &m };
        _cleanup_(cgroup_limits_done) CgroupLimits l = {}, none = {}, endless = {};

        assert_ok(cgroup_limits_plan(&r, &none, NULL));
        assert_int_equal(none.n_items, 0);

        m.limit = 64 << 20;
        m.swap = 96 << 20;
        m.reservation = 32 << 20;
        assert_ok(cgroup_limits_plan(&r, &l, NULL));
        assert_string_equal(value_of(&l, "memory.max"), "67108864");
        assert_string_equal(value_of(&l, "memory.swap.max"), "33554432");
        assert_string_equal(value_of(&l, "memory.low"), "33554432");

        m = no_memory();
        m.limit = 64 << 20;
        m.swap = -1;
        assert_ok(cgroup_limits_plan(&r, &endless, NULL));
        assert_string_equal(value_of(&endless, "memory.swap.max"), "max");
}

static void test_memory_mistakes(void **state) {
        RuntimeMemory m = no_memory();
        RuntimeResources r = { .memory = &m };
        _cleanup_(cgroup_limits_done) CgroupLimits l = {};
        _cleanup_(error_done) Error e = {};

        m.swap = 1 << 20;
        assert_int_equal(cgroup_limits_plan(&r, &l, NULL), -EINVAL);
        m.limit = 2 << 20;
        assert_int_equal(cgroup_limits_plan(&r, &l, &e), -EINVAL);
        assert_string_equal(e.text,
                "the limit of memory and swap (1048576) is smaller than that of memory (2097152)");
        m = no_memory();
        m.limit = -5;
        assert_int_equal(cgroup_limits_plan(&r, &l, NULL), -EINVAL);
}

static void test_cpu_and_rest(void **state) {
        RuntimeCpu c = { 512, 50000, JSON_NO_UINT64, JSON_NO_UINT64, JSON_NO_INT64, JSON_NO_UINT64,
                "0-1", "0", JSON_NO_INT64 };
        RuntimePids p = { 100 };
        RuntimeThrottleDevice read = { 8, 0, 1048576 }, write = { 8, 16, 0 };
        RuntimeBlockIO io = { .weight = 500,
                .leaf_weight = JSON_NO_UINT16,
                .throttle_read_bps = &read,
                .n_throttle_read_bps = 1,
                .throttle_write_iops = &write,
                .n_throttle_write_iops = 1 };
        char *unified[] = { "memory.high", "1073741824", NULL };
        RuntimeResources r = { .cpu = &c, .pids = &p, .block_io = &io, .unified = unified };
        _cleanup_(cgroup_limits_done) CgroupLimits l = {}, m = {};

        assert_ok(cgroup_limits_plan(&r, &l, NULL));
        assert_string_equal(value_of(&l, "cpu.weight"), "59");
        assert_string_equal(value_of(&l, "cpu.max"), "50000 100000");
        assert_string_equal(value_of(&l, "cpuset.cpus"), "0-1");
        assert_string_equal(value_of(&l, "cpuset.mems"), "0");
        assert_string_equal(value_of(&l, "pids.max"), "100");
        assert_string_equal(value_of(&l, "io.weight"), "default 4950");
        assert_string_equal(l.items[l.n_items - 1].file, "memory.high");
        assert_string_equal(value_of(&l, "io.max"), "8:0 rbps=1048576");
        assert_string_equal(l.items[l.n_items - 2].value, "8:16 wiops=max");

        c.quota = -1;
        c.period = 20000;
        p.limit = -1;
        assert_ok(cgroup_limits_plan(&r, &m, NULL));
        assert_string_equal(value_of(&m, "cpu.max"), "max 20000");
        assert_string_equal(value_of(&m, "pids.max"), "max");
}

static void test_hostile_unified(void **state) {
        static const char *const names[] = { "../memory.max", "cgroup.procs", "memory", "", "a/b.c",
                "cgroup.kill" };
        _cleanup_(cgroup_limits_done) CgroupLimits l = {};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char *unified[] = { (char *) names[i], "1", NULL };
                RuntimeResources r = { .unified = unified };

                assert_int_equal(cgroup_limits_plan(&r, &l, NULL), -EINVAL);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_weights),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_memory_mistakes),
                cmocka_unit_test(test_cpu_and_rest),
                cmocka_unit_test(test_hostile_unified),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
