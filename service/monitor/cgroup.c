/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/monitor/accounting.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define TEXT_MAX    ((size_t) 64 * 1024)
#define PROCS_MAX   ((size_t) 1024 * 1024)

int cgroup_parse_own(const char *text, char **ret) {
        for (const char *line = text; line;
                line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                const char *path = str_starts(line, "0::");

                if (path && path[0] == '/')
                        return str_copy_n(ret, path, strcspn(path, "\n"));
        }
        return -ENOENT;
}

bool cgroup_is_scope_of(const char *path, const char *id) {
        const char *name = strrchr(path, '/');
        const char *rest = name ? str_starts(name, "/docker-") : NULL;

        rest = rest ? str_starts(rest, id) : NULL;
        return rest && streq(rest, ".scope");
}

void container_cgroup_done(ContainerCgroup *c) {
        (void) fd_close(c->fd);
        (void) fd_close(c->events_fd);
        (void) fd_close(c->memory_fd);
        free(c->path);
        *c = CONTAINER_CGROUP_NONE;
}

/* The scope must be empty before its controllers can be handed on. */
static int scope_hand_on(int scope_fd) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strv_freep) char **controllers = NULL;
        _cleanup_(freep) char *all = NULL;
        int r;

        r = file_read_at(scope_fd, "cgroup.controllers", TEXT_MAX, &text, NULL);
        if (r >= 0)
                r = strv_split(text, " \n", false, &controllers);
        if (r < 0 || strv_empty(controllers))
                return r;

        STRV_FOREACH (c, controllers) {
                r = str_appendf(&all, "%s+%s", all ? " " : "", *c);
                if (r < 0)
                        return r;
        }
        r = file_write_kernel_at(scope_fd, "cgroup.subtree_control", all);
        if (r >= 0)
                return 0;

        /* one of them does not want to: the others still should */
        STRV_FOREACH (c, controllers) {
                char one[64];

                if (snprintf(one, sizeof(one), "+%s", *c) < (int) sizeof(one))
                        (void) file_write_kernel_at(scope_fd, "cgroup.subtree_control", one);
        }
        return 0;
}

static int scope_enter_supervisor(int scope_fd) {
        char pid[16];

        if (mkdirat(scope_fd, "supervisor", 0755) < 0 && errno != EEXIST)
                return -errno;
        (void) snprintf(pid, sizeof(pid), "%d", (int) getpid());
        return file_write_kernel_at(scope_fd, "supervisor/cgroup.procs", pid);
}

static int open_file(int dir_fd, const char *name) {
        int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

static int scope_make_container(int scope_fd, ContainerCgroup *c) {
        if (mkdirat(scope_fd, "container", 0755) < 0 && errno != EEXIST)
                return -errno;
        c->fd = file_open_dir(scope_fd, "container");
        if (c->fd < 0)
                return c->fd;
        c->events_fd = open_file(c->fd, "cgroup.events");
        if (c->events_fd < 0)
                return c->events_fd;
        c->memory_fd = open_file(c->fd, "memory.events");
        return 0;
}

int container_cgroup_open(const char *id, ContainerCgroup *ret, Error *reterr) {
        _cleanup_(container_cgroup_done) ContainerCgroup c = CONTAINER_CGROUP_NONE;
        _cleanup_(fd_closep) int scope_fd = -EBADF;
        _cleanup_(freep) char *text = NULL, *own = NULL, *folder = NULL;
        int r;

        r = file_read("/proc/self/cgroup", TEXT_MAX, &text, NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot read our cgroup");
        r = cgroup_parse_own(text, &own);
        if (r == -ENOENT || (r >= 0 && !cgroup_is_scope_of(own, id))) {
                *ret = TAKE(c, CONTAINER_CGROUP_NONE);
                return 0;
        }
        if (r < 0)
                return r;

        folder = str_concat(CGROUP_ROOT, own);
        c.path = str_concat(own, "/container");
        if (!folder || !c.path)
                return -ENOMEM;
        scope_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (scope_fd < 0)
                return error_set_errno(reterr, -errno, "Cannot open the cgroup %s", folder);

        r = scope_enter_supervisor(scope_fd);
        if (r >= 0)
                r = scope_hand_on(scope_fd);
        if (r >= 0)
                r = scope_make_container(scope_fd, &c);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot set up the cgroups of scope %s", own);

        *ret = TAKE(c, CONTAINER_CGROUP_NONE);
        return 1;
}

static int read_again(int fd, char *buffer, size_t size) {
        ssize_t n;

        if (fd < 0)
                return -EBADF;
        n = pread(fd, buffer, size - 1, 0);
        if (n < 0)
                return -errno;
        buffer[n] = '\0';
        return 0;
}

int container_cgroup_is_populated(const ContainerCgroup *c) {
        char text[512];
        int r;

        r = read_again(c->events_fd, text, sizeof(text));
        if (r == -ENODEV)
                return 0; /* somebody removed it, which takes an empty one */
        if (r < 0)
                return r;
        return accounting_find(text, "populated") == 1;
}

uint64_t container_cgroup_oom_kills(const ContainerCgroup *c) {
        char text[512];

        if (read_again(c->memory_fd, text, sizeof(text)) < 0)
                return UINT64_MAX;
        return accounting_find(text, "oom_kill");
}

int container_cgroup_kill(const ContainerCgroup *c) {
        return file_write_kernel_at(c->fd, "cgroup.kill", "1");
}

/* Asked after the pidfd was opened: then the pid cannot have gone to a stranger in between. */
static bool process_is_inside(const ContainerCgroup *c, pid_t pid) {
        _cleanup_(freep) char *text = NULL, *own = NULL;
        char name[sizeof("/proc/2147483647/cgroup")];
        const char *rest;

        (void) snprintf(name, sizeof(name), "/proc/%d/cgroup", (int) pid);
        if (file_read(name, TEXT_MAX, &text, NULL) < 0 || cgroup_parse_own(text, &own) < 0)
                return false;
        rest = str_starts(own, c->path);
        return rest && (*rest == '\0' || *rest == '/');
}

int container_cgroup_signal(const ContainerCgroup *c, int sig) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strv_freep) char **pids = NULL;
        int r;

        if (sig == SIGKILL)
                return container_cgroup_kill(c);
        r = file_read_at(c->fd, "cgroup.procs", PROCS_MAX, &text, NULL);
        if (r >= 0)
                r = strv_split(text, "\n", false, &pids);
        if (r < 0)
                return r;
        STRV_FOREACH (p, pids) {
                _cleanup_(fd_closep) int pidfd = -EBADF;
                pid_t pid;

                /* 0 is a process of another pid namespace that we cannot see */
                if (parse_pid(*p, &pid) < 0)
                        continue;
                pidfd = process_pidfd_open(pid);
                if (pidfd >= 0 && process_is_inside(c, pid))
                        (void) process_kill(pidfd, sig);
        }
        return 0;
}

int container_cgroup_limit_tasks(ContainerCgroup *c, int64_t limit) {
        char text[24] = "max";
        int r;

        if (c->fd < 0)
                return 0; /* without a scope of its own nothing is limited, as was said at its start */
        if (limit >= 0)
                (void) snprintf(text, sizeof(text), "%lld", (long long) limit);
        r = file_write_kernel_at(c->fd, "pids.max", text);
        return r == -ENOENT && limit < 0 ? 0 : r;
}
