/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/runtime/args.h"
#include "service/runtime/caller.h"
#include "service/runtime/commands.h"
#include "service/runtime/console.h"
#include "service/runtime/enter.h"

/* Options stand before the container's id; what follows it is the command, dashes and all. */
static int parse(char **argv, EnterOptions *o, Error *reterr) {
        const Arg table[] = { { "additional-gids", 'g', ARG_STRV, &o->groups },
                { "apparmor", 0, ARG_STRING, &o->apparmor },
                { "cap", 'c', ARG_STRV, &o->capabilities }, { "cgroup", 0, ARG_STRING, &o->cgroup },
                { "console-socket", 0, ARG_STRING, &o->console_socket },
                { "cwd", 0, ARG_STRING, &o->cwd }, { "detach", 'd', ARG_FLAG, &o->detach },
                { "env", 'e', ARG_STRV, &o->env },
                { "ignore-paused", 0, ARG_FLAG, &o->ignore_paused },
                { "no-new-privs", 0, ARG_FLAG, &o->no_new_privileges },
                { "no-subreaper", 0, ARG_IGNORED_FLAG, NULL },
                { "pid-file", 0, ARG_STRING, &o->pid_file },
                { "preserve-fds", 0, ARG_UNSIGNED, &o->preserve_fds },
                { "process", 'p', ARG_STRING, &o->process },
                { "process-label", 0, ARG_STRING, &o->label }, { "tty", 't', ARG_FLAG, &o->tty },
                { "user", 'u', ARG_STRING, &o->user }, {} };
        int r;

        r = args_parse_leading(argv, table, &argv, reterr);
        if (r < 0)
                return r;
        if (!*argv)
                return error_set(reterr, ERROR_INVALID, "a container id is missing");
        o->id = *argv++;
        if (*argv && streq(*argv, "--"))
                argv++;
        o->args = argv;
        if (!*argv && !o->process)
                return error_set(reterr, ERROR_INVALID, "there is no command to run");

        r = caller_check_descriptors(o->preserve_fds, reterr);
        if (r >= 0 && geteuid() != 0)
                r = error_set(reterr, ERROR_FORBIDDEN,
                        "only root can enter containers with this runtime");
        return r;
}

static int foreground(Enter *e, int signal_fd, Error *reterr) {
        _cleanup_(fd_closep) int master_fd = -EBADF;

        if (e->console_parent_fd >= 0) {
                master_fd = console_receive(e->console_parent_fd, reterr);
                if (master_fd < 0)
                        return master_fd;
                (void) console_relay(master_fd, e->pidfd, signal_fd, reterr);
        }
        return caller_wait(&e->pidfd, signal_fd, reterr);
}

static int run(const EnterOptions *o, Error *reterr) {
        _cleanup_(enter_done) Enter e = ENTER_NONE;
        _cleanup_(fd_closep) int signal_fd = -EBADF;
        int r;

        if (o->detach)
                (void) sigprocmask(SIG_SETMASK, NULL, &e.child_mask);
        else {
                signal_fd = caller_take_signals(&e.child_mask, reterr);
                if (signal_fd < 0)
                        return signal_fd;
        }

        r = enter(&e, o, reterr);
        if (r >= 0)
                r = enter_go(&e, reterr);
        if (r < 0) {
                enter_undo(&e);
                r = caller_say_why(reterr, r);
                return error_prefix(reterr, r, "exec failed");
        }
        return o->detach ? 0 : foreground(&e, signal_fd, reterr);
}

int command_exec(const Globals *g, char **argv, Error *reterr) {
        EnterOptions o = { .root = g->root };
        int r;

        r = parse(argv, &o, reterr);
        if (r >= 0)
                r = run(&o, reterr);

        strv_free(o.env);
        strv_free(o.capabilities);
        strv_free(o.groups);
        return r;
}
