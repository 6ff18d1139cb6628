/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "lib/base/alloc.h"
#include "service/monitor/cgroup.h"

static void check_own(const char *text, const char *path) {
        _cleanup_(freep) char *own = NULL;
        int r;

        r = cgroup_parse_own(text, &own);
        if (path) {
                assert_int_equal(r, 0);
                assert_string_equal(own, path);
        } else
                assert_int_equal(r, -ENOENT);
}

static void test_own(void **state) {
        check_own("0::/machine.slice/docker-1.scope\n", "/machine.slice/docker-1.scope");
        check_own("12:memory:/x\n1:name=systemd:/y\n0::/z", "/z");
        check_own("12:memory:/x\n", NULL);
        check_own("", NULL);
        check_own("0::", NULL);
        check_own("10::/x\n", NULL);
}

static void test_scope(void **state) {
        assert_true(cgroup_is_scope_of("/machine.slice/docker-abc.scope", "abc"));
        assert_true(cgroup_is_scope_of("/docker-abc.scope", "abc"));
        assert_false(cgroup_is_scope_of("/machine.slice/docker-abc.scope/supervisor", "abc"));
        assert_false(cgroup_is_scope_of("/machine.slice/docker-abcd.scope", "abc"));
        assert_false(cgroup_is_scope_of("/machine.slice/docker-abc.service", "abc"));
        assert_false(cgroup_is_scope_of("/", "abc"));
        assert_false(cgroup_is_scope_of("/user.slice", "abc"));
}

static void test_not_in_a_scope(void **state) {
        ContainerCgroup c = CONTAINER_CGROUP_NONE;

        assert_int_equal(container_cgroup_open("0000000000", &c, NULL), 0);
        assert_null(c.path);
        assert_int_equal(c.fd, -EBADF);
        container_cgroup_done(&c);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_own),
                cmocka_unit_test(test_scope),
                cmocka_unit_test(test_not_in_a_scope),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
