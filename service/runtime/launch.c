/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "service/runtime/caller.h"
#include "service/runtime/console.h"
#include "service/runtime/hooks.h"
#include "service/runtime/launch-steps.h"
#include "service/runtime/sync.h"
#include "service/runtime/userns.h"

static int step_bundle(Launch *l, Error *reterr) {
        const char *bundle = str_or(l->options->bundle, ".");
        char *absolute;

        l->bundle_fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (l->bundle_fd < 0)
                return error_set_errno(reterr, -errno, "open the bundle %s", bundle);

        absolute = path_is_absolute(bundle) && path_is_normalised(bundle) ? strdup(bundle)
                                                                          : realpath(bundle, NULL);
        if (!absolute)
                return error_set_errno(reterr, -errno, "bundle %s", bundle);
        l->bundle = absolute;
        return 0;
}

static int step_spec(Launch *l, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        const char *config = l->options->config;
        size_t size;
        int r;

        r = config ? file_read(config, SPEC_SIZE_MAX, &text, &size)
                   : file_read_at(l->bundle_fd, "config.json", SPEC_SIZE_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "read %s", str_or(config, "config.json of the bundle"));

        r = json_parse(text, size, SPEC_SIZE_MAX, &v, reterr);
        if (r >= 0)
                r = runtime_spec_read(v, &l->spec, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "config.json");

        if (!l->spec.process)
                return error_set(reterr, ERROR_INVALID, "config.json has no process");
        if (!l->spec.linux_)
                return error_set(reterr, ERROR_INVALID, "config.json has no section \"linux\"");
        return 0;
}

static int step_state(Launch *l, Error *reterr) {
        l->root_fd = state_root_open(l->options->root, /* make= */ true, reterr);
        if (l->root_fd < 0)
                return l->root_fd;

        return state_create(l->root_fd, l->options->id, &l->state, reterr);
}

static void undo_state(Launch *l) {
        (void) state_remove(l->root_fd, &l->state, NULL);
}

static int step_check_hooks(Launch *l, Error *reterr) {
        const RuntimeHooks *h = l->spec.hooks;
        int r;

        if (!h)
                return 0;
        r = hooks_check("prestart", h->prestart, h->n_prestart, reterr);
        if (r >= 0)
                r = hooks_check("createRuntime", h->create_runtime, h->n_create_runtime, reterr);
        if (r >= 0)
                r = hooks_check(
                        "createContainer", h->create_container, h->n_create_container, reterr);
        if (r >= 0)
                r = hooks_check("startContainer", h->start_container, h->n_start_container, reterr);
        if (r >= 0)
                r = hooks_check("poststart", h->poststart, h->n_poststart, reterr);
        if (r >= 0)
                r = hooks_check("poststop", h->poststop, h->n_poststop, reterr);
        return r;
}

static int step_process(Launch *l, Error *reterr) {
        return process_plan(l->spec.process, l->options->listen_fds, &l->process, reterr);
}

static int step_namespaces(Launch *l, Error *reterr) {
        int r;

        r = namespaces_open(l->spec.linux_, &l->namespaces, reterr);
        if (r < 0)
                return r;
        if ((!str_empty(l->spec.hostname) || !str_empty(l->spec.domainname)) &&
                !namespaces_is_own(&l->namespaces, NAMESPACE_UTS))
                return error_set(reterr, ERROR_INVALID,
                        "hostname and domainname need a uts namespace of the container's own");
        return 0;
}

static int step_files(Launch *l, Error *reterr) {
        bool user = namespaces_is_own(&l->namespaces, NAMESPACE_USER);
        int r;

        r = rootfs_open(&l->spec, l->bundle, l->bundle_fd, &l->rootfs, reterr);
        if (r >= 0)
                r = mounts_open(&l->spec, l->bundle_fd, &l->namespaces, &l->mounts, reterr);
        if (r >= 0)
                r = devices_open(&l->spec, user, &l->devices, reterr);
        return r < 0 ? r : launch_open_proc(l, reterr);
}

static int step_console(Launch *l, Error *reterr) {
        const LaunchOptions *o = l->options;
        int pair[2], r;

        if (!l->spec.process->terminal)
                return o->console_socket
                             ? error_set(reterr, ERROR_INVALID,
                                       "--console-socket is for containers with a terminal, "
                                       "process.terminal is false")
                             : 0;

        if (o->console_socket) {
                l->console_fd = console_connect(o->console_socket, reterr);
                return l->console_fd < 0 ? l->console_fd : 0;
        }
        if (!o->run || o->detach)
                return error_set(reterr, ERROR_INVALID,
                        "a container with a terminal that is not run in the foreground needs "
                        "--console-socket");

        r = fd_socketpair(SOCK_STREAM, pair);
        if (r < 0)
                return error_set_errno(reterr, r, "socket for the terminal");
        l->console_parent_fd = pair[0];
        l->console_fd = pair[1];
        return 0;
}

static int step_seccomp(Launch *l, Error *reterr) {
        const RuntimeSeccomp *s = l->spec.linux_->seccomp;

        if (!s)
                return 0;
        if (!str_empty(s->listener_path))
                return error_set(
                        reterr, ERROR_NOT_IMPLEMENTED, "seccomp: listenerPath is not supported");

        return seccomp_prepare(s, l->root_fd, &l->seccomp, reterr);
}

static int step_plan_cgroup(Launch *l, Error *reterr) {
        return cgroup_plan(&l->cgroup, l->options->manager, l->options->id, l->spec.linux_, reterr);
}

static int step_cgroup(Launch *l, Error *reterr) {
        int r;

        r = l->cgroup.path ? state_note_cgroup(&l->state, l->cgroup.path) : 0;
        return r < 0 ? r : cgroup_make(&l->cgroup, reterr);
}

/* Also of one that was made halfway; never of one that was there and is not ours. */
static void undo_cgroup(Launch *l) {
        if (l->cgroup.fd < 0)
                return;

        (void) cgroup_empty(l->cgroup.path, /* kill= */ true, NULL);
        if (l->cgroup.manager->remove)
                (void) l->cgroup.manager->remove(l->cgroup.path, l->cgroup.scope, NULL);
}

static int step_sockets(Launch *l, Error *reterr) {
        int pair[2], r;

        r = fd_socketpair(SOCK_SEQPACKET, pair);
        if (r < 0)
                return error_set_errno(reterr, r, "socket to the child");
        l->sync_fd = pair[0];
        l->child_sync_fd = pair[1];

        if (l->options->run)
                return 0;
        l->listen_fd = fd_listen_at(l->state.dir_fd, STATE_SOCKET, SOCK_SEQPACKET, 0600, 4);
        return l->listen_fd < 0 ? error_set_errno(reterr, l->listen_fd, "socket for start") : 0;
}

static int step_clone(Launch *l, Error *reterr) {
        struct clone_args args = {
                .flags = CLONE_PIDFD | namespaces_clone_flags(&l->namespaces),
                .pidfd = (uint64_t) (uintptr_t) &l->pidfd,
                .exit_signal = SIGCHLD,
        };
        int r;

        if (l->cgroup.fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t) l->cgroup.fd;
        }

        r = launch_enter_for_children(l, reterr);
        if (r < 0)
                return r;

        l->pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        if (l->pid == 0)
                child_main(l);
        if (l->pid < 0) {
                r = -errno;
                l->pid = 0;
                l->pidfd = -EBADF;
                return error_set_errno(reterr, r, "create the container's process");
        }

        l->child_sync_fd = fd_close(l->child_sync_fd);
        l->console_fd = fd_close(l->console_fd);
        return launch_leave_for_children(l, reterr);
}

static void undo_clone(Launch *l) {
        siginfo_t si;

        if (l->pidfd < 0)
                return;
        (void) process_kill(l->pidfd, SIGKILL);
        (void) process_wait(l->pidfd, CGROUP_WAIT_USEC, &si);
}

static int step_identity(Launch *l, Error *reterr) {
        int r;

        if (namespaces_is_own(&l->namespaces, NAMESPACE_USER)) {
                r = launch_write_oom_score(l, reterr);
                if (r < 0)
                        return r;
        }
        if (namespaces_is_new(&l->namespaces, NAMESPACE_USER)) {
                r = userns_write_maps(l->spec.linux_, l->pid, reterr);
                if (r >= 0)
                        r = sync_send(l->sync_fd, SYNC_IDS);
                if (r < 0)
                        return r;
        }

        l->state.pid = (uint32_t) l->pid;
        l->state.created = clock_realtime_ns();
        r = process_start_time(l->pid, &l->state.pid_start);
        if (r < 0)
                return error_set_errno(reterr, r, "look at the container's process");
        return 0;
}

/* systemd needs its time; meanwhile the child mounts what does not depend on the cgroup. */
static int step_enter_cgroup(Launch *l, Error *reterr) {
        int r;

        if (!l->cgroup.manager->enter)
                return 0;
        r = cgroup_enter(&l->cgroup, l->pid, reterr);
        if (r >= 0)
                r = sync_receive(l->sync_fd, SYNC_CGROUP, reterr);
        if (r >= 0)
                r = sync_send(l->sync_fd, SYNC_CGROUP);
        return r;
}

static int step_save(Launch *l, Error *reterr) {
        State *s = &l->state;
        int r;

        s->hooks = TAKE_PTR(l->spec.hooks); /* borrowed until launch_done() gives it back */
        s->annotations = l->spec.annotations;
        s->bundle = l->bundle;
        s->rootfs = l->rootfs.path;
        s->cgroup_manager = (char *) l->cgroup.manager->name;
        s->cgroup_path = l->cgroup.path;
        s->scope = l->cgroup.scope;
        r = state_save(s, reterr);
        l->spec.hooks = TAKE_PTR(s->hooks);
        return r;
}

static int step_hooks(Launch *l, Error *reterr) {
        const RuntimeHooks *h = l->spec.hooks;
        _cleanup_(freep) char *state = NULL;
        int r;

        if (!h || h->n_prestart + h->n_create_runtime == 0)
                return 0;

        r = sync_receive(l->sync_fd, SYNC_HOOKS, reterr);
        if (r >= 0)
                r = state_document(&l->state, STATE_CREATING, /* pretty= */ false, &state);
        if (r >= 0)
                r = hooks_run("prestart", h->prestart, h->n_prestart, state, reterr);
        if (r >= 0)
                r = hooks_run(
                        "createRuntime", h->create_runtime, h->n_create_runtime, state, reterr);
        if (r >= 0)
                r = sync_send(l->sync_fd, SYNC_HOOKS);
        return r;
}

static int step_born(Launch *l, Error *reterr) {
        int r;

        if (l->host_proc_fd < 0)
                return 0;
        r = launch_receive_born(l, reterr);
        if (r >= 0)
                r = step_save(l, reterr);
        return r < 0 ? r : sync_send(l->sync_fd, SYNC_PID);
}

static int step_ready(Launch *l, Error *reterr) {
        return sync_receive(l->sync_fd, SYNC_READY, reterr);
}

static int step_pid_file(Launch *l, Error *reterr) {
        return caller_write_pid(l->options->pid_file, l->pid, reterr);
}

typedef struct Step {
        const char *name; /* for an error that says nothing itself */
        int (*run)(Launch *l, Error *reterr);
        void (*undo)(Launch *l);
} Step;

static const Step launch_steps[] = {
        { "open the bundle", step_bundle, NULL },
        { "read config.json", step_spec, NULL },
        { "check the hooks", step_check_hooks, NULL },
        { "check the process", step_process, NULL },
        { "open the namespaces", step_namespaces, NULL },
        { "make the state folder", step_state, undo_state },
        { "open the file systems", step_files, NULL },
        { "open the terminal", step_console, NULL },
        { "prepare seccomp", step_seccomp, NULL },
        { "plan the cgroup", step_plan_cgroup, NULL },
        { "make the cgroup", step_cgroup, undo_cgroup },
        { "make the sockets", step_sockets, NULL },
        { "clone", step_clone, undo_clone },
        { "write the id maps", step_identity, NULL },
        { "enter the cgroup", step_enter_cgroup, NULL },
        { "write the state", step_save, NULL },
        { "run the hooks", step_hooks, NULL },
        { "join the pid namespace", step_born, NULL },
        { "wait for the container", step_ready, NULL },
        { "write the pid file", step_pid_file, NULL },
};

static void undo_from(Launch *l, size_t n) {
        for (size_t i = n; i > 0; i--)
                if (launch_steps[i - 1].undo)
                        launch_steps[i - 1].undo(l);
}

/* A child that ends without a word was killed: mostly for the memory that its limit does not give it. */
static int explain(Launch *l, const Step *step, int r, Error *reterr) {
        if (error_is_set(reterr))
                return r;
        if (r == -EPIPE || r == -ECONNRESET)
                return error_set(reterr, ERROR_INTERNAL,
                        "the container's process died while it was set up (killed, or out of the "
                        "container's memory)");
        return error_set_errno(reterr, r, "%s", step->name);
}

int launch(Launch *l, const LaunchOptions *options, Error *reterr) {
        assert(l);
        assert(options);

        l->options = options;

        for (size_t i = 0; i < ARRAY_SIZE(launch_steps); i++) {
                int r = launch_steps[i].run(l, reterr);

                if (r < 0) {
                        /* The child's own words say more than what the parent saw of its death. */
                        if (!error_is_set(reterr) && l->pid > 0 &&
                                fd_wait(l->sync_fd, POLLIN, 0) > 0)
                                (void) sync_receive_end(l->sync_fd, reterr);
                        r = explain(l, launch_steps + i, r, reterr);
                        /* A cgroup that was made halfway is removed as well. */
                        undo_from(l, launch_steps[i].run == step_cgroup ? i + 1 : i);
                        return r;
                }
        }

        state_unlock(&l->state);
        return 0;
}

int launch_go(Launch *l, Error *reterr) {
        const RuntimeHooks *h = l->spec.hooks;
        _cleanup_(freep) char *state = NULL;
        int r;

        r = sync_send(l->sync_fd, SYNC_READY);
        if (r >= 0)
                r = sync_receive_end(l->sync_fd, reterr);
        if (r < 0)
                return r;

        if (h && h->n_poststart > 0) {
                r = state_document(&l->state, STATE_RUNNING, /* pretty= */ false, &state);
                if (r >= 0)
                        r = hooks_run_all("poststart", h->poststart, h->n_poststart, state, reterr);
        }
        return r;
}

void launch_undo(Launch *l) {
        /* Once somebody else has deleted it, folder and cgroup may be those of the next container of this name. */
        if (state_lock(&l->state, NULL) >= 0)
                undo_from(l, ARRAY_SIZE(launch_steps));
        else
                undo_clone(l);
}

void launch_done(Launch *l) {
        /* The State borrows most of what it has. */
        l->state.hooks = NULL;
        l->state.annotations = NULL;
        l->state.bundle = l->state.rootfs = l->state.cgroup_manager = l->state.cgroup_path =
                l->state.scope = NULL;
        state_done(&l->state);
        runtime_spec_done(&l->spec);
        rootfs_done(&l->rootfs);
        mounts_done(&l->mounts);
        devices_done(&l->devices);
        namespaces_done(&l->namespaces);
        process_done(&l->process);
        seccomp_filter_done(&l->seccomp);
        cgroup_done(&l->cgroup);
        free(l->bundle);
        (void) fd_close(l->root_fd);
        (void) fd_close(l->bundle_fd);
        (void) fd_close(l->console_fd);
        (void) fd_close(l->console_parent_fd);
        (void) fd_close(l->listen_fd);
        (void) fd_close(l->host_proc_fd);
        (void) fd_close(l->sync_fd);
        (void) fd_close(l->child_sync_fd);
        (void) fd_close(l->pidfd);
        *l = LAUNCH_NONE;
}
