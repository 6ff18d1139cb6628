/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/parse.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "service/runtime/args.h"
#include "service/runtime/caller.h"
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

        return caller_check_descriptors(o->preserve_fds, reterr);
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

int command_create(const Globals *g, char **argv, Error *reterr) {
        _cleanup_(launch_done) Launch l = LAUNCH_NONE;
        LaunchOptions o = {};
        int r;

        r = prepare(g, argv, &o, reterr);
        if (r < 0)
                return r;

        (void) sigprocmask(SIG_SETMASK, NULL, &l.child_mask);
        r = launch(&l, &o, reterr);
        return r < 0 ? caller_say_why(reterr, r) : 0;
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
                return caller_say_why(reterr, r);
        if (master_fd >= 0)
                (void) console_relay(master_fd, l->pidfd, signal_fd, reterr);

        status = caller_wait(&l->pidfd, signal_fd, reterr);
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
                signal_fd = caller_take_signals(&l.child_mask, reterr);
                if (signal_fd < 0)
                        return signal_fd;
        }

        r = launch(&l, &o, reterr);
        if (r < 0)
                return caller_say_why(reterr, r);
        if (!o.detach) {
                r = foreground(&l, signal_fd, reterr);
                launch_undo(&l);
                return r;
        }

        r = launch_go(&l, reterr);
        if (r < 0) {
                launch_undo(&l);
                return caller_say_why(reterr, r);
        }
        return 0;
}
