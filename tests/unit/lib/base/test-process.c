/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/process.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/strv.h"
#include "tests/unit/test.h"

#define SHELL "/bin/sh"

static ProcessSpec shell(char *const *argv) {
        return (ProcessSpec) { .path = SHELL, .argv = argv };
}

static void test_run(void **state) {
        char *argv[] = { (char *) "sh", (char *) "-c",
                (char *) "echo out; echo err >&2; pwd; echo $A; exit 3", NULL };
        char *env[] = { (char *) "A=b", NULL };
        _cleanup_(freep) char *output = NULL;
        ProcessSpec spec = shell(argv);

        spec.env = env;
        assert_int_equal(process_run(&spec, 10 * USEC_PER_SEC, 1000, &output), 3);
        assert_string_equal(output, "out\nerr\n/\nb\n");
}

/* Rule R4: exactly the fds of the list, whatever we have open and inheritable. */
static void test_exact_fds(void **state) {
        _cleanup_(strv_freep) char **argv = strv_new("readlink");
        _cleanup_(freep) char *output = NULL;
        int p[2], extra[20];
        ProcessFd fds[2];
        ProcessSpec spec = { .path = "/usr/bin/readlink", .fds = fds, .n_fds = 2 };
        struct stat st;
        char *expected;

        for (int fd = 0; fd < 100; fd++)
                assert_ok(strv_addf(&argv, "/proc/self/fd/%i", fd));
        spec.argv = argv;

        assert_ok(fd_pipe(p, 0));
        for (size_t i = 0; i < ARRAY_SIZE(extra); i++) {
                extra[i] = dup(p[1]); /* without close-on-exec */
                assert_true(extra[i] >= 0);
        }
        /* One goes to a number where another one of ours is open, one trades places with it. */
        fds[0] = (ProcessFd) { p[0], extra[3] };
        fds[1] = (ProcessFd) { extra[3], p[0] };
        assert_int_equal(fstat(p[0], &st), 0);

        /* Some of the numbers do not exist: readlink says so by its exit code, and prints the
         * others. */
        assert_int_equal(process_run(&spec, 10 * USEC_PER_SEC, 1000, &output), 1);
        assert_ok(asprintf(&expected, "pipe:[%ju]", (uintmax_t) st.st_ino));
        {
                _cleanup_(strv_freep) char **lines = NULL;

                assert_ok(strv_split(output, "\n", false, &lines));
                assert_int_equal(strv_length(lines), 5);
                assert_string_equal(lines[0], "/dev/null");
                assert_string_equal(lines[1], lines[2]); /* the pipe that collects the output */
                assert_string_equal(lines[3], expected);
                assert_string_equal(lines[4], expected);
        }
        free(expected);

        fd_close_many(extra, ARRAY_SIZE(extra));
        fd_close_many(p, 2);
}

static void test_exec_fails(void **state) {
        char *argv[] = { (char *) "x", NULL };
        ProcessSpec spec = { .path = "/no/such/program", .argv = argv };
        ProcessFd bad = { 900, 3 };
        siginfo_t si = {};
        pid_t pid;
        int pidfd;

        assert_int_equal(process_spawn(&spec, &pid, &pidfd), -ENOENT);
        spec.path = "/etc/passwd";
        assert_int_equal(process_spawn(&spec, &pid, &pidfd), -EACCES);
        spec.path = "/bin/true";
        spec.fds = &bad;
        spec.n_fds = 1;
        assert_int_equal(process_spawn(&spec, &pid, &pidfd), -EBADF);

        /* No child is left to be reaped. */
        assert_int_equal(waitid(P_ALL, 0, &si, WEXITED | WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static void test_exec_fd(void **state) {
        char *argv[] = { (char *) "true", NULL };
        _cleanup_(fd_closep) int program = open("/bin/true", O_RDONLY | O_CLOEXEC), pidfd = -EBADF;
        ProcessSpec spec = {
                .exec_fd = program, .argv = argv, .new_session = true, .death_signal = SIGKILL
        };
        siginfo_t si;
        pid_t pid;

        assert_ok(process_spawn(&spec, &pid, &pidfd));
        assert_int_equal(process_wait(pidfd, USEC_INFINITE, &si), 1);
        assert_int_equal(si.si_pid, pid);
        assert_int_equal(process_exit_code(&si), 0);
}

static void test_signals_reset(void **state) {
        char *argv[] = { (char *) "sh", (char *) "-c",
                (char *) "grep -E 'Sig(Blk|Ign)' /proc/self/status", NULL };
        _cleanup_(freep) char *output = NULL;
        ProcessSpec spec = shell(argv);
        sigset_t set, old;

        assert_ok(signal_ignore(SIGPIPE));
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, &old);
        assert_int_equal(process_run(&spec, 10 * USEC_PER_SEC, 1000, &output), 0);
        assert_string_equal(output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");

        /* Ours are as they were. */
        (void) sigprocmask(SIG_SETMASK, &old, &set);
        assert_true(sigismember(&set, SIGTERM));
}

static void test_wait(void **state) {
        char *argv[] = { (char *) "sleep", (char *) "100", NULL };
        ProcessSpec spec = { .path = "/bin/sleep", .argv = argv };
        _cleanup_(fd_closep) int pidfd = -EBADF;
        _cleanup_(freep) char *name = NULL;
        uint64_t start;
        siginfo_t si;
        pid_t pid, again;

        assert_ok(process_spawn(&spec, &pid, &pidfd));
        assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(process_is_alive(pidfd), 1);
        assert_ok(process_pidfd_pid(pidfd, &again));
        assert_int_equal(again, pid);
        assert_ok(process_start_time(pid, &start));
        assert_true(start > 0);
        assert_ok(process_name(pid, &name));
        assert_string_equal(name, "sleep");
        assert_int_equal(process_wait(pidfd, 10000, &si), 0);
        assert_ok(process_kill(pidfd, SIGTERM));
        assert_int_equal(process_wait(pidfd, 10 * USEC_PER_SEC, &si), 1);
        assert_int_equal(process_exit_code(&si), 128 + SIGTERM);
        assert_int_equal(process_is_alive(pidfd), 0);
        assert_int_equal(process_kill(pidfd, SIGTERM), -ESRCH);
        assert_int_equal(process_pidfd_pid(pidfd, &again), -ESRCH);
        assert_int_equal(process_start_time(pid, &start), -ESRCH);
        assert_int_equal(process_pidfd_pid(STDERR_FILENO, &again), -ENOTTY);
}

static void test_run_limits(void **state) {
        char *slow[] = { (char *) "sh", (char *) "-c", (char *) "sleep 100", NULL };
        char *loud[] = { (char *) "sh", (char *) "-c",
                (char *) "yes | head -c 300000; echo done >&2", NULL };
        char *fork[] = { (char *) "sh", (char *) "-c", (char *) "sleep 3 & echo now", NULL };
        _cleanup_(freep) char *output = NULL, *cut = NULL, *now = NULL;
        uint64_t start = clock_monotonic_us();
        ProcessSpec spec = shell(slow);

        assert_int_equal(process_run(&spec, 50 * USEC_PER_MSEC, 10, &output), -ETIMEDOUT);
        assert_true(clock_monotonic_us() - start < 5 * USEC_PER_SEC);
        spec = shell(loud);
        assert_int_equal(process_run(&spec, 10 * USEC_PER_SEC, 7, &cut), 0);
        assert_int_equal(strlen(cut), 7);

        /* A grandchild that holds the pipe is not waited for. */
        start = clock_monotonic_us();
        spec = shell(fork);
        assert_int_equal(process_run(&spec, 10 * USEC_PER_SEC, 100, &now), 0);
        assert_string_equal(now, "now\n");
        assert_true(clock_monotonic_us() - start < 2 * USEC_PER_SEC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_run),
                cmocka_unit_test(test_exact_fds),
                cmocka_unit_test(test_exec_fails),
                cmocka_unit_test(test_exec_fd),
                cmocka_unit_test(test_signals_reset),
                cmocka_unit_test(test_wait),
                cmocka_unit_test(test_run_limits),
        };

        return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
