/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/acting-limits.h"
#include "engine/container/scope.h"
#include "engine/host/cgroup-limits.h"
#include "engine/host/unit-properties.h"
#include "lib/api/container-spec.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"

#define MIB   (UINT64_C(1) << 20)
#define N_CPU 8

/* As the kernel has it when nobody limits anything. */
static CgroupLimits free_limits(void) {
        return (CgroupLimits) {
                .memory_max = CGROUP_LIMIT_NONE,
                .swap_max = CGROUP_LIMIT_NONE,
                .cpu_weight = 100,
                .cpu_quota_usec = CGROUP_LIMIT_NONE,
                .cpu_period_usec = 100000,
                .io_weight = 100,
                .tasks_max = CGROUP_LIMIT_NONE,
                .cpus = (char *) "",
                .memory_nodes = (char *) "",
        };
}

static void read_spec(const char *host, ContainerSpec *ret) {
        char text[1024];

        container_spec_init(ret);
        (void) snprintf(text, sizeof(text), "{\"Image\":\"x\",\"HostConfig\":%s}", host);
        assert_ok(container_spec_read_text(text, strlen(text), ret, NULL));
}

static void test_as_made(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        CgroupLimits now = free_limits();

        read_spec("{}", &spec);
        assert_int_equal(acting_limits_take(&now, N_CPU, &spec.host.resources), 0);
}

static void test_what_we_set_is_no_news(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        CgroupLimits now = free_limits();

        read_spec("{\"Memory\":67108999,\"MemorySwap\":134217999,\"MemoryReservation\":8388700,"
                  "\"CpuShares\":512,\"NanoCpus\":1234567000,\"CpusetCpus\":\"0,1,2,5\","
                  "\"PidsLimit\":50,"
                  "\"BlkioWeight\":300}",
                &spec);
        now.memory_max = 64 * MIB;
        now.swap_max = 64 * MIB;
        now.memory_low = 8388700 / 4096 * 4096;
        now.cpu_weight = scope_cpu_weight(512);
        now.cpu_quota_usec = 123456;
        now.io_weight = scope_io_weight(300);
        now.tasks_max = 50 + SCOPE_TASKS_OF_OURS;
        now.cpus = (char *) "0-2,5";
        assert_int_equal(acting_limits_take(&now, N_CPU, &spec.host.resources), 0);
        assert_int_equal(spec.host.resources.memory, 67108999);
}

static void test_unknown_stays(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        CgroupLimits now;

        read_spec("{\"Memory\":67108864,\"CpuShares\":512,\"PidsLimit\":50,\"CpusetCpus\":\"1\"}",
                &spec);
        cgroup_read_limits("/sys/fs/cgroup/there/is/none", &now);
        assert_int_equal(acting_limits_take(&now, N_CPU, &spec.host.resources), 0);
        cgroup_limits_done(&now);
}

static void test_set_by_an_administrator(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        Resources *c = &spec.host.resources;
        CgroupLimits now = free_limits();

        read_spec("{}", &spec);
        now.memory_max = 300 * MIB;
        now.swap_max = 100 * MIB;
        now.memory_low = 32 * MIB;
        now.cpu_weight = 33;
        now.cpu_quota_usec = 20000;
        now.io_weight = 500;
        now.tasks_max = 40;
        now.cpus = (char *) "1";
        assert_int_equal(acting_limits_take(&now, N_CPU, c), 1);
        assert_int_equal(c->memory, 300 * MIB);
        assert_int_equal(c->memory_swap, 400 * MIB);
        assert_int_equal(c->memory_reservation, 32 * MIB);
        assert_int_equal(scope_cpu_weight(c->cpu_shares), 33);
        assert_int_equal(c->nano_cpus, 200000000);
        assert_int_equal(c->pids_limit, 40);
        assert_string_equal(c->cpuset_cpus, "1");
        assert_int_equal(c->blkio_weight, scope_blkio_weight(500));
        assert_int_equal(acting_limits_take(&now, N_CPU, c), 0); /* and told once */

        now = free_limits();
        assert_int_equal(acting_limits_take(&now, N_CPU, c), 1);
        assert_int_equal(c->memory, 0);
        assert_int_equal(c->memory_swap, 0);
        assert_int_equal(c->cpu_shares, 1024);
        assert_int_equal(c->nano_cpus, 0);
        assert_int_equal(c->pids_limit, JSON_NO_INT64);
        assert_string_equal(c->cpuset_cpus, "");
        assert_int_equal(acting_limits_take(&now, N_CPU, c), 0);
}

static void test_quota(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        Resources *c = &spec.host.resources;
        CgroupLimits now = free_limits();

        read_spec("{\"CpuQuota\":50000,\"CpuPeriod\":100000}", &spec);
        now.cpu_quota_usec = 25000;
        now.cpu_period_usec = 50000; /* the same half */
        assert_int_equal(acting_limits_take(&now, N_CPU, c), 0);
        now.cpu_quota_usec = 10000;
        assert_int_equal(acting_limits_take(&now, N_CPU, c), 1);
        assert_int_equal(c->cpu_quota, 10000);
        assert_int_equal(c->cpu_period, 50000);
        assert_int_equal(c->nano_cpus, 0);

        c->cpu_quota = c->cpu_period = 0;
        now.cpu_quota_usec = 16 * 50000; /* more than there are */
        assert_int_equal(acting_limits_take(&now, N_CPU, c), 1);
        assert_int_equal(c->nano_cpus, N_CPU * INT64_C(1000000000));
        assert_int_equal(acting_limits_take(&now, N_CPU, c), 0);
}

/* Every weight of the kernel has shares, and they give that weight again. */
static void test_weights(void **state) {
        for (uint64_t w = 1; w <= 10000; w++)
                assert_int_equal(scope_cpu_weight(scope_cpu_shares(w)), w);
        assert_int_equal(scope_cpu_shares(100), 1024);
        for (uint16_t w = 10; w <= 1000; w++)
                assert_int_equal(scope_blkio_weight(scope_io_weight(w)), w);
}

static void test_subtract(void **state) {
        _cleanup_(unit_properties_done) UnitProperties a = {}, b = {};
        _cleanup_(container_spec_done) ContainerSpec old = {}, new = {};

        read_spec("{\"Memory\":67108864,\"CpuShares\":512,\"CpusetCpus\":\"0\","
                  "\"BlkioDeviceReadBps\":"
                  "[{\"Path\":\"/dev/a\",\"Rate\":1},{\"Path\":\"/dev/b\",\"Rate\":2}]}",
                &old);
        read_spec("{\"Memory\":67108864,\"CpuShares\":512,\"CpusetCpus\":\"1\","
                  "\"BlkioDeviceReadBps\":"
                  "[{\"Path\":\"/dev/a\",\"Rate\":1},{\"Path\":\"/dev/b\",\"Rate\":3}]}",
                &new);
        assert_ok(scope_make_limits(&new.host.resources, &a));
        assert_ok(scope_make_limits(&old.host.resources, &b));
        unit_properties_subtract(&a, &b, NULL);
        assert_null(unit_properties_find(&a, "MemoryMax"));
        assert_null(unit_properties_find(&a, "TasksMax"));
        assert_non_null(unit_properties_find(&a, "AllowedCPUs"));
        assert_int_equal(a.n_items, 4); /* the list is emptied, and filled with both */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_as_made),
                cmocka_unit_test(test_what_we_set_is_no_news),
                cmocka_unit_test(test_unknown_stays),
                cmocka_unit_test(test_set_by_an_administrator),
                cmocka_unit_test(test_quota),
                cmocka_unit_test(test_weights),
                cmocka_unit_test(test_subtract),
        };

        return cmocka_run_group_tests_name("engine/container/acting-limits", tests, NULL, NULL);
}
