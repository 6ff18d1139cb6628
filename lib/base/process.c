/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/process.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define CHILD_STACK_SIZE (64U * 1024U)

typedef struct ChildStart ChildStart;

/* Lives in the parent's memory, which the child shares until its exec. */
struct ChildStart {
        const ProcessSpec *spec;
        char *const *env;
        int error; /* written by the child: why there was no exec */
        int high;  /* fds from here on are no target */
        int copies[PROCESS_FDS_MAX];
};

static int child_fds(ChildStart *s, int *ret_exec_fd) {
        const ProcessSpec *spec = s->spec;
        bool standard[3] = {};
        int exec_fd = -EBADF, null_fd = -EBADF;

        /* Rule R4. Everything we have ends with the exec; only dup2() below makes an fd that
         * stays. */
        if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return -errno;

        /* First out of the way of all targets, then to the targets: in any order, also when they
         * cross. */
        for (size_t i = 0; i < spec->n_fds; i++) {
                s->copies[i] = fcntl(spec->fds[i].fd, F_DUPFD_CLOEXEC, s->high);
                if (s->copies[i] < 0)
                        return -errno;
        }
        if (spec->exec_fd > 0) {
                exec_fd = fcntl(spec->exec_fd, F_DUPFD_CLOEXEC, s->high);
                if (exec_fd < 0)
                        return -errno;
        }
        if (spec->dir_fd > 0 && fchdir(spec->dir_fd) < 0)
                return -errno;
        if (spec->dir_fd <= 0 && !spec->keep_dir && chdir("/") < 0)
                return -errno;

        for (size_t i = 0; i < spec->n_fds; i++) {
                int target = spec->fds[i].target;

                if (dup2(s->copies[i], target) < 0)
                        return -errno;
                if (target < 3)
                        standard[target] = true;
        }

        for (int fd = 0; fd < 3; fd++) {
                if (standard[fd])
                        continue;
                if (null_fd < 0) {
                        int any = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

                        if (any < 0)
                                return -errno;
                        null_fd = fcntl(any, F_DUPFD_CLOEXEC, s->high);
                        if (null_fd < 0)
                                return -errno;
                }
                if (dup2(null_fd, fd) < 0)
                        return -errno;
        }

        *ret_exec_fd = exec_fd;
        return 0;
}

static int child_oom_score(int value) {
        char text[16];
        int fd, n;

        n = snprintf(text, sizeof(text), "%i", value);
        fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return write(fd, text, (size_t) n) < 0 ? -errno : 0;
}

/* Runs on a small stack of its own in the parent's memory, the parent standing still: system
 * calls only. */
__attribute__((no_sanitize("address", "undefined"))) static int child_main(void *argument) {
        static const struct sigaction default_action = { .sa_handler = SIG_DFL };
        ChildStart *s = argument;
        const ProcessSpec *spec = s->spec;
        sigset_t none;
        int exec_fd = -EBADF, r = 0;

        /* Handlers of ours must not run here, in memory that belongs to the parent. */
        for (int sig = 1; sig < NSIG; sig++)
                (void) sigaction(sig, &default_action, NULL);

        if (spec->death_signal > 0 &&
                prctl(PR_SET_PDEATHSIG, (unsigned long) spec->death_signal) < 0)
                r = -errno;
        if (r >= 0 && spec->new_session && setsid() < 0)
                r = -errno;
        if (r >= 0 && spec->set_oom_score)
                r = child_oom_score(spec->oom_score_adjust);
        if (r >= 0)
                r = child_fds(s, &exec_fd);
        if (r >= 0) {
                (void) sigemptyset(&none);
                (void) sigprocmask(SIG_SETMASK, &none, NULL);
                if (exec_fd >= 0)
                        (void) syscall(
                                SYS_execveat, exec_fd, "", spec->argv, s->env, AT_EMPTY_PATH);
                else
                        (void) execve(spec->path, spec->argv, s->env);
                r = -errno;
        }

        s->error = r;
        _exit(127);
}

int process_spawn(const ProcessSpec *spec, pid_t *ret_pid, int *ret_pidfd) {
        static char *const no_env[] = { NULL };
        char stack[CHILD_STACK_SIZE] __attribute__((aligned(64)));
        ChildStart start = { .spec = spec, .env = spec->env ? spec->env : no_env, .high = 3 };
        _cleanup_(fd_closep) int pidfd = -EBADF;
        sigset_t all, saved;
        pid_t pid;
        int r;

        assert(spec);
        assert(spec->path || spec->exec_fd > 0);
        assert(spec->argv && spec->argv[0]);
        assert(spec->fds || spec->n_fds == 0);
        assert(ret_pid);

        if (spec->n_fds > PROCESS_FDS_MAX)
                return -E2BIG;
        for (size_t i = 0; i < spec->n_fds; i++) {
                if (spec->fds[i].fd < 0 || spec->fds[i].target < 0)
                        return -EBADF;
                start.high = MAX(start.high, spec->fds[i].target + 1);
        }

        (void) sigfillset(&all);
        r = pthread_sigmask(SIG_SETMASK, &all, &saved);
        if (r != 0)
                return -r;

        pid = clone(child_main, stack + sizeof(stack),
                CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
        r = pid < 0 ? -errno : 0;

        (void) pthread_sigmask(SIG_SETMASK, &saved, NULL);
        if (r < 0) {
                pidfd = -EBADF;
                return r;
        }

        if (start.error < 0) {
                siginfo_t si;

                (void) process_wait(pidfd, USEC_INFINITE, &si);
                return start.error;
        }

        *ret_pid = pid;
        if (ret_pidfd)
                *ret_pidfd = TAKE_FD(pidfd);
        return 0;
}

int process_pidfd_open(pid_t pid) {
        int fd;

        assert(pid > 0);

        fd = (int) syscall(SYS_pidfd_open, pid, 0);
        return fd < 0 ? -errno : fd;
}

int process_pidfd_pid(int pidfd, pid_t *ret) {
        _cleanup_(freep) char *text = NULL;
        char path[64];
        const char *p;
        int r;

        assert(pidfd >= 0);
        assert(ret);

        (void) snprintf(path, sizeof(path), "/proc/self/fdinfo/%i", pidfd);
        r = file_read(path, 4096, &text, NULL);
        if (r < 0)
                return r;

        p = strstr(text, "\nPid:\t");
        if (!p)
                return -ENOTTY;
        p += STRLEN("\nPid:\t");
        if (*p == '-')
                return -ESRCH;

        text[(p - text) + (ssize_t) strcspn(p, "\n")] = 0;
        return parse_pid(p, ret) < 0 ? -EREMOTE : 0; /* 0: lives in another pid namespace */
}

int process_kill(int pidfd, int sig) {
        return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int process_is_alive(int pidfd) {
        int r;

        r = fd_wait(pidfd, POLLIN, 0);
        return r < 0 ? r : !r;
}

int process_wait(int pidfd, uint64_t timeout_usec, siginfo_t *ret) {
        siginfo_t si = {};
        int r;

        assert(pidfd >= 0);
        assert(ret);

        if (timeout_usec != USEC_INFINITE) {
                r = fd_wait(pidfd, POLLIN, timeout_usec);
                if (r <= 0)
                        return r;
        }

        while (waitid(P_PIDFD, (id_t) pidfd, &si, WEXITED) < 0)
                if (errno != EINTR)
                        return -errno;

        *ret = si;
        return 1;
}

int process_exit_code(const siginfo_t *si) {
        assert(si);

        return si->si_code == CLD_EXITED ? si->si_status : 128 + si->si_status;
}

int process_start_time(pid_t pid, uint64_t *ret) {
        _cleanup_(freep) char *text = NULL, *word = NULL;
        char path[64];
        const char *p;
        int r;

        assert(ret);

        (void) snprintf(path, sizeof(path), "/proc/%i/stat", pid);
        r = file_read(path, 8192, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;

        /* The name in parentheses may hold anything: the last ")" ends it. Field 22 is the 20th
         * behind it. */
        p = strrchr(text, ')');
        if (!p)
                return -EBADMSG;
        p++;
        for (unsigned i = 0; i < 20; i++) {
                word = mfree(word);
                r = str_next_word(&p, " \n", &word);
                if (r <= 0)
                        return r < 0 ? r : -EBADMSG;
        }
        return parse_u64(word, ret);
}

int process_name(pid_t pid, char **ret) {
        char path[64];
        int r;

        (void) snprintf(path, sizeof(path), "/proc/%i/comm", pid);
        r = file_read_line(path, ret);
        return r == -ENOENT ? -ESRCH : r;
}

/* Reads until the child has ended or the time is over. Others may still hold the pipe then: they
 * are not waited for. */
static int collect(int pidfd, int pipe_fd, uint64_t deadline, size_t max, Buffer *b) {
        for (bool open = true;;) {
                struct pollfd p[2] = {
                        { .fd = pidfd, .events = POLLIN },
                        { .fd = open ? pipe_fd : -1, .events = POLLIN },
                };
                uint64_t now = clock_monotonic_us(), left = now < deadline ? deadline - now : 0;
                struct timespec ts = {
                        .tv_sec = (time_t) (left / USEC_PER_SEC),
                        .tv_nsec = (long) (left % USEC_PER_SEC) * NSEC_PER_USEC,
                };
                int r;

                r = ppoll(p, 2, deadline == USEC_INFINITE ? NULL : &ts, NULL);
                if (r < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (r == 0)
                        return -ETIMEDOUT;

                if (p[1].revents) {
                        char rest[4096];
                        ssize_t n;

                        /* What is too much is read and dropped, or the child would wait for
                         * ever. */
                        n = read(pipe_fd, rest, sizeof(rest));
                        if (n > 0) {
                                r = buffer_append(b, rest, MIN((size_t) n, max - buffer_size(b)));
                                if (r < 0)
                                        return r;
                                continue;
                        }
                        if (n == 0 || errno != EAGAIN)
                                open = false;
                }
                if (p[0].revents)
                        return 0;
        }
}

int process_run(const ProcessSpec *spec, uint64_t timeout_usec, size_t max, char **ret_output) {
        _cleanup_(fd_closep) int read_fd = -EBADF, write_fd = -EBADF, pidfd = -EBADF;
        _cleanup_(buffer_done) Buffer b = {};
        ProcessFd fds[PROCESS_FDS_MAX + 2];
        ProcessSpec copy = *spec;
        bool named[3] = {};
        siginfo_t si;
        int pipe_fds[2], r, k;
        pid_t pid;

        assert(ret_output);

        if (spec->n_fds > PROCESS_FDS_MAX - 2)
                return -E2BIG;

        r = fd_pipe(pipe_fds, 0);
        if (r < 0)
                return r;
        read_fd = pipe_fds[0];
        write_fd = pipe_fds[1];
        r = fd_set_nonblock(read_fd, true);
        if (r < 0)
                return r;

        for (size_t i = 0; i < spec->n_fds; i++) {
                fds[i] = spec->fds[i];
                if (fds[i].target >= 0 && fds[i].target < 3)
                        named[fds[i].target] = true;
        }
        for (int target = 1; target < 3; target++)
                if (!named[target])
                        fds[copy.n_fds++] = (ProcessFd) { write_fd, target };
        copy.fds = fds;

        r = process_spawn(&copy, &pid, &pidfd);
        if (r < 0)
                return r;
        write_fd = fd_close(write_fd);

        r = collect(pidfd, read_fd, usec_add(clock_monotonic_us(), timeout_usec), max, &b);
        if (r < 0)
                (void) process_kill(pidfd, SIGKILL);
        k = process_wait(pidfd, USEC_INFINITE, &si);
        if (r < 0)
                return r;
        if (k < 0)
                return k;

        *ret_output = buffer_take_string(&b, NULL);
        return *ret_output ? process_exit_code(&si) : -ENOMEM;
}

const char *signal_to_string(int sig) {
        static char real_time[sizeof("SIGRTMIN+00")];
        /* clang-format off */
        static const char *const names[] = {
                [SIGHUP] = "SIGHUP", [SIGINT] = "SIGINT", [SIGQUIT] = "SIGQUIT",
                [SIGILL] = "SIGILL", [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
                [SIGBUS] = "SIGBUS", [SIGFPE] = "SIGFPE", [SIGKILL] = "SIGKILL",
                [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
                [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
                [SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD", [SIGCONT] = "SIGCONT",
                [SIGSTOP] = "SIGSTOP", [SIGTSTP] = "SIGTSTP", [SIGTTIN] = "SIGTTIN",
                [SIGTTOU] = "SIGTTOU", [SIGURG] = "SIGURG", [SIGXCPU] = "SIGXCPU",
                [SIGXFSZ] = "SIGXFSZ", [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
                [SIGWINCH] = "SIGWINCH", [SIGIO] = "SIGIO", [SIGPWR] = "SIGPWR",
                [SIGSYS] = "SIGSYS",
        };
        /* clang-format on */

        if (sig >= 34 && sig <= 64) {
                if (sig == 34)
                        return "SIGRTMIN";
                if (sig == 64)
                        return "SIGRTMAX";
                (void) snprintf(
                        real_time, sizeof(real_time), "SIGRTMIN+%u", (unsigned) (sig - 34) % 31);
                return real_time;
        }
        return sig > 0 && (size_t) sig < ARRAY_SIZE(names) ? names[sig] : NULL;
}

int signal_ignore(int sig) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN };

        return sigaction(sig, &ignore, NULL) < 0 ? -errno : 0;
}
