/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/seccomp.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"
#include "tests/unit/test.h"

#ifdef __x86_64__
#define NATIVE "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define NATIVE "SCMP_ARCH_AARCH64"
#else
#define NATIVE "SCMP_ARCH_NATIVE"
#endif

/* Classic BPF as seccomp uses it. */
static uint32_t run(const SeccompFilter *f, const struct seccomp_data *data) {
        uint32_t a = 0;

        for (size_t pc = 0; pc < f->n_instructions; pc++) {
                const struct sock_filter *i = f->instructions + pc;

                switch (i->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        assert_true(i->k + 4 <= sizeof(*data));
                        memcpy(&a, (const char *) data + i->k, 4);
                        break;
                case BPF_JMP | BPF_JA:
                        pc += i->k;
                        break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        pc += a == i->k ? i->jt : i->jf;
                        break;
                case BPF_JMP | BPF_JGT | BPF_K:
                        pc += a > i->k ? i->jt : i->jf;
                        break;
                case BPF_JMP | BPF_JGE | BPF_K:
                        pc += a >= i->k ? i->jt : i->jf;
                        break;
                case BPF_JMP | BPF_JSET | BPF_K:
                        pc += a & i->k ? i->jt : i->jf;
                        break;
                case BPF_ALU | BPF_AND | BPF_K:
                        a &= i->k;
                        break;
                case BPF_RET | BPF_K:
                        return i->k;
                default:
                        fail_msg("instruction %#x is not expected", i->code);
                }
        }

        fail_msg("the program does not end");
        return 0;
}

static uint32_t call(const SeccompFilter *f, int number, uint64_t arg0) {
        const struct seccomp_data data = {
                .nr = number, .arch = seccomp_arch_native(), .args = { arg0 }
        };

        return run(f, &data);
}

static RuntimeSeccomp profile(RuntimeSyscall *calls, size_t n) {
        static char *architectures[] = { NATIVE, NULL };

        return (RuntimeSeccomp) {
                .default_action = (char *) "SCMP_ACT_ERRNO",
                .default_errno_ret = JSON_NO_UINT32,
                .architectures = architectures,
                .syscalls = calls,
                .n_syscalls = n,
        };
}

static char *allowed[] = { "read", "write", "exit_group", "close", "no_such_call_ever", NULL };
static char *personality_name[] = { "personality", NULL };
static char *clone3_name[] = { "clone3", NULL };

static RuntimeSeccompArg zero = { 0, 0, 0, (char *) "SCMP_CMP_EQ" };

static RuntimeSyscall rows[] = {
        { .names = allowed, .action = (char *) "SCMP_ACT_ALLOW", .errno_ret = JSON_NO_UINT32 },
        { .names = personality_name,
                .action = (char *) "SCMP_ACT_ALLOW",
                .errno_ret = JSON_NO_UINT32,
                .args = &zero,
                .n_args = 1 },
        { .names = clone3_name, .action = (char *) "SCMP_ACT_ERRNO", .errno_ret = ENOSYS },
};

static void test_decisions(void **state) {
        _cleanup_(seccomp_filter_done) SeccompFilter f = {};
        RuntimeSeccomp s = profile(rows, ARRAY_SIZE(rows));

        assert_ok(seccomp_compile(&s, &f, NULL));
        assert_int_equal(call(&f, SYS_read, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(call(&f, SYS_exit_group, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(call(&f, SYS_mount, 0), SECCOMP_RET_ERRNO | EPERM);
        assert_int_equal(call(&f, SYS_personality, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(call(&f, SYS_personality, 8), SECCOMP_RET_ERRNO | EPERM);
        assert_int_equal(call(&f, SYS_clone3, 0), SECCOMP_RET_ERRNO | ENOSYS);
        /* Calls that came after the youngest one of the profile. */
        assert_int_equal(call(&f, SYS_clone3 + 1, 0), SECCOMP_RET_ERRNO | ENOSYS);
        assert_int_equal(call(&f, 9999, 0), SECCOMP_RET_ERRNO | ENOSYS);
}

static void test_foreign_abi(void **state) {
#ifdef __x86_64__
        _cleanup_(seccomp_filter_done) SeccompFilter f = {};
        RuntimeSeccomp s = profile(rows, ARRAY_SIZE(rows));
        struct seccomp_data data = { .nr = 3 /* read */, .arch = AUDIT_ARCH_I386 };

        assert_ok(seccomp_compile(&s, &f, NULL));
        assert_int_equal(run(&f, &data), SECCOMP_RET_KILL_THREAD);
        data = (struct seccomp_data) { .nr = 0x40000000 /* x32 read */, .arch = AUDIT_ARCH_X86_64 };
        assert_int_not_equal(run(&f, &data), SECCOMP_RET_ALLOW);
        data.nr = 0x40000000 | 9999;
        assert_int_not_equal(run(&f, &data), SECCOMP_RET_ALLOW);
#else
        skip();
#endif
}

static void test_alternatives(void **state) {
        RuntimeSeccompArg both[] = { { 0, 1, 0, (char *) "SCMP_CMP_EQ" },
                { 0, 5, 0, (char *) "SCMP_CMP_EQ" } };
        RuntimeSyscall row = { .names = personality_name,
                .action = (char *) "SCMP_ACT_ALLOW",
                .errno_ret = JSON_NO_UINT32,
                .args = both,
                .n_args = 2 };
        _cleanup_(seccomp_filter_done) SeccompFilter f = {};
        RuntimeSeccomp s = profile(&row, 1);

        assert_ok(seccomp_compile(&s, &f, NULL));
        assert_int_equal(call(&f, SYS_personality, 1), SECCOMP_RET_ALLOW);
        assert_int_equal(call(&f, SYS_personality, 5), SECCOMP_RET_ALLOW);
        assert_int_equal(call(&f, SYS_personality, 2), SECCOMP_RET_ERRNO | EPERM);
}

static void test_mistakes(void **state) {
        RuntimeSyscall action = {
                .names = allowed, .action = (char *) "SCMP_ACT_ALOW", .errno_ret = JSON_NO_UINT32
        };
        RuntimeSeccompArg seventh = { 6, 0, 0, (char *) "SCMP_CMP_EQ" },
                          word = { 0, 0, 0, (char *) "EQ" };
        RuntimeSyscall arg = {
                .names = allowed, .action = (char *) "SCMP_ACT_ALLOW", .args = &seventh, .n_args = 1
        };
        RuntimeSyscall op = {
                .names = allowed, .action = (char *) "SCMP_ACT_ALLOW", .args = &word, .n_args = 1
        };
        _cleanup_(seccomp_filter_done) SeccompFilter f = {};
        _cleanup_(error_done) Error e = {};
        RuntimeSeccomp s = profile(&action, 1);

        assert_int_equal(seccomp_compile(&s, &f, &e), -EINVAL);
        assert_string_equal(e.text, "seccomp: unknown action \"SCMP_ACT_ALOW\"");
        s = profile(&arg, 1);
        assert_int_equal(seccomp_compile(&s, &f, NULL), -EINVAL);
        s = profile(&op, 1);
        assert_int_equal(seccomp_compile(&s, &f, NULL), -EINVAL);
        s = profile(NULL, 0);
        s.default_action = (char *) "";
        assert_int_equal(seccomp_compile(&s, &f, NULL), -EINVAL);
}

static void test_key(void **state) {
        RuntimeSeccomp a = profile(rows, ARRAY_SIZE(rows)), b = a;
        char *split[] = { "re", "ad", NULL }, *whole[] = { "read", NULL };
        RuntimeSyscall r1 = { .names = split, .action = (char *) "SCMP_ACT_ALLOW" },
                       r2 = { .names = whole, .action = (char *) "SCMP_ACT_ALLOW" };
        _cleanup_(buffer_done) Buffer k1 = {}, k2 = {}, k3 = {}, k4 = {}, k5 = {};

        assert_ok(seccomp_key(&a, &k1));
        assert_ok(seccomp_key(&b, &k2));
        assert_int_equal(buffer_size(&k1), buffer_size(&k2));
        assert_memory_equal(buffer_head(&k1), buffer_head(&k2), buffer_size(&k1));

        b.default_errno_ret = 38;
        assert_ok(seccomp_key(&b, &k3));
        assert_memory_not_equal(buffer_head(&k1), buffer_head(&k3), buffer_size(&k1));

        b = profile(&r1, 1);
        assert_ok(seccomp_key(&b, &k4));
        b = profile(&r2, 1);
        assert_ok(seccomp_key(&b, &k5));
        assert_int_not_equal(buffer_size(&k4), buffer_size(&k5));
}

static void assert_same(const SeccompFilter *a, const SeccompFilter *b) {
        assert_int_equal(a->n_instructions, b->n_instructions);
        assert_int_equal(a->flags, b->flags);
        assert_memory_equal(
                a->instructions, b->instructions, a->n_instructions * sizeof(*a->instructions));
}

static void test_cache(void **state) {
        _cleanup_(seccomp_filter_done) SeccompFilter plain = {}, first = {}, second = {},
                                                     third = {};
        _cleanup_(fd_closep) int root_fd = file_open_dir(AT_FDCWD, *state), dir_fd = -EBADF,
                                 fd = -EBADF;
        _cleanup_(strv_freep) char **files = NULL;
        RuntimeSeccomp s = profile(rows, ARRAY_SIZE(rows));

        assert_ok(seccomp_compile(&s, &plain, NULL));
        assert_ok(seccomp_prepare(&s, root_fd, &first, NULL));
        assert_null(first.map);
        assert_same(&plain, &first);
        assert_ok(seccomp_prepare(&s, root_fd, &second, NULL));
        assert_non_null(second.map);
        assert_same(&plain, &second);

        /* Whatever the file holds: it is right, or it is not used. */
        dir_fd = file_open_dir(root_fd, ".seccomp");
        assert_ok(dir_fd);
        assert_ok(file_list(dir_fd, ".", true, &files));
        assert_int_equal(strv_length(files), 1);
        fd = openat(dir_fd, files[0], O_WRONLY | O_CLOEXEC);
        assert_ok(fd);
        assert_int_equal(pwrite(fd, "x", 1, 40), 1);
        assert_ok(seccomp_prepare(&s, root_fd, &third, NULL));
        assert_null(third.map);
        assert_same(&plain, &third);
}

static void test_cache_of_others(void **state) {
        _cleanup_(seccomp_filter_done) SeccompFilter first = {}, second = {};
        _cleanup_(fd_closep) int root_fd = file_open_dir(AT_FDCWD, *state), dir_fd = -EBADF;
        _cleanup_(strv_freep) char **files = NULL;
        RuntimeSeccomp s = profile(rows, ARRAY_SIZE(rows));

        assert_ok(seccomp_prepare(&s, root_fd, &first, NULL));
        dir_fd = file_open_dir(root_fd, ".seccomp");
        assert_ok(file_list(dir_fd, ".", true, &files));
        assert_int_equal(fchmodat(dir_fd, files[0], 0666, 0), 0);
        assert_ok(seccomp_prepare(&s, root_fd, &second, NULL));
        assert_null(second.map);
}

/* What the filter says before it is in force. */
static void test_allows(void **state) {
        _cleanup_(seccomp_filter_done) SeccompFilter f = {};
        const struct sock_filter odd[] = { { .code = BPF_LD | BPF_W | BPF_IND } },
                                 outside[] = { { .code = BPF_LD | BPF_W | BPF_ABS, .k = 61 } };
        const uint64_t other[6] = { 8 };
        SeccompFilter bad = { .instructions = odd, .n_instructions = 1 };
        RuntimeSeccomp s = profile(rows, ARRAY_SIZE(rows));

        assert_ok(seccomp_compile(&s, &f, NULL));
        assert_true(seccomp_filter_allows(&f, SYS_read, NULL));
        assert_false(seccomp_filter_allows(&f, SYS_mount, NULL));
        assert_false(seccomp_filter_allows(&f, SYS_clone3, NULL));
        assert_true(seccomp_filter_allows(&f, SYS_personality, NULL));
        assert_false(seccomp_filter_allows(&f, SYS_personality, other));

        /* Nothing that is not understood is taken for a yes. */
        assert_false(seccomp_filter_allows(&bad, SYS_read, NULL));
        bad.instructions = outside;
        assert_false(seccomp_filter_allows(&bad, SYS_read, NULL));
        bad.n_instructions = 0;
        assert_true(seccomp_filter_allows(&bad, SYS_read, NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_decisions),
                cmocka_unit_test(test_foreign_abi),
                cmocka_unit_test(test_alternatives),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_allows),
                cmocka_unit_test(test_key),
                cmocka_unit_test_setup_teardown(
                        test_cache, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_cache_of_others, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
