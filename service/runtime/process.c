/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/process.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/base/users.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* By number. */
static const char *const limit_table[] = {
        [RLIMIT_AS] = "RLIMIT_AS",
        [RLIMIT_CORE] = "RLIMIT_CORE",
        [RLIMIT_CPU] = "RLIMIT_CPU",
        [RLIMIT_DATA] = "RLIMIT_DATA",
        [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
        [RLIMIT_LOCKS] = "RLIMIT_LOCKS",
        [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
        [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
        [RLIMIT_NICE] = "RLIMIT_NICE",
        [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
        [RLIMIT_NPROC] = "RLIMIT_NPROC",
        [RLIMIT_RSS] = "RLIMIT_RSS",
        [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
        [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
        [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
        [RLIMIT_STACK] = "RLIMIT_STACK",
};

static int plan_limits(const RuntimeProcess *spec, Process *p, Error *reterr) {
        p->limits = new0(ProcessLimit, spec->n_rlimits + 1);
        if (!p->limits)
                return -ENOMEM;

        for (size_t i = 0; i < spec->n_rlimits; i++) {
                const RuntimeRlimit *l = spec->rlimits + i;
                int resource =
                        str_table_find(limit_table, ARRAY_SIZE(limit_table), str_or_empty(l->type));

                if (resource < 0)
                        return error_set(reterr, ERROR_INVALID, "rlimit \"%s\" is not known",
                                str_or_empty(l->type));
                if (l->soft > l->hard)
                        return error_set(reterr, ERROR_INVALID,
                                "rlimit %s: the soft limit is greater than the hard one", l->type);
                for (size_t k = 0; k < p->n_limits; k++)
                        if (p->limits[k].resource == resource)
                                return error_set(
                                        reterr, ERROR_INVALID, "rlimit %s is given twice", l->type);

                p->limits[p->n_limits++] = (ProcessLimit) {
                        .resource = resource,
                        .limit = { .rlim_cur = l->soft, .rlim_max = l->hard },
                };
        }

        return 0;
}

static int plan_env(const RuntimeProcess *spec, unsigned n_listen_fds, Process *p, Error *reterr) {
        int r;

        STRV_FOREACH (e, spec->env)
                if (!strchr(*e, '=') || **e == '=')
                        return error_set(reterr, ERROR_INVALID,
                                "environment entry \"%s\" is not KEY=value", *e);

        r = strv_set(&p->env, spec->env);
        if (r >= 0 && n_listen_fds > 0) {
                char text[16];

                (void) snprintf(text, sizeof(text), "%u", n_listen_fds);
                r = strv_env_set(&p->env, "LISTEN_FDS", text);
                if (r >= 0)
                        r = strv_env_set(&p->env, "LISTEN_PID", "1");
        }

        return r;
}

int process_plan(const RuntimeProcess *spec, unsigned n_listen_fds, Process *ret, Error *reterr) {
        _cleanup_(process_done) Process p = { .spec = spec };
        uint64_t held;
        int r;

        assert(spec);
        assert(ret);

        if (strv_empty(spec->args) || str_empty(spec->args[0]))
                return error_set(
                        reterr, ERROR_INVALID, "process.args is empty, there is nothing to run");
        if (strv_length(spec->args) > PROCESS_ARGS_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %u arguments", PROCESS_ARGS_MAX);
        if (str_empty(spec->cwd) || !path_is_absolute(spec->cwd))
                return error_set(reterr, ERROR_INVALID,
                        "process.cwd \"%s\" is not an absolute path", str_or_empty(spec->cwd));
        if (spec->user.uid == UID_INVALID || spec->user.gid == GID_INVALID)
                return error_set(reterr, ERROR_INVALID, "process.user: 4294967295 is not an id");

        r = capabilities_parse(spec->capabilities, &p.capabilities, reterr);
        if (r < 0)
                return r;
        r = capabilities_held(&held);
        if (r < 0)
                return error_set_errno(reterr, r, "read our capabilities");
        capabilities_limit(&p.capabilities, held);

        r = plan_limits(spec, &p, reterr);
        if (r >= 0)
                r = plan_env(spec, n_listen_fds, &p, reterr);
        if (r >= 0)
                r = path_normalise(spec->cwd, &p.cwd);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(p);
        return 0;
}

void process_done(Process *p) {
        if (!p)
                return;

        free(p->limits);
        strv_free(p->env);
        free(p->cwd);
        free(p->program);
        *p = (Process) {};
}

int process_add_home(Process *p, int root_fd, Error *reterr) {
        _cleanup_(user_identity_done) UserIdentity user = {};
        char uid[16];
        int r;

        if (strv_env_get(p->env, "HOME"))
                return 0;

        /* An odd file is like none: the container decides about no more than this variable. */
        (void) snprintf(uid, sizeof(uid), "%u", p->spec->user.uid);
        (void) users_resolve(root_fd, uid, NULL, &user, NULL);
        r = strv_env_set(&p->env, "HOME", str_empty(user.home) ? "/" : user.home);
        return r < 0 ? error_set_errno(reterr, r, "set HOME") : 0;
}

int process_apply_limits(const Process *p, pid_t pid, Error *reterr) {
        for (size_t i = 0; i < p->n_limits; i++)
                if (prlimit(pid, (__rlimit_resource_t) p->limits[i].resource, &p->limits[i].limit,
                            NULL) < 0)
                        return error_set_errno(reterr, -errno, "error setting rlimit type %s",
                                limit_table[p->limits[i].resource]);
        return 0;
}

int process_make_cwd(const Process *p, int root_fd, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = beneath_mkdir_p(root_fd, p->cwd, 0755, UID_INVALID, GID_INVALID, 0);
        if (fd < 0)
                return error_set_errno(reterr, fd,
                        "chdir to cwd (\"%s\") set in config.json failed", p->spec->cwd);
        return 0;
}

int process_enter_cwd(const Process *p, int root_fd, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char now[PATH_MAX];

        /* Not by chdir(): /proc/self/fd/7 must lead nowhere (CVE-2024-21626). */
        fd = beneath_open(root_fd, p->cwd, O_PATH | O_DIRECTORY, 0, 0);
        if (fd < 0 || fchdir(fd) < 0)
                return error_set_errno(reterr, fd < 0 ? fd : -errno,
                        "chdir to cwd (\"%s\") set in config.json failed", p->spec->cwd);
        if (!getcwd(now, sizeof(now)) || now[0] != '/')
                return error_set(reterr, ERROR_FORBIDDEN,
                        "cwd (\"%s\") is outside of the container's root", p->spec->cwd);
        return 0;
}

int process_own_streams(const Process *p, Error *reterr) {
        for (int fd = 0; fd < 3; fd++) {
                struct stat st;

                if (fstat(fd, &st) < 0)
                        continue;
                if (st.st_uid == p->spec->user.uid)
                        continue;
                /* /dev/null belongs to all; files and folders of the host to whoever has them. */
                if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) && !isatty(fd))
                        continue;
                if (fchown(fd, p->spec->user.uid, (gid_t) -1) < 0 && errno != EPERM &&
                        errno != EINVAL && errno != EROFS)
                        return error_set_errno(reterr, -errno, "hand stream %d to the user", fd);
        }

        return 0;
}

int process_change_user(const Process *p, Error *reterr) {
        const RuntimeUser *u = &p->spec->user;
        int r;

        r = capabilities_apply_bounding(&p->capabilities);
        if (r < 0)
                return error_set_errno(reterr, r, "reduce the bounding set of capabilities");
        r = capabilities_keep();
        if (r < 0)
                return error_set_errno(reterr, r, "keep capabilities");

        /* EPERM: a user namespace in which setgroups is denied; fine as long as nothing was asked for. */
        if (setgroups(u->n_additional_gids, (const gid_t *) u->additional_gids) < 0 &&
                (errno != EPERM || u->n_additional_gids > 0))
                return error_set_errno(reterr, -errno, "set the groups");
        if (setresgid(u->gid, u->gid, u->gid) < 0)
                return error_set_errno(reterr, -errno, "set gid %u", u->gid);
        if (setresuid(u->uid, u->uid, u->uid) < 0)
                return error_set_errno(reterr, -errno, "set uid %u", u->uid);
        r = capabilities_apply_inherited(&p->capabilities);
        if (r < 0)
                return error_set_errno(reterr, r, "set the inherited capabilities");
        /* The change made us what fs.suid_dumpable says. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "protect this process");
        (void) umask(u->umask == JSON_NO_UINT32 ? 0022 : (mode_t) (u->umask & 0777));
        return 0;
}

int process_apply_capabilities(const Process *p, Error *reterr) {
        int r;

        r = capabilities_apply(&p->capabilities);
        return r < 0 ? error_set_errno(reterr, r, "set the capabilities") : 0;
}

/* 0: can be run; -EACCES, -EISDIR, -ENOENT … */
static int try_program(const char *path) {
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
                return -errno;
        return 0;
}

static int program_error(const char *name, int r, Error *reterr) {
        ErrorKind kind = r == -ENOENT || r == -ENOTDIR ? ERROR_NOT_FOUND : ERROR_FORBIDDEN;

        if (r == -EISDIR)
                return error_set(
                        reterr, kind, "exec: \"%s\": is a directory: permission denied", name);
        if (r == -EACCES)
                return error_set(reterr, kind, "exec: \"%s\": permission denied", name);
        if (r == -ENOENT || r == -ENOTDIR)
                return error_set(reterr, kind, "exec: \"%s\": stat %s: no such file or directory",
                        name, name);
        return error_set_errno(reterr, r, "exec: \"%s\"", name);
}

int process_find_program(Process *p, Error *reterr) {
        const char *name = p->spec->args[0], *path;
        int r, denied = 0;

        if (strchr(name, '/')) {
                r = try_program(name);
                if (r < 0)
                        return program_error(name, r, reterr);
                return str_copy(&p->program, name);
        }

        path = strv_env_get(p->env, "PATH");
        for (const char *at = path ?: DEFAULT_PATH;;) {
                size_t n = strcspn(at, ":");
                _cleanup_(freep) char *candidate = NULL;

                /* An empty part is the working folder. */
                r = n > 0 ? str_printf(&candidate, "%.*s/%s", (int) n, at, name)
                          : str_printf(&candidate, "./%s", name);
                if (r < 0)
                        return r;
                r = try_program(candidate);
                if (r >= 0) {
                        p->program = TAKE_PTR(candidate);
                        return 0;
                }
                if (r == -EACCES)
                        denied = r;
                if (!at[n])
                        break;
                at += n + 1;
        }

        if (denied < 0)
                return program_error(name, denied, reterr);
        return error_set(
                reterr, ERROR_NOT_FOUND, "exec: \"%s\": executable file not found in $PATH", name);
}

int process_execute(const Process *p, Error *reterr) {
        static char *const nothing[] = { NULL };

        (void) execve(p->program, p->spec->args, p->env ? p->env : nothing);
        return error_set_errno(reterr, -errno, "exec %s", p->program);
}
