/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/caller.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/process.h"
#include "lib/base/str.h"

int caller_check_descriptors(unsigned n, Error *reterr) {
        if (n > PRESERVE_FDS_MAX)
                return error_set(
                        reterr, ERROR_INVALID, "--preserve-fds: more than %u", PRESERVE_FDS_MAX);
        for (unsigned i = 0; i < n; i++)
                if (fcntl(3 + (int) i, F_GETFD) < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "--preserve-fds %u: descriptor %u is not open", n, 3 + i);
        return 0;
}

int caller_write_pid(const char *path, pid_t pid, Error *reterr) {
        _cleanup_(freep) char *parent = NULL, *absolute = NULL;
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        char text[16];
        int r;

        if (!path)
                return 0;

        r = path_is_absolute(path) ? str_copy(&absolute, path)
                                   : str_printf(&absolute, "./%s", path);
        if (r >= 0)
                r = path_parent(absolute, &parent);
        if (r < 0)
                return r;
        dir_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return error_set_errno(reterr, -errno, "write the pid file %s", path);

        (void) snprintf(text, sizeof(text), "%d", (int) pid);
        r = file_write_atomic_string(dir_fd, path_last(absolute), text, 0644, 0);
        return r < 0 ? error_set_errno(reterr, r, "write the pid file %s", path) : 0;
}

int caller_take_signals(sigset_t *ret_old, Error *reterr) {
        sigset_t set;
        int fd;

        (void) sigfillset(&set);
        (void) sigdelset(&set, SIGSEGV);
        (void) sigdelset(&set, SIGBUS);
        (void) sigdelset(&set, SIGFPE);
        (void) sigdelset(&set, SIGILL);
        (void) sigdelset(&set, SIGABRT);
        if (sigprocmask(SIG_BLOCK, &set, ret_old) < 0)
                return error_set_errno(reterr, -errno, "prepare signals");

        fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? error_set_errno(reterr, -errno, "prepare signals") : fd;
}

static void forward(int signal_fd, int pidfd) {
        struct signalfd_siginfo info;

        while (read(signal_fd, &info, sizeof(info)) == sizeof(info))
                if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGURG)
                        (void) process_kill(pidfd, (int) info.ssi_signo);
}

int caller_wait(int *pidfd, int signal_fd, Error *reterr) {
        struct pollfd fds[] = {
                { .fd = *pidfd, .events = POLLIN },
                { .fd = signal_fd, .events = POLLIN },
        };
        siginfo_t si;
        int r;

        while (!fds[0].revents) {
                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "wait for the container");
                if (fds[1].revents)
                        forward(signal_fd, *pidfd);
        }

        r = process_wait(*pidfd, UINT64_MAX, &si);
        if (r < 0)
                return error_set_errno(reterr, r, "wait for the container");
        *pidfd = fd_close(*pidfd);
        return process_exit_code(&si);
}

static void write_small(Error *e, int r) {
        char *words = error_is_set(e) ? (char *) str_ends(e->text, strerror(-r)) : NULL;

        if (words && words > e->text && words[-1] == ' ')
                *words = (char) tolower((unsigned char) *words);
}

int caller_say_why(Error *reterr, int r) {
        write_small(reterr, r);
        return error_prefix(reterr, r, "unable to start container process");
}
