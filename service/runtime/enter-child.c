/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The side of the two processes that enter.h tells of. Neither runs anything of the container (rule R3) but the program at the end, as
 * which the second never comes back. Neither is dumpable (main.c). */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "service/runtime/console.h"
#include "service/runtime/enter.h"
#include "service/runtime/mounts.h"
#include "service/runtime/sync.h"
#include "service/runtime/userns.h"

static int child_descriptors(Enter *e, Error *reterr) {
        int r;

        /* Ours are close-on-exec already, those of whoever called us may not be. */
        r = fd_cloexec_from(3 + (int) e->options->preserve_fds);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < e->options->preserve_fds; i++) {
                r = fd_set_cloexec(3 + (int) i, false);
                if (r < 0)
                        return error_set_errno(reterr, r, "hand on descriptor %u", 3 + i);
        }

        for (int sig = 1; sig < 32; sig++)
                (void) signal(sig, SIG_DFL);
        (void) sigprocmask(SIG_SETMASK, &e->child_mask, NULL);
        return 0;
}

/* By the host's procfs, of which the container has nothing (rule R2); what is written is inherited by the second process. */
static int child_proc(Enter *e, Error *reterr) {
        _cleanup_(fd_closep) int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        Mounts m = { .proc_fd = proc_fd, .root_fd = -EBADF, .dev_fd = -EBADF };

        if (proc_fd < 0)
                return error_set_errno(reterr, -errno, "open /proc");
        return process_apply_proc(&e->process, &m, reterr);
}

/* All at once, or none. The pid namespace counts for our children only. */
static int child_join(Enter *e, Error *reterr) {
        if (e->namespaces != 0 && setns(e->init_fd, e->namespaces) < 0)
                return errno == ESRCH ? error_set(reterr, ERROR_NOT_RUNNING,
                                                "cannot exec in a stopped container")
                                      : error_set_errno(reterr, -errno,
                                                "join the namespaces of the container");

        return e->namespaces & CLONE_NEWUSER ? userns_become_root(reterr) : 0;
}

static int child_keyring(Enter *e, Error *reterr) {
        return process_join_keyring(e->options->id, reterr);
}

static int child_root(Enter *e, Error *reterr) {
        _cleanup_(fd_closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        Mounts m = { .root_fd = root_fd, .proc_fd = -EBADF, .dev_fd = -EBADF };
        int r;

        if (root_fd < 0)
                return error_set_errno(reterr, -errno, "open the container's root");
        r = process_add_home(&e->process, root_fd, reterr);
        if (r >= 0 && e->spec.process->terminal)
                r = console_make(e->spec.process, &m, e->console_fd, reterr);
        if (r >= 0)
                r = process_own_streams(&e->process, reterr);
        if (r >= 0)
                r = process_enter_cwd(&e->process, root_fd, reterr);
        return r;
}

static int child_user(Enter *e, Error *reterr) {
        int r;

        r = process_apply_personality(e->spec.linux_->personality, reterr);
        if (r >= 0)
                r = process_apply_no_new_privileges(&e->process, reterr);
        if (r >= 0)
                r = process_change_user(&e->process, reterr);
        if (r >= 0)
                r = process_find_program(&e->process, reterr);
        return r;
}

/* From here on there is nothing of the host left to be seen. */
static int child_let_go(Enter *e, Error *reterr) {
        return process_close_others(
                3 + (int) e->options->preserve_fds, e->child_sync_fd, e->child_go_fd);
}

static const struct {
        const char *name; /* for an error that says nothing itself */
        int (*run)(Enter *e, Error *reterr);
} steps[] = {
        { "close descriptors", child_descriptors },
        { "set kernel parameters", child_proc },
        { "join namespaces", child_join },
        { "join the session keyring", child_keyring },
        { "enter the root file system", child_root },
        { "change the user", child_user },
        { "close descriptors", child_let_go },
};

static int second_steps(Enter *e, Error *reterr) {
        int r;

        if (setsid() < 0)
                return error_set_errno(reterr, -errno, "make a session");
        if (e->spec.process->terminal) {
                r = console_control(reterr);
                if (r < 0)
                        return r;
        }

        /* In the foreground: killed, we must not leave it behind. */
        if (!e->options->detach && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "tie the process to its caller");
        return e->filtered ? 0 : process_restrict(&e->process, &e->seccomp, reterr);
}

_noreturn_ static void second_main(Enter *e) {
        _cleanup_(error_done) Error error = {};
        int r;

        (void) close(e->child_sync_fd);
        /* The pid is in the pid file before the program is there; whoever made us may be gone, then nobody waits for us. */
        r = sync_receive(e->child_go_fd, SYNC_READY, &error);
        if (r >= 0)
                r = second_steps(e, &error);
        if (r >= 0)
                r = process_execute(&e->process, &error);

        sync_send_error(e->child_go_fd, r, &error);
        _exit(1);
}

static int make_second(Enter *e, Error *reterr) {
        pid_t pid;
        int r;

        r = process_restrict_before_birth(&e->process, &e->seccomp, &e->filtered, reterr);
        if (r < 0)
                return r;
        pid = process_birth();
        if (pid == 0)
                second_main(e);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "create a process in the container");

        return sync_send_pid(e->child_sync_fd, pid);
}

void enter_child_main(Enter *e) {
        _cleanup_(error_done) Error error = {};
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(steps) && r >= 0; i++) {
                r = steps[i].run(e, &error);
                if (r < 0 && !error_is_set(&error))
                        r = error_set_errno(&error, r, "%s", steps[i].name);
        }
        if (r >= 0)
                r = make_second(e, &error);
        if (r < 0)
                sync_send_error(e->child_sync_fd, r, &error);
        _exit(r < 0 ? 1 : 0);
}
