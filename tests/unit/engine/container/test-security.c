/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/security.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"

#define L(...) ((char *[]) { __VA_ARGS__, NULL })
#define S(s)   ((char *) (s))

static void check(const HostConfig *h, unsigned n, const char *with, const char *without) {
        _cleanup_(strv_freep) char **set = NULL;

        assert_ok(security_capabilities(h, 40, &set));
        assert_int_equal(strv_length(set), n);
        if (with)
                assert_true(strv_contains(set, with));
        if (without)
                assert_false(strv_contains(set, without));
}

static void test_capabilities(void **state) {
        check(&(HostConfig) {}, 14, "CAP_AUDIT_WRITE", "CAP_SYS_ADMIN");
        check(&(HostConfig) { .cap_drop = L(S("ALL")) }, 0, NULL, NULL);
        check(&(HostConfig) { .cap_drop = L(S("ALL")), .cap_add = L(S("CAP_KILL")) }, 1, "CAP_KILL",
                NULL);
        check(&(HostConfig) { .cap_drop = L(S("CAP_KILL")) }, 13, NULL, "CAP_KILL");
        check(&(HostConfig) { .cap_drop = L(S("all")), .cap_add = L(S("net_admin")) }, 1,
                "CAP_NET_ADMIN", NULL);
        check(&(HostConfig) { .cap_drop = L(S("Kill")) }, 13, NULL, "CAP_KILL");
        check(&(HostConfig) { .cap_add = L(S("ALL")), .cap_drop = L(S("CAP_SYS_ADMIN")) }, 40,
                "CAP_BPF", "CAP_SYS_ADMIN");
        check(&(HostConfig) { .privileged = true }, 41, "CAP_SYS_ADMIN", NULL);
}

static void test_old_kernel(void **state) {
        _cleanup_(strv_freep) char **set = NULL;

        assert_ok(security_capabilities(&(HostConfig) { .privileged = true }, 37, &set));
        assert_int_equal(strv_length(set), 38);
        assert_false(strv_contains(set, "CAP_BPF"));
}

static void test_names(void **state) {
        _cleanup_(strv_freep) char **l = strv_new("net_admin", "CAP_NET_ADMIN", "all");
        _cleanup_(strv_freep) char **bad = strv_new("x");

        assert_ok(security_check_capabilities(l, "CapAdd", NULL));
        assert_int_equal(security_check_capabilities(bad, "CapAdd", NULL), -EINVAL);
        assert_true(security_is_default_capability("chown"));
        assert_false(security_is_default_capability("sys_admin"));
        assert_false(security_is_default_capability("all"));
}

static void test_options(void **state) {
        _cleanup_(security_options_done) SecurityOptions o = {}, p = {};
        static const char *const bad[] = { "x", "no-new-privileges=maybe", "=", "foo=bar" };

        assert_ok(security_options_parse(
                L(S("no-new-privileges"), S("seccomp=unconfined"), S("apparmor=p")), &o, NULL));
        assert_true(o.no_new_privileges && o.seccomp_unconfined);
        assert_string_equal(o.apparmor, "p");
        assert_ok(security_options_parse(
                L(S("no-new-privileges:false"), S("seccomp={\"a\":1}"), S("label=disable")), &p,
                NULL));
        assert_false(p.no_new_privileges);
        assert_string_equal(p.seccomp_profile, "{\"a\":1}");
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                SecurityOptions q = {};

                assert_int_equal(security_options_parse(L(S(bad[i])), &q, NULL), -EINVAL);
        }
}

static void test_apparmor(void **state) {
        SecurityOptions none = {}, named = { .apparmor = S("p") };

        assert_string_equal(security_apparmor_profile(&(HostConfig) {}, &none), "docker-default");
        assert_string_equal(security_apparmor_profile(&(HostConfig) {}, &named), "p");
        assert_string_equal(security_apparmor_profile(&(HostConfig) { .privileged = true }, &named),
                "unconfined");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_capabilities),
                cmocka_unit_test(test_old_kernel),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_apparmor),
                cmocka_unit_test(test_options),
        };

        return cmocka_run_group_tests_name("engine/container/security", tests, NULL, NULL);
}
