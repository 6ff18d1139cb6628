/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/parse.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "service/runtime/args.h"
#include "service/runtime/commands.h"
#include "service/runtime/console.h"
#include "service/runtime/hooks.h"
#include "service/runtime/launch.h"

static int parse(char **argv, LaunchOptions *o, Error *reterr) {
        const char *words[2];
        bool ignored;
        const Arg table[] = { { "bundle", 'b', ARG_STRING, &o->bundle },
                { "config", 'f', ARG_STRING, &o->config },
                { "console-socket", 0, ARG_STRING, &o->console_socket },
                { "detach", 'd', ARG_FLAG, &o->detach }, { "keep", 0, ARG_FLAG, &ignored },
                { "no-new-keyring", 0, ARG_FLAG, &o->no_new_keyring },
                { "no-pivot", 0, ARG_FLAG, &o->no_pivot },
                { "no-subreaper", 0, ARG_FLAG, &ignored },
                { "pid-file", 0, ARG_STRING, &o->pid_file },
                { "preserve-fds", 0, ARG_UNSIGNED, &o->preserve_fds }, {} };
        int r;

        r = args_parse(argv, table, words, 1, 1, reterr);
        if (r < 0)
                return r;
        o->id = words[0];
        return 0;
}

/* Socket activation of whoever started us is meant for the container. */
static int take_descriptors(LaunchOptions *o, Error *reterr) {
        const char *n = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
        pid_t p;

        if (n && (!pid || (parse_pid(pid, &p) >= 0 && p == getpid()))) {
                if (parse_unsigned(n, &o->listen_fds) < 0 || o->listen_fds > PRESERVE_FDS_MAX)
                        return error_set(reterr, ERROR_INVALID,
                                "LISTEN_FDS=%s is not a number of descriptors", n);
                if (o->preserve_fds < o->listen_fds)
                        o->preserve_fds = o->listen_fds;
        }

        if (o->preserve_fds > PRESERVE_FDS_MAX)
                return error_set(
                        reterr, ERROR_INVALID, "--preserve-fds: more than %u", PRESERVE_FDS_MAX);
        /* A hole would be filled by one of ours, which must never reach the container. */
        for (unsigned i = 0; i < o->preserve_fds; i++)
                if (fcntl(3 + (int) i, F_GETFD) < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "--preserve-fds %u: descriptor %u is not open", o->preserve_fds,
                                3 + i);
        return 0;
}

static int prepare(const Globals *g, char **argv, LaunchOptions *o, Error *reterr) {
        int r;

        o->root = g->root;
        o->manager = g->manager;
        r = parse(argv, o, reterr);
        if (r >= 0)
                r = take_descriptors(o, reterr);
        if (r >= 0 && geteuid() != 0)
                r = error_set(
                        reterr, ERROR_FORBIDDEN, "only root can make containers with this runtime");
        return r;
}

/* The words for an errno begin as Go writes them: docker's client finds its exit codes 126 and 127 by "permission denied" and
 * "no such file or directory". */
static void write_small(Error *e, int r) {
        char *words = error_is_set(e) ? (char *) str_ends(e->text, strerror(-r)) : NULL;

        if (words && words > e->text && words[-1] == ' ')
                *words = (char) tolower((unsigned char) *words);
}

static int say_why(Error *reterr, int r) {
        write_small(reterr, r);
        return error_prefix(reterr, r, "unable to start container process");
}

int command_create(const Globals *g, char **argv, Error *reterr) {
        _cleanup_(launch_done) Launch l = LAUNCH_NONE;
        LaunchOptions o = {};
        int r;

        r = prepare(g, argv, &o, reterr);
        if (r < 0)
                return r;

        (void) sigprocmask(SIG_SETMASK, NULL, &l.child_mask);
        r = launch(&l, &o, reterr);
        return r < 0 ? say_why(reterr, r) : 0;
}

/* All signals but those about ourselves are meant for the container. */
static int block_signals(sigset_t *ret_old) {
        sigset_t set;

        (void) sigfillset(&set);
        (void) sigdelset(&set, SIGSEGV);
        (void) sigdelset(&set, SIGBUS);
        (void) sigdelset(&set, SIGFPE);
        (void) sigdelset(&set, SIGILL);
        (void) sigdelset(&set, SIGABRT);
        if (sigprocmask(SIG_BLOCK, &set, ret_old) < 0)
                return -errno;

        int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

static void forward(int signal_fd, int pidfd) {
        struct signalfd_siginfo info;

        while (read(signal_fd, &info, sizeof(info)) == sizeof(info))
                if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGURG)
                        (void) process_kill(pidfd, (int) info.ssi_signo);
}

static int wait_exit(Launch *l, int signal_fd, Error *reterr) {
        struct pollfd fds[] = {
                { .fd = l->pidfd, .events = POLLIN },
                { .fd = signal_fd, .events = POLLIN },
        };
        siginfo_t si;
        int r;

        while (!fds[0].revents) {
                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "wait for the container");
                if (fds[1].revents)
                        forward(signal_fd, l->pidfd);
        }

        r = process_wait(l->pidfd, UINT64_MAX, &si);
        if (r < 0)
                return error_set_errno(reterr, r, "wait for the container");
        l->pidfd = fd_close(l->pidfd);
        return process_exit_code(&si);
}

static int foreground(Launch *l, int signal_fd, Error *reterr) {
        const RuntimeHooks *h = l->spec.hooks;
        _cleanup_(fd_closep) int master_fd = -EBADF;
        int r, status;

        if (l->console_parent_fd >= 0) {
                master_fd = console_receive(l->console_parent_fd, reterr);
                if (master_fd < 0)
                        return master_fd;
        }
        r = launch_go(l, reterr);
        if (r < 0)
                return say_why(reterr, r);
        if (master_fd >= 0)
                (void) console_relay(master_fd, l->pidfd, signal_fd, reterr);

        status = wait_exit(l, signal_fd, reterr);
        if (status >= 0 && h && h->n_poststop > 0) {
                _cleanup_(freep) char *state = NULL;

                if (state_document(&l->state, STATE_STOPPED, /* pretty= */ false, &state) >= 0)
                        (void) hooks_run_all("poststop", h->poststop, h->n_poststop, state, NULL);
        }
        return status;
}

int command_run(const Globals *g, char **argv, Error *reterr) {
        _cleanup_(launch_done) Launch l = LAUNCH_NONE;
        _cleanup_(fd_closep) int signal_fd = -EBADF;
        LaunchOptions o = { .run = true };
        int r;

        r = prepare(g, argv, &o, reterr);
        if (r < 0)
                return r;

        if (o.detach)
                (void) sigprocmask(SIG_SETMASK, NULL, &l.child_mask);
        else {
                signal_fd = block_signals(&l.child_mask);
                if (signal_fd < 0)
                        return error_set_errno(reterr, signal_fd, "prepare signals");
        }

        r = launch(&l, &o, reterr);
        if (r < 0)
                return say_why(reterr, r);
        if (!o.detach) {
                r = foreground(&l, signal_fd, reterr);
                launch_undo(&l);
                return r;
        }

        r = launch_go(&l, reterr);
        if (r < 0) {
                launch_undo(&l);
                return say_why(reterr, r);
        }
        return 0;
}
