/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/update-merge.h"

#include "lib/api/container-spec.h"
#include "lib/json/fields.h"
#include "tests/unit/test.h"

#define S(s) ((char *) (s))

static HostConfig nothing(void) {
        return (HostConfig) { .resources = { .pids_limit = JSON_NO_INT64 } };
}

static void test_zero_is_unchanged(void **state) {
        HostConfig wish = nothing(), h = nothing();

        h.resources.memory = 64;
        h.resources.pids_limit = 5;
        h.resources.cpuset_cpus = S("0");
        h.restart_policy.name = S("always");
        wish.restart_policy.name = S("");
        assert_ok(update_merge(&wish, &h, NULL));
        assert_int_equal(h.resources.memory, 64);
        assert_int_equal(h.resources.pids_limit, 5);
        assert_string_equal(h.resources.cpuset_cpus, "0");
        assert_string_equal(h.restart_policy.name, "always");
}

static void test_changes(void **state) {
        HostConfig wish = nothing(), h = nothing();

        wish.resources.memory = 32;
        wish.resources.pids_limit = 0; /* no limit any more: that is said by zero */
        wish.resources.cpuset_cpus = S("1");
        wish.restart_policy.name = S("on-failure");
        h.resources.pids_limit = 5;
        h.resources.cpuset_cpus = S("0");
        h.resources.memory_swap = 64;
        h.restart_policy.name = S("no");
        assert_ok(update_merge(&wish, &h, NULL));
        assert_int_equal(h.resources.memory, 32);
        assert_int_equal(h.resources.pids_limit, 0);
        assert_string_equal(h.resources.cpuset_cpus, "1");
        assert_string_equal(
                wish.resources.cpuset_cpus, "0"); /* swapped: whoever frees the wish frees it */
        assert_string_equal(h.restart_policy.name, "on-failure");
}

/* An update is no way to rights on the host. */
static void test_only_limits(void **state) {
        char *rules[] = { S("c *:* rwm"), NULL };
        HostConfig wish = nothing(), h = nothing();

        wish.privileged = true;
        wish.cap_add = rules;
        wish.binds = rules;
        wish.security_opt = rules;
        wish.resources.device_cgroup_rules = rules;
        wish.resources.cgroup_parent = S("/");
        wish.resources.n_devices = 1;
        assert_ok(update_merge(&wish, &h, NULL));
        assert_false(h.privileged);
        assert_null(h.cap_add);
        assert_null(h.binds);
        assert_null(h.security_opt);
        assert_null(h.resources.device_cgroup_rules);
        assert_null(h.resources.cgroup_parent);
        assert_int_equal(h.resources.n_devices, 0);
}

static void test_conflicts(void **state) {
        HostConfig wish = nothing(), h = nothing();

        wish.resources.nano_cpus = 1;
        h.resources.cpu_quota = 1;
        assert_true(update_merge(&wish, &h, NULL) < 0);
        assert_int_equal(h.resources.nano_cpus, 0);

        wish = h = nothing();
        wish.resources.memory = 100;
        h.resources.memory_swap = 64;
        assert_true(update_merge(&wish, &h, NULL) < 0);
        wish.resources.memory_swap = 200;
        assert_ok(update_merge(&wish, &h, NULL));

        wish = h = nothing();
        h.auto_remove = true;
        wish.restart_policy.name = S("always");
        assert_true(update_merge(&wish, &h, NULL) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_zero_is_unchanged),
                cmocka_unit_test(test_changes),
                cmocka_unit_test(test_only_limits),
                cmocka_unit_test(test_conflicts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
