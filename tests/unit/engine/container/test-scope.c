/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/scope.h"
#include "engine/host/unit-properties.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void make(const char *body, UnitProperties *ret) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        ScopeInput in = { .id = ID,
                .name = "web",
                .image = "busybox",
                .spec = &spec,
                .slice = "machine.slice",
                .monitor_pid = 42,
                .device_rules = (char *[]) { (char *) "c 10:229 rw", (char *) "b 7:3 r", NULL } };

        container_spec_init(&spec);
        assert_ok(container_spec_read_text(body, strlen(body), &spec, NULL));
        assert_ok(scope_make(&in, ret));
}

static uint64_t number(const UnitProperties *p, const char *name) {
        const UnitProperty *i = unit_properties_find(p, name);

        return i ? i->number : UINT64_C(0xdead);
}

static void test_plain(void **state) {
        _cleanup_(unit_properties_done) UnitProperties p = {};

        make("{\"Image\":\"busybox\",\"Cmd\":[\"sleep\",\"1\\u001b\"]}", &p);
        assert_string_equal(
                unit_properties_find(&p, "Description")->text, "Container web (busybox): sleep 1?");
        assert_string_equal(unit_properties_find(&p, "Slice")->text, "machine.slice");
        assert_int_equal(number(&p, "PIDs"), 42);
        assert_int_equal(number(&p, "Delegate"), 1);
        assert_string_equal(unit_properties_find(&p, "CollectMode")->text, "inactive-or-failed");
        assert_int_equal(number(&p, "TimeoutStopUSec"), 15000000);
        assert_int_equal(number(&p, "TasksMax"), UINT64_MAX);
        assert_string_equal(unit_properties_find(&p, "DevicePolicy")->text, "strict");
        assert_null(unit_properties_find(&p, "MemoryMax"));
        assert_null(unit_properties_find(&p, "CPUWeight"));
        assert_null(unit_properties_find(&p, "AllowedCPUs"));
}

static void test_limits(void **state) {
        _cleanup_(unit_properties_done) UnitProperties p = {};

        make("{\"HostConfig\":{\"Memory\":67108864,\"MemorySwap\":100663296,\"MemoryReservation\":"
             "8388608,\"NanoCpus\":1500000000,"
             "\"CpuShares\":1024,\"CpusetCpus\":\"0-1\",\"CpusetMems\":\"0\",\"PidsLimit\":50,"
             "\"BlkioWeight\":500,"
             "\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/"
             "sda\",\"Rate\":1048576}],\"CgroupParent\":\"batch.slice\"},"
             "\"StopTimeout\":-1}",
                &p);
        assert_int_equal(number(&p, "MemoryMax"), 67108864);
        assert_int_equal(number(&p, "MemorySwapMax"), 33554432);
        assert_int_equal(number(&p, "MemoryLow"), 8388608);
        assert_int_equal(number(&p, "CPUQuotaPerSecUSec"), 1500000);
        assert_int_equal(number(&p, "CPUQuotaPeriodUSec"), 100000);
        assert_int_equal(number(&p, "CPUWeight"), 100);
        assert_int_equal(unit_properties_find(&p, "AllowedCPUs")->text[0], 3);
        assert_int_equal(unit_properties_find(&p, "AllowedMemoryNodes")->text[0], 1);
        assert_int_equal(number(&p, "TasksMax"), 50 + 64);
        assert_int_equal(number(&p, "IOWeight"), 4950);
        assert_string_equal(unit_properties_find(&p, "IOReadBandwidthMax")->text, "/dev/sda");
        assert_string_equal(unit_properties_find(&p, "Slice")->text, "batch.slice");
        assert_int_equal(number(&p, "TimeoutStopUSec"), UINT64_MAX);
}

static void test_quota_and_no_swap(void **state) {
        _cleanup_(unit_properties_done) UnitProperties p = {}, q = {};

        make("{\"HostConfig\":{\"CpuQuota\":25000,\"CpuPeriod\":50000,\"Memory\":67108864,"
             "\"MemorySwap\":-1}}",
                &p);
        assert_int_equal(number(&p, "CPUQuotaPerSecUSec"), 500000);
        assert_int_equal(number(&p, "CPUQuotaPeriodUSec"), 50000);
        assert_null(unit_properties_find(&p, "MemorySwapMax"));
        make("{\"HostConfig\":{\"Memory\":67108864,\"MemorySwap\":67108864,\"PidsLimit\":-1}}", &q);
        assert_int_equal(number(&q, "MemorySwapMax"), 0);
        assert_int_equal(number(&q, "TasksMax"), UINT64_MAX);
}

static bool allows(const UnitProperties *p, const char *path, const char *access) {
        for (size_t i = 0; i < p->n_items; i++)
                if (streq(p->items[i].name, "DeviceAllow") && streq(p->items[i].text, path))
                        return streq(p->items[i].text2, access);
        return false;
}

static void test_devices(void **state) {
        _cleanup_(unit_properties_done) UnitProperties p = {}, q = {};

        make("{\"HostConfig\":{\"Devices\":[{\"PathOnHost\":\"/dev/fuse\",\"PathInContainer\":\"/"
             "dev/fuse\",\"CgroupPermissions\":\"rw\"}],"
             "\"DeviceCgroupRules\":[\"c 189:* rwm\",\"b 8:1 r\",\"a *:* m\"]}}",
                &p);
        assert_true(allows(&p, "/dev/char/10:229", "rw")); /* by number: systemd knows /dev only */
        assert_true(allows(&p, "/dev/block/7:3", "r"));
        assert_false(allows(&p, "/dev/fuse", "rw"));
        assert_true(allows(&p, "/dev/char/1:3", "rwm"));
        assert_true(allows(&p, "char-189", "rwm"));
        assert_true(allows(&p, "/dev/block/8:1", "r"));
        assert_false(allows(&p, "/dev/char/10:229", "rwm"));
        make("{\"HostConfig\":{\"Privileged\":true}}", &q);
        assert_string_equal(unit_properties_find(&q, "DevicePolicy")->text, "auto");
        assert_null(unit_properties_find(&q, "DeviceAllow"));
}

static void test_weights(void **state) {
        assert_int_equal(scope_cpu_weight(0), 0);
        assert_int_equal(scope_cpu_weight(2), 1);
        assert_int_equal(scope_cpu_weight(1024), 100);
        assert_int_equal(scope_cpu_weight(262144), 10000);
        assert_int_equal(scope_cpu_weight(INT64_MAX), 10000);
        for (int64_t s = 2; s < 262144; s++)
                assert_true(scope_cpu_weight(s) <= scope_cpu_weight(s + 1));
        assert_int_equal(scope_io_weight(0), 0);
        assert_int_equal(scope_io_weight(10), 1);
        assert_int_equal(scope_io_weight(1000), 10000);
}

static void test_paths(void **state) {
        _cleanup_(freep) char *a = NULL, *b = NULL, *c = NULL;

        assert_ok(scope_cgroup_path("machine.slice", ID, &a));
        assert_string_equal(a, "machine.slice/docker-" ID ".scope");
        assert_ok(scope_cgroup_path("a-b-c.slice", ID, &b));
        assert_string_equal(b, "a.slice/a-b.slice/a-b-c.slice/docker-" ID ".scope");
        assert_ok(scope_cgroup_path("-.slice", ID, &c));
        assert_string_equal(c, "docker-" ID ".scope");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_quota_and_no_swap),
                cmocka_unit_test(test_devices),
                cmocka_unit_test(test_weights),
                cmocka_unit_test(test_paths),
        };

        return cmocka_run_group_tests_name("engine/container/scope", tests, NULL, NULL);
}
