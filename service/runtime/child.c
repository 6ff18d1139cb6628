/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child's side: the table of ordered steps, then the program. From the clone on this process is in the container's namespaces,
 * so it runs nothing of the container (rule R3) but the program at the end, as which it never comes back. It is not
 * dumpable (main.c) and all its descriptors close when the program starts (rule R4). */

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "service/runtime/console.h"
#include "service/runtime/hooks.h"
#include "service/runtime/launch.h"
#include "service/runtime/sync.h"
#include "service/runtime/sysctl.h"
#include "service/runtime/userns.h"

static int child_descriptors(Launch *l, Error *reterr) {
        int r;

        /* Ours are close-on-exec already, those of whoever called us may not be. */
        r = fd_cloexec_from(3 + (int) l->options->preserve_fds);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < l->options->preserve_fds; i++) {
                r = fd_set_cloexec(3 + (int) i, false);
                if (r < 0)
                        return error_set_errno(reterr, r, "hand on descriptor %u", 3 + i);
        }

        for (int sig = 1; sig < 32; sig++)
                (void) signal(sig, SIG_DFL);
        (void) sigprocmask(SIG_SETMASK, &l->child_mask, NULL);
        return 0;
}

/* The child is not yet the container's process. */
static bool has_sibling(const Launch *l) {
        return l->host_proc_fd >= 0;
}

static int join_pid(Launch *l, Error *reterr) {
        return setns(l->namespaces.join_fds[NAMESPACE_PID], CLONE_NEWPID) < 0
                     ? error_set_errno(reterr, -errno, "join the pid namespace")
                     : 0;
}

static int child_ids(Launch *l, Error *reterr) {
        int r;

        if (has_sibling(l) && namespaces_is_own(&l->namespaces, NAMESPACE_USER)) {
                r = join_pid(l, reterr);
                if (r < 0)
                        return r;
        }
        if (!namespaces_is_new(&l->namespaces, NAMESPACE_USER))
                return 0;
        r = sync_receive(l->child_sync_fd, SYNC_IDS, reterr);
        return r < 0 ? r : userns_become_root(reterr);
}

static int child_join(Launch *l, Error *reterr) {
        int r;

        r = namespaces_join(&l->namespaces, reterr);
        if (r < 0)
                return r;
        return l->namespaces.join_fds[NAMESPACE_USER] >= 0 ? userns_become_root(reterr) : 0;
}

static int child_session(Launch *l, Error *reterr) {
        if (!has_sibling(l) && setsid() < 0)
                return error_set_errno(reterr, -errno, "make a session");

        return l->options->no_new_keyring ? 0 : process_join_keyring(l->options->id, reterr);
}

static int child_names(Launch *l, Error *reterr) {
        const char *host = l->spec.hostname, *domain = l->spec.domainname;

        if (!str_empty(host) && sethostname(host, strlen(host)) < 0)
                return error_set_errno(reterr, -errno, "set the hostname \"%s\"", host);
        if (!str_empty(domain) && setdomainname(domain, strlen(domain)) < 0)
                return error_set_errno(reterr, -errno, "set the domainname \"%s\"", domain);
        return 0;
}

static int child_loopback(Launch *l, Error *reterr) {
        struct ifreq request = { .ifr_name = "lo" };
        _cleanup_(fd_closep) int fd = -EBADF;

        if (!namespaces_is_new(&l->namespaces, NAMESPACE_NETWORK))
                return 0;

        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "socket for the loopback interface");
        request.ifr_flags = IFF_UP | IFF_RUNNING;
        if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return error_set_errno(reterr, -errno, "bring up the loopback interface");
        return 0;
}

static int child_root(Launch *l, Error *reterr) {
        int r;

        r = rootfs_attach(&l->rootfs, reterr);
        if (r < 0)
                return r;
        l->mounts.root_fd = fd_dup(l->rootfs.mount_fd);
        return l->mounts.root_fd < 0 ? l->mounts.root_fd : 0;
}

static int child_mounts(Launch *l, Error *reterr) {
        return mounts_attach(&l->mounts, /* late= */ false, reterr);
}

static int child_devices(Launch *l, Error *reterr) {
        return devices_make(&l->devices, &l->mounts, reterr);
}

static int child_cgroup(Launch *l, Error *reterr) {
        int r;

        if (l->cgroup.manager->enter) {
                r = sync_send(l->child_sync_fd, SYNC_CGROUP);
                if (r >= 0)
                        r = sync_receive(l->child_sync_fd, SYNC_CGROUP, reterr);
                if (r < 0)
                        return r;
        }
        if (namespaces_is_new(&l->namespaces, NAMESPACE_CGROUP) && unshare(CLONE_NEWCGROUP) < 0)
                return error_set_errno(reterr, -errno, "make a cgroup namespace");

        return mounts_attach(&l->mounts, /* late= */ true, reterr);
}

static int child_console(Launch *l, Error *reterr) {
        int r;

        if (!l->spec.process->terminal)
                return 0;
        r = console_make(l->spec.process, &l->mounts, l->console_fd, reterr);
        return r < 0 || has_sibling(l) ? r : console_control(reterr);
}

/* For hooks of this side, with our number in the container. The parent fills its State only after the clone. */
static int hook_state(Launch *l, StateStatus status, char **ret) {
        l->state.pid = (uint32_t) getpid();
        l->state.bundle = l->bundle;
        l->state.annotations = l->spec.annotations;
        return state_document(&l->state, status, /* pretty= */ false, ret);
}

/* The programs are the host's: they are run while its tree is still there. */
static int child_hooks(Launch *l, Error *reterr) {
        const RuntimeHooks *h = l->spec.hooks;
        _cleanup_(freep) char *state = NULL;
        int r;

        if (!h)
                return 0;
        if (h->n_prestart + h->n_create_runtime > 0) {
                r = sync_send(l->child_sync_fd, SYNC_HOOKS);
                if (r >= 0)
                        r = sync_receive(l->child_sync_fd, SYNC_HOOKS, reterr);
                if (r < 0)
                        return r;
        }
        if (h->n_create_container == 0)
                return 0;

        r = hook_state(l, STATE_CREATING, &state);
        if (r < 0)
                return r;
        return hooks_run(
                "createContainer", h->create_container, h->n_create_container, state, reterr);
}

static int child_proc(Launch *l, Error *reterr) {
        int r;

        r = sysctl_apply(l->spec.linux_->sysctl, &l->namespaces, &l->mounts, reterr);
        if (r < 0)
                return r;
        if (has_sibling(l)) {
                Mounts m = { .proc_fd = l->host_proc_fd,
                        .root_fd = -EBADF,
                        .dev_fd = -EBADF,
                        .own_user_namespace = l->mounts.own_user_namespace };

                return process_apply_proc(&l->process, &m, reterr);
        }
        return process_apply_proc(&l->process, &l->mounts, reterr);
}

static int child_finish_root(Launch *l, Error *reterr) {
        int r;

        r = process_make_cwd(&l->process, l->mounts.root_fd, reterr);
        if (r >= 0)
                r = process_add_home(&l->process, l->mounts.root_fd, reterr);
        if (r >= 0)
                r = mounts_make_read_only(&l->mounts, l->spec.linux_->readonly_paths, reterr);
        if (r >= 0)
                r = mounts_mask(&l->mounts, l->spec.linux_->masked_paths, reterr);
        if (r >= 0)
                r = mounts_finish(&l->mounts, reterr);
        if (r >= 0)
                r = rootfs_make_read_only(&l->rootfs, reterr);
        return r;
}

static int child_pivot(Launch *l, Error *reterr) {
        int r;

        r = rootfs_enter(&l->rootfs, l->options->no_pivot, reterr);
        return r < 0 ? r : rootfs_propagate(&l->rootfs, reterr);
}

static int child_resources(Launch *l, Error *reterr) {
        int r;

        r = has_sibling(l) ? 0 : process_apply_scheduling(&l->process, 0, reterr);
        if (r >= 0)
                r = process_own_streams(&l->process, reterr);
        if (r >= 0)
                r = process_enter_cwd(&l->process, l->mounts.root_fd, reterr);
        return r;
}

/* Nothing of the host stays open in a container that waits for its start; and RLIMIT_NOFILE may leave little room. */
static int child_let_go(Launch *l, Error *reterr) {
        int r;

        /* A user namespace of our own has no rights over this one: that was joined before. */
        if (has_sibling(l) && !namespaces_is_own(&l->namespaces, NAMESPACE_USER)) {
                r = join_pid(l, reterr);
                if (r < 0)
                        return r;
        }

        mounts_done(&l->mounts);
        rootfs_done(&l->rootfs);
        devices_done(&l->devices);
        namespaces_done(&l->namespaces);
        cgroup_done(&l->cgroup);
        l->root_fd = fd_close(l->root_fd);
        l->bundle_fd = fd_close(l->bundle_fd);
        l->console_fd = fd_close(l->console_fd);
        l->console_parent_fd = fd_close(l->console_parent_fd);

        /* Those of whoever called us as well, which close when the program starts: it may have to wait for that. */
        r = process_close_others(
                3 + (int) l->options->preserve_fds, l->child_sync_fd, l->listen_fd);
        if (r < 0)
                return r;
        return has_sibling(l) ? 0 : process_apply_limits(&l->process, 0, reterr);
}

static int child_personality(Launch *l, Error *reterr) {
        return process_apply_personality(l->spec.linux_->personality, reterr);
}

static int child_privileges(Launch *l, Error *reterr) {
        return process_apply_no_new_privileges(&l->process, reterr);
}

/* `run` in the foreground: killed, it must not leave the container behind. Cleared by the change of the user and by a clone. */
static int tie_to_caller(const Launch *l, Error *reterr) {
        if (!l->options->run || l->options->detach)
                return 0;
        return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0
                     ? error_set_errno(reterr, -errno, "tie the container to this process")
                     : 0;
}

static int child_user(Launch *l, Error *reterr) {
        int r;

        r = process_change_user(&l->process, reterr);
        return r < 0 ? r : tie_to_caller(l, reterr);
}

static int child_program(Launch *l, Error *reterr) {
        return process_find_program(&l->process, reterr);
}

typedef struct ChildStep {
        const char *name; /* for an error that says nothing itself */
        int (*run)(Launch *l, Error *reterr);
} ChildStep;

static const ChildStep child_steps[] = {
        { "close descriptors", child_descriptors },
        { "wait for the id maps", child_ids },
        { "join namespaces", child_join },
        { "make a session", child_session },
        { "set the host name", child_names },
        { "bring up the loopback interface", child_loopback },
        { "mount the root file system", child_root },
        { "mount file systems", child_mounts },
        { "make devices", child_devices },
        { "enter the cgroup", child_cgroup },
        { "make the terminal", child_console },
        { "run hooks", child_hooks },
        { "set kernel parameters", child_proc },
        { "finish the root file system", child_finish_root },
        { "change the root", child_pivot },
        { "set resources", child_resources },
        { "set limits", child_let_go },
        { "set the personality", child_personality },
        { "set no_new_privs", child_privileges },
        { "change the user", child_user },
        { "find the program", child_program },
};

static int run_steps(Launch *l, Error *reterr) {
        for (size_t i = 0; i < ARRAY_SIZE(child_steps); i++) {
                int r = child_steps[i].run(l, reterr);

                if (r < 0)
                        return error_is_set(reterr)
                                     ? r
                                     : error_set_errno(reterr, r, "%s", child_steps[i].name);
        }

        return 0;
}

/* Comes back as the process in the joined pid namespace; the parent takes it for the child from here on. */
static int be_born(Launch *l, Error *reterr) {
        pid_t pid;
        int r;

        r = process_restrict_before_birth(&l->process, &l->seccomp, &l->filtered, reterr);
        if (r < 0)
                return r;
        pid = process_birth();
        if (pid < 0)
                return error_set_errno(reterr, -errno, "create a process in the pid namespace");
        if (pid > 0)
                _exit(sync_send_pid(l->child_sync_fd, pid) < 0 ? 1 : 0);

        r = sync_receive(l->child_sync_fd, SYNC_PID, reterr);
        if (r < 0)
                return r;
        if (setsid() < 0)
                return error_set_errno(reterr, -errno, "make a session");
        if (l->spec.process->terminal) {
                r = console_control(reterr);
                if (r < 0)
                        return r;
        }
        return tie_to_caller(l, reterr);
}

/* `create`: whoever connects first and says so starts us; a connection that says nothing is left. Gives its fd, on which
 * the end of the file says that the program runs. */
static int wait_for_start(Launch *l) {
        for (;;) {
                int fd;

                fd = accept4(l->listen_fd, NULL, NULL, SOCK_CLOEXEC);
                if (fd < 0) {
                        if (errno == EINTR || errno == ECONNABORTED)
                                continue;
                        return -errno;
                }
                if (sync_receive(fd, SYNC_READY, NULL) >= 0)
                        return fd;
                (void) fd_close(fd);
        }
}

static int start_program(Launch *l, Error *reterr) {
        const RuntimeHooks *h = l->spec.hooks;
        _cleanup_(freep) char *state = NULL;
        int r;

        r = l->filtered ? 0 : process_restrict(&l->process, &l->seccomp, reterr);
        if (r < 0)
                return r;
        /* Programs of the container's tree: with no more rights than the container has. */
        if (h && h->n_start_container > 0) {
                r = hook_state(l, STATE_CREATED, &state);
                if (r >= 0)
                        r = hooks_run("startContainer", h->start_container, h->n_start_container,
                                state, reterr);
                if (r < 0)
                        return r;
        }

        return process_execute(&l->process, reterr);
}

void child_main(Launch *l) {
        _cleanup_(error_done) Error e = {};
        int fd = l->child_sync_fd, r;

        (void) close(l->sync_fd);
        (void) close(l->state.dir_fd); /* its lock is the parent's */
        l->state.dir_fd = -EBADF;

        r = run_steps(l, &e);
        if (r >= 0 && has_sibling(l))
                r = be_born(l, &e);
        if (r >= 0)
                r = sync_send(fd, SYNC_READY);
        if (r >= 0 && l->options->run)
                r = sync_receive(fd, SYNC_READY, &e);
        else if (r >= 0) {
                r = wait_for_start(l);
                if (r >= 0) {
                        (void) close(fd);
                        fd = r;
                }
        }
        if (r >= 0)
                r = start_program(l, &e);

        sync_send_error(fd, r, &e);
        _exit(1);
}
