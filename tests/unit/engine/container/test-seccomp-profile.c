/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/seccomp-profile.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"

#define L(...) ((char *[]) { __VA_ARGS__, NULL })
#define S(s)   ((char *) (s))

static void part_free(RuntimeSeccomp **s) {
        if (!*s)
                return;
        fields_done(runtime_seccomp_fields, *s);
        free(*s);
}

static void read_default(SeccompProfile **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        assert_ok(file_read(TEST_SECCOMP, SECCOMP_PROFILE_SIZE_MAX, &text, &size));
        assert_ok(seccomp_profile_parse(text, size, ret, NULL));
}

/* The rule of a system call without conditions on its arguments, NULL: none. */
static const RuntimeSyscall *rule(const RuntimeSeccomp *s, const char *name) {
        for (size_t i = 0; i < s->n_syscalls; i++)
                if (s->syscalls[i].n_args == 0 && strv_contains(s->syscalls[i].names, name))
                        return s->syscalls + i;
        return NULL;
}

static bool has_args(const RuntimeSeccomp *s, const char *name) {
        for (size_t i = 0; i < s->n_syscalls; i++)
                if (s->syscalls[i].n_args > 0 && strv_contains(s->syscalls[i].names, name))
                        return true;
        return false;
}

static void test_default(void **state) {
        _cleanup_(seccomp_profile_freep) SeccompProfile *p = NULL;
        _cleanup_(part_free) RuntimeSeccomp *s = NULL;

        read_default(&p);
        assert_ok(seccomp_profile_evaluate(
                p, "amd64", L(S("CAP_CHOWN"), S("CAP_SYS_CHROOT")), (unsigned[]) { 6, 1 }, &s));

        assert_string_equal(s->default_action, "SCMP_ACT_ERRNO");
        assert_int_equal(s->default_errno_ret, 1);
        assert_int_equal(strv_length(s->architectures), 3);
        assert_string_equal(s->architectures[0], "SCMP_ARCH_X86_64");
        assert_string_equal(s->architectures[2], "SCMP_ARCH_X32");

        assert_non_null(rule(s, "openat"));
        assert_non_null(rule(s, "ptrace"));     /* since 4.8 */
        assert_non_null(rule(s, "arch_prctl")); /* of this architecture */
        assert_null(rule(s, "s390_runtime_instr"));
        assert_non_null(rule(s, "chroot"));
        assert_null(rule(s, "mount"));
        assert_null(rule(s, "bpf"));
        assert_null(rule(s, "reboot"));

        /* Without CAP_SYS_ADMIN: no namespaces by clone(), and clone3() says that it is not there. */
        assert_true(has_args(s, "clone"));
        assert_int_equal(rule(s, "clone3")->errno_ret, 38);
        assert_string_equal(rule(s, "clone3")->action, "SCMP_ACT_ERRNO");
        assert_true(has_args(s, "socket"));
        assert_null(rule(s, "socket"));
}

static void test_with_capabilities(void **state) {
        _cleanup_(seccomp_profile_freep) SeccompProfile *p = NULL;
        _cleanup_(part_free) RuntimeSeccomp *s = NULL, *old = NULL;

        read_default(&p);
        assert_ok(seccomp_profile_evaluate(
                p, "amd64", L(S("CAP_SYS_ADMIN"), S("CAP_SYS_BOOT")), (unsigned[]) { 6, 1 }, &s));
        assert_non_null(rule(s, "mount"));
        assert_non_null(rule(s, "clone"));
        assert_string_equal(rule(s, "clone3")->action, "SCMP_ACT_ALLOW");
        assert_non_null(rule(s, "reboot"));
        assert_null(rule(s, "chroot"));

        assert_ok(seccomp_profile_evaluate(p, "s390x", NULL, (unsigned[]) { 4, 7 }, &old));
        assert_null(rule(old, "ptrace"));
        assert_non_null(rule(old, "s390_runtime_instr"));
        assert_null(rule(old, "arch_prctl"));
        assert_string_equal(old->architectures[0], "SCMP_ARCH_S390X");
}

static void test_bad(void **state) {
        static const char *const table[] = {
                "",
                "[]",
                "{}",
                "{\"defaultAction\":\"x\"}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"]}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"name\":"
                "\"b\",\"action\":\"SCMP_ACT_KILL\"}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],"
                "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86\"}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":"
                "\"SCMP_ACT_KILL\",\"args\":[{\"index\":9,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(error_done) Error e = {};
                SeccompProfile *p = NULL;

                assert_true(seccomp_profile_parse(table[i], strlen(table[i]), &p, &e) < 0);
                assert_non_null(e.text);
                assert_null(p);
        }
}

static void test_own(void **state) {
        const char *text =
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],"
                "\"syscalls\":[{\"name\":\"mkdir\",\"action\":\"SCMP_ACT_ERRNO\",\"args\":null}]}";
        _cleanup_(seccomp_profile_freep) SeccompProfile *p = NULL;
        _cleanup_(part_free) RuntimeSeccomp *s = NULL;

        assert_ok(seccomp_profile_parse(text, strlen(text), &p, NULL));
        assert_ok(seccomp_profile_evaluate(p, "amd64", NULL, (unsigned[]) { 6, 1 }, &s));
        assert_int_equal(strv_length(s->architectures), 1);
        assert_string_equal(s->syscalls[0].names[0], "mkdir");
        assert_int_equal(s->default_errno_ret, JSON_NO_UINT32);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default),
                cmocka_unit_test(test_with_capabilities),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_own),
        };

        return cmocka_run_group_tests_name("engine/container/seccomp-profile", tests, NULL, NULL);
}
