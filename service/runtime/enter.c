/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "service/runtime/caller.h"
#include "service/runtime/cgroup.h"
#include "service/runtime/console.h"
#include "service/runtime/launch.h"
#include "service/runtime/namespaces.h"
#include "service/runtime/sync.h"

static int step_state(Enter *e, Error *reterr) {
        const char *root = e->options->root;
        StateStatus status;
        int r;

        e->root_fd = state_root_open(root, /* make= */ false, NULL);
        if (e->root_fd < 0 && e->root_fd != -ENOENT)
                return error_set_errno(reterr, e->root_fd, "open the state root %s", root);
        /* Not locked: an exec may take its time, and nothing is changed. */
        r = state_load(e->root_fd, e->options->id, /* lock= */ false, &e->state, reterr);
        if (r >= 0)
                r = state_status(&e->state, &status, reterr);
        if (r < 0)
                return r;
        if (status == STATE_PAUSED && !e->options->ignore_paused)
                return error_set(reterr, ERROR_CONFLICT, "cannot exec in a paused container");
        if (status != STATE_RUNNING && status != STATE_CREATED && status != STATE_PAUSED)
                return error_set(reterr, ERROR_NOT_RUNNING, "cannot exec in a %s container",
                        state_status_to_string(status));

        e->init_fd = state_pidfd(&e->state);
        if (e->init_fd == -ESRCH)
                return error_set(reterr, ERROR_NOT_RUNNING, "cannot exec in a stopped container");
        return e->init_fd < 0 ? error_set_errno(reterr, e->init_fd, "open the container's process")
                              : 0;
}

static int step_spec(Enter *e, Error *reterr) {
        _cleanup_(fd_closep) int bundle_fd = -EBADF;
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        bundle_fd = open(e->state.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (bundle_fd < 0)
                return error_set_errno(reterr, -errno, "open the bundle %s", e->state.bundle);
        r = file_read_at(bundle_fd, "config.json", SPEC_SIZE_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "read config.json of the bundle");
        r = json_parse(text, size, SPEC_SIZE_MAX, &v, reterr);
        if (r >= 0)
                r = runtime_spec_read(v, &e->spec, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "config.json");

        if (!e->spec.process || !e->spec.linux_)
                return error_set(reterr, ERROR_INVALID,
                        "config.json has no process, or no section \"linux\"");
        return 0;
}

/* The file replaces the process of the container, but what it says nothing of stays: so runc does. */
static int read_process(Enter *e, Error *reterr) {
        _cleanup_(runtime_process_done) RuntimeProcess p = {};
        RuntimeProcess *old = e->spec.process;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(e->options->process, SPEC_SIZE_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "read %s", e->options->process);
        runtime_process_init(&p);
        r = json_read_text(text, size, runtime_process_fields, &p, 0, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", e->options->process);

        if (!p.capabilities)
                p.capabilities = TAKE_PTR(old->capabilities);
        if (p.n_rlimits == 0) {
                p.rlimits = TAKE_PTR(old->rlimits);
                p.n_rlimits = old->n_rlimits;
                old->n_rlimits = 0;
        }
        runtime_process_done(old);
        *old = TAKE_STRUCT(p);
        return 0;
}

/* Numbers only: names are for whoever knows the image. */
static int set_user(RuntimeProcess *p, const char *text, Error *reterr) {
        _cleanup_(freep) char *uid = NULL;
        const char *colon = strchr(text, ':');
        int r;

        r = str_copy_n(&uid, text, colon ? (size_t) (colon - text) : strlen(text));
        if (r < 0)
                return r;
        if (parse_uid(uid, &p->user.uid) < 0 || (colon && parse_uid(colon + 1, &p->user.gid) < 0))
                return error_set(
                        reterr, ERROR_INVALID, "--user \"%s\" is not of the form UID[:GID]", text);
        return 0;
}

static int set_groups(RuntimeProcess *p, char **groups, Error *reterr) {
        uint32_t *gids;
        size_t n = 0;

        gids = new0(uint32_t, strv_length(groups));
        if (!gids)
                return -ENOMEM;
        STRV_FOREACH (g, groups)
                if (parse_uid(*g, gids + n++) < 0) {
                        free(gids);
                        return error_set(reterr, ERROR_INVALID,
                                "--additional-gids \"%s\" is not a number", *g);
                }

        free(p->user.additional_gids);
        p->user.additional_gids = gids;
        p->user.n_additional_gids = n;
        return 0;
}

static int add_capabilities(RuntimeProcess *p, char **names) {
        int r = 0;

        if (!p->capabilities)
                p->capabilities = new0(RuntimeCapabilities, 1);
        if (!p->capabilities)
                return -ENOMEM;
        r = strv_add_all(&p->capabilities->bounding, names);
        if (r >= 0)
                r = strv_add_all(&p->capabilities->effective, names);
        if (r >= 0)
                r = strv_add_all(&p->capabilities->permitted, names);
        return r;
}

static int change_process(Enter *e, Error *reterr) {
        const EnterOptions *o = e->options;
        RuntimeProcess *p = e->spec.process;
        int r = 0;

        p->terminal = o->tty;
        free(p->console_size);
        p->console_size = NULL;
        if (o->no_new_privileges)
                p->no_new_privileges = true;
        if (o->cwd)
                r = str_copy(&p->cwd, o->cwd);
        if (r >= 0 && o->apparmor)
                r = str_copy(&p->apparmor_profile, o->apparmor);
        if (r >= 0 && o->label)
                r = str_copy(&p->selinux_label, o->label);
        if (r >= 0 && o->user)
                r = set_user(p, o->user, reterr);
        if (r >= 0 && !strv_empty(o->groups))
                r = set_groups(p, o->groups, reterr);
        if (r >= 0 && !strv_empty(o->capabilities))
                r = add_capabilities(p, o->capabilities);
        if (r >= 0 && !strv_empty(o->env))
                r = strv_env_merge(&p->env, o->env);
        return r;
}

static int step_process(Enter *e, Error *reterr) {
        int r;

        r = e->options->process ? read_process(e, reterr) : change_process(e, reterr);
        if (r >= 0 && !strv_empty(e->options->args))
                r = strv_set(&e->spec.process->args, e->options->args);
        if (r >= 0)
                r = process_plan(e->spec.process, 0, &e->process, reterr);
        return r;
}

/* Those that the container has for itself; the others are ours already. */
static int step_namespaces(Enter *e, Error *reterr) {
        const RuntimeLinux *l = e->spec.linux_;

        for (size_t i = 0; i < l->n_namespaces; i++) {
                NamespaceType type = namespace_from_string(str_or_empty(l->namespaces[i].type));

                if (type < 0)
                        return error_set(reterr, ERROR_INVALID, "unknown namespace \"%s\"",
                                str_or_empty(l->namespaces[i].type));
                e->namespaces |= (int) namespace_flag(type);
        }

        return 0;
}

static int step_seccomp(Enter *e, Error *reterr) {
        const RuntimeSeccomp *s = e->spec.linux_->seccomp;

        return s ? seccomp_prepare(s, e->root_fd, &e->seccomp, reterr) : 0;
}

static int step_console(Enter *e, Error *reterr) {
        const EnterOptions *o = e->options;
        int pair[2], r;

        if (!e->spec.process->terminal)
                return o->console_socket
                             ? error_set(reterr, ERROR_INVALID,
                                       "--console-socket is for processes with a terminal")
                             : 0;
        if (o->console_socket) {
                e->console_fd = console_connect(o->console_socket, reterr);
                return e->console_fd < 0 ? e->console_fd : 0;
        }
        if (o->detach)
                return error_set(reterr, ERROR_INVALID,
                        "a process with a terminal that is not run in the foreground needs "
                        "--console-socket");

        r = fd_socketpair(SOCK_STREAM, pair);
        if (r < 0)
                return error_set_errno(reterr, r, "socket for the terminal");
        e->console_parent_fd = pair[0];
        e->console_fd = pair[1];
        return 0;
}

/* Where the first process is now: that differs from where it was born when a manager in the container has moved it. */
static int open_init_cgroup(const Enter *e, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        char *own, *end;
        int r;

        r = str_printf(&path, "/proc/%u/cgroup", e->state.pid);
        if (r >= 0)
                r = file_read(path, 65536, &text, NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "read the cgroup of the container's process");
        own = str_starts(text, "0::") ? text + 3 : strstr(text, "\n0::");
        if (!own)
                return error_set(reterr, ERROR_INTERNAL, "the container is in no cgroup v2");
        own += *own == '\n' ? 4 : 0;
        end = strchr(own, '\n');
        if (end)
                *end = 0;

        r = cgroup_open(own, reterr);
        return r < 0 ? error_set_errno(reterr, r, "open the container's cgroup") : r;
}

static int step_cgroup(Enter *e, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *normal = NULL;
        const char *sub = e->options->cgroup;
        int r;

        if (!e->state.cgroup_path)
                return sub ? error_set(reterr, ERROR_INVALID,
                                     "--cgroup: the container has no cgroup of its own")
                           : 0;
        if (!sub) {
                e->cgroup_fd = cgroup_open(e->state.cgroup_path, reterr);
                return e->cgroup_fd < 0
                             ? error_set_errno(reterr, e->cgroup_fd, "open the container's cgroup")
                             : 0;
        }

        r = str_printf(&path, "/%s", sub);
        if (r >= 0)
                r = path_normalise(path, &normal);
        if (r < 0 || strstr(path, "/../") || str_ends(path, "/.."))
                return error_set(
                        reterr, ERROR_INVALID, "--cgroup \"%s\" is not a path of a cgroup", sub);
        free(path);
        path = NULL;
        r = str_printf(&path, "%s%s", e->state.cgroup_path, normal);
        if (r < 0)
                return r;
        e->cgroup_fd = cgroup_open(path, reterr);
        return e->cgroup_fd < 0 ? error_set_errno(reterr, e->cgroup_fd, "open the cgroup %s", path)
                                : 0;
}

static int step_sockets(Enter *e, Error *reterr) {
        int pair[2], r;

        r = fd_socketpair(SOCK_SEQPACKET, pair);
        if (r >= 0) {
                e->sync_fd = pair[0];
                e->child_sync_fd = pair[1];
                r = fd_socketpair(SOCK_SEQPACKET, pair);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "sockets to the child");
        e->go_fd = pair[0];
        e->child_go_fd = pair[1];
        return 0;
}

static pid_t clone_child(Enter *e, int *ret_pidfd) {
        struct clone_args args = {
                .flags = CLONE_PIDFD,
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                .exit_signal = SIGCHLD,
        };
        pid_t pid;

        if (e->cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t) e->cgroup_fd;
        }
        pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0)
                enter_child_main(e);
        return pid;
}

static int step_clone(Enter *e, Error *reterr) {
        _cleanup_(fd_closep) int first_fd = -EBADF;
        siginfo_t si;
        pid_t pid;
        int r;

        pid = clone_child(e, &first_fd);
        /* A container that manages cgroups itself has no processes at the top of its own. */
        if (pid < 0 && errno == EBUSY && e->cgroup_fd >= 0 && !e->options->cgroup) {
                first_fd = -EBADF;
                e->cgroup_fd = fd_close(e->cgroup_fd);
                e->cgroup_fd = open_init_cgroup(e, reterr);
                if (e->cgroup_fd < 0)
                        return e->cgroup_fd;
                pid = clone_child(e, &first_fd);
        }
        if (pid < 0) {
                r = -errno;
                first_fd = -EBADF;
                return error_set_errno(reterr, r, "create a process");
        }
        e->child_sync_fd = fd_close(e->child_sync_fd);
        e->child_go_fd = fd_close(e->child_go_fd);
        e->console_fd = fd_close(e->console_fd);

        r = sync_receive_pid(e->sync_fd, &e->pid, reterr);
        if (r < 0)
                (void) process_kill(first_fd, SIGKILL);
        else {
                /* It is our child as well, so the number is its own until we reap it. */
                e->pidfd = process_pidfd_open(e->pid);
                if (e->pidfd < 0)
                        r = error_set_errno(reterr, e->pidfd, "open the new process");
        }
        (void) process_wait(first_fd, CGROUP_WAIT_USEC, &si);
        return r;
}

static int step_pid_file(Enter *e, Error *reterr) {
        return caller_write_pid(e->options->pid_file, e->pid, reterr);
}

static const struct {
        const char *name; /* for an error that says nothing itself */
        int (*run)(Enter *e, Error *reterr);
} steps[] = {
        { "look at the container", step_state },
        { "read config.json", step_spec },
        { "check the process", step_process },
        { "find the namespaces", step_namespaces },
        { "prepare seccomp", step_seccomp },
        { "open the terminal", step_console },
        { "open the cgroup", step_cgroup },
        { "make the sockets", step_sockets },
        { "make the process", step_clone },
        { "write the pid file", step_pid_file },
};

static int explain(const char *step, int r, Error *reterr) {
        if (error_is_set(reterr))
                return r;
        if (r == -EPIPE || r == -ECONNRESET)
                return error_set(reterr, ERROR_INTERNAL,
                        "the process died while it was set up (killed, or out of the container's "
                        "memory)");
        return error_set_errno(reterr, r, "%s", step);
}

int enter(Enter *e, const EnterOptions *options, Error *reterr) {
        assert(e);
        assert(options);

        e->options = options;
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                int r = steps[i].run(e, reterr);

                if (r < 0) {
                        r = explain(steps[i].name, r, reterr);
                        enter_undo(e);
                        return r;
                }
        }

        return 0;
}

int enter_go(Enter *e, Error *reterr) {
        int r;

        /* From outside: the new process has no right to. */
        r = process_apply_limits(&e->process, e->pid, reterr);
        if (r >= 0)
                r = process_apply_scheduling(&e->process, e->pid, reterr);
        if (r >= 0)
                r = sync_send(e->go_fd, SYNC_READY);
        if (r >= 0)
                r = sync_receive_end(e->go_fd, reterr);
        return r < 0 ? explain("start the program", r, reterr) : 0;
}

void enter_undo(Enter *e) {
        siginfo_t si;

        if (e->pidfd < 0)
                return;
        (void) process_kill(e->pidfd, SIGKILL);
        (void) process_wait(e->pidfd, CGROUP_WAIT_USEC, &si);
        e->pidfd = fd_close(e->pidfd);
}

void enter_done(Enter *e) {
        state_done(&e->state);
        runtime_spec_done(&e->spec);
        process_done(&e->process);
        seccomp_filter_done(&e->seccomp);
        (void) fd_close(e->root_fd);
        (void) fd_close(e->init_fd);
        (void) fd_close(e->cgroup_fd);
        (void) fd_close(e->console_fd);
        (void) fd_close(e->console_parent_fd);
        (void) fd_close(e->sync_fd);
        (void) fd_close(e->child_sync_fd);
        (void) fd_close(e->go_fd);
        (void) fd_close(e->child_go_fd);
        (void) fd_close(e->pidfd);
        *e = ENTER_NONE;
}
