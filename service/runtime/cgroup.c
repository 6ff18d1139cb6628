/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/cgroup.h"

#include <errno.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/runtime-spec.h"

#define CGROUP_FILE_MAX  ((size_t) 1024 * 1024)
#define CGROUP_DEPTH_MAX 64U

static int disabled_plan(Cgroup *c, const char *id, Error *reterr) {
        /* Docker and podman send device rules always; limits only when somebody asked for them. */
        if (c->limits.n_items > 0)
                return error_set(reterr, ERROR_INVALID,
                        "resource limits need a cgroup, but the cgroup manager is \"disabled\"");
        return 0;
}

const CgroupManager cgroup_manager_disabled = {
        .name = "disabled",
        .plan = disabled_plan,
};

const CgroupManager *cgroup_manager_find(const char *name) {
        static const CgroupManager *const managers[] = {
                &cgroup_manager_systemd,
                &cgroup_manager_fs,
                &cgroup_manager_disabled,
        };

        assert(name);

        for (size_t i = 0; i < ARRAY_SIZE(managers); i++)
                if (streq(managers[i]->name, name))
                        return managers[i];

        return NULL;
}

int cgroup_plan(Cgroup *c, const CgroupManager *manager, const char *id, const RuntimeLinux *l,
        Error *reterr) {
        int r;

        assert(c);
        assert(manager);
        assert(l);

        *c = (Cgroup) { .manager = manager, .spec = l, .fd = -EBADF };

        r = cgroup_limits_plan(l->resources, &c->limits, reterr);
        if (r < 0)
                return r;
        if (manager != &cgroup_manager_disabled) {
                const RuntimeResources *res = l->resources;

                r = device_filter_build(
                        res ? res->devices : NULL, res ? res->n_devices : 0, &c->filter, reterr);
                if (r < 0)
                        return r;
        }

        return manager->plan(c, id, reterr);
}

static int apply(const Cgroup *c, Error *reterr) {
        int r;

        r = cgroup_limits_write(&c->limits, c->fd, reterr);
        return r < 0 ? r : device_filter_attach(&c->filter, c->fd, reterr);
}

int cgroup_make(Cgroup *c, Error *reterr) {
        int r;

        assert(c);

        if (!c->manager->make)
                return 0;

        r = c->manager->make(c, reterr);
        return r < 0 ? r : apply(c, reterr);
}

int cgroup_enter(Cgroup *c, pid_t pid, Error *reterr) {
        int r;

        assert(c);

        if (!c->manager->enter)
                return 0;

        r = c->manager->enter(c, pid, reterr);
        return r < 0 ? r : apply(c, reterr);
}

void cgroup_done(Cgroup *c) {
        if (!c)
                return;

        free(c->path);
        free(c->slice);
        free(c->scope);
        free(c->description);
        cgroup_limits_done(&c->limits);
        device_filter_done(&c->filter);
        (void) fd_close(c->fd);
        *c = (Cgroup) { .fd = -EBADF };
}

int cgroup_root_open(Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct statfs sfs;

        fd = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "open " CGROUP_ROOT);
        if (fstatfs(fd, &sfs) < 0)
                return error_set_errno(reterr, -errno, "look at " CGROUP_ROOT);
        if (sfs.f_type != CGROUP2_SUPER_MAGIC)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "cgroup v2 is needed, but " CGROUP_ROOT
                        " is not a cgroup2 file system (boot with "
                        "systemd.unified_cgroup_hierarchy=1, or "
                        "use --cgroup-manager=disabled)");

        return TAKE_FD(fd);
}

int cgroup_open(const char *path, Error *reterr) {
        _cleanup_(fd_closep) int root_fd = -EBADF;
        int fd;

        /* The root is never a container's. */
        if (!path || !path[strspn(path, "/")])
                return -EBADF;

        root_fd = cgroup_root_open(reterr);
        if (root_fd < 0)
                return root_fd;
        fd = openat(
                root_fd, path + strspn(path, "/"), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return fd < 0 ? -errno : fd;
}

/* The value of a key in cgroup.events. */
static int read_event(int fd, const char *key) {
        char text[256], *p;
        ssize_t n;

        n = pread(fd, text, sizeof(text) - 1, 0);
        if (n < 0)
                return -errno;
        text[n] = 0;

        p = strstr(text, key);
        if (!p)
                return -EBADMSG;
        p += strlen(key);
        return p[0] == ' ' && p[1] == '1';
}

/* The kernel tells changes of this file by POLLPRI. */
static int wait_event(int cgroup_fd, const char *key, bool value) {
        _cleanup_(fd_closep) int fd = -EBADF;
        uint64_t end = usec_add(clock_monotonic_us(), CGROUP_WAIT_USEC);
        int r;

        fd = openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        for (;;) {
                uint64_t now;

                r = read_event(fd, key);
                if (r < 0)
                        return r;
                if (r == value)
                        return 0;

                now = clock_monotonic_us();
                if (now >= end)
                        return -ETIMEDOUT;
                r = fd_wait(fd, POLLPRI, end - now);
                if (r < 0)
                        return r;
        }
}

int cgroup_is_frozen(const char *path) {
        _cleanup_(fd_closep) int fd = -EBADF, events_fd = -EBADF;

        fd = cgroup_open(path, NULL);
        if (fd < 0)
                return fd;
        events_fd = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (events_fd < 0)
                return -errno;

        return read_event(events_fd, "frozen");
}

int cgroup_freeze(const char *path, bool freeze, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        fd = cgroup_open(path, reterr);
        if (fd < 0)
                return error_set_errno(reterr, fd, "open the container's cgroup");

        r = file_write_kernel_at(fd, "cgroup.freeze", freeze ? "1" : "0");
        if (r >= 0)
                r = wait_event(fd, "frozen", freeze);
        if (r < 0)
                return error_set_errno(reterr, r, "%s the container", freeze ? "freeze" : "thaw");
        return 0;
}

/* Calls visit for a cgroup and all below it, the deepest first. */
static int walk(int parent_fd, const char *name, unsigned depth,
        int (*visit)(int parent_fd, const char *name, int fd, unsigned depth, int argument),
        int argument) {
        _cleanup_(strv_freep) char **children = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        if (depth > CGROUP_DEPTH_MAX)
                return -ELOOP;
        fd = file_open_dir(parent_fd, name);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;

        r = file_list(fd, ".", /* hidden= */ false, &children);
        if (r < 0)
                return r == -ENOENT || r == -ENODEV ? 0 : r;
        STRV_FOREACH (child, children) {
                /* Files have a dot after the controller's name, but so may folders: only the kernel knows. */
                if (file_is_dir_at(fd, *child) <= 0)
                        continue;
                r = walk(fd, *child, depth + 1, visit, argument);
                if (r < 0)
                        return r;
        }

        return visit(parent_fd, name, fd, depth, argument);
}

static int walk_path(const char *path, int (*visit)(int, const char *, int, unsigned, int),
        int argument, Error *reterr) {
        _cleanup_(fd_closep) int root_fd = -EBADF, parent_fd = -EBADF;
        const char *last;

        root_fd = cgroup_root_open(reterr);
        if (root_fd < 0)
                return root_fd;

        last = path + strlen(path);
        while (last > path && last[-1] != '/')
                last--;
        if (!*last)
                return -EBADF;

        char parent[last - path + 1];
        memcpy(parent, path, (size_t) (last - path));
        parent[last - path] = 0;
        parent_fd =
                openat(root_fd, parent[strspn(parent, "/")] ? parent + strspn(parent, "/") : ".",
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (parent_fd < 0)
                return errno == ENOENT ? 0 : -errno;

        return walk(parent_fd, last, 0, visit, argument);
}

static int visit_signal(int parent_fd, const char *name, int fd, unsigned depth, int sig) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = file_read_at(fd, "cgroup.procs", CGROUP_FILE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT || r == -ENODEV ? 0 : r;

        for (char *p = text, *end; *p; p = end + (*end == '\n')) {
                long pid = strtol(p, &end, 10);

                if (end == p)
                        break;
                if (pid > 0 && kill((pid_t) pid, sig) < 0 && errno != ESRCH)
                        return -errno;
        }

        return 0;
}

int cgroup_signal(const char *path, int sig, Error *reterr) {
        int r;

        if (!path)
                return -EBADF;

        if (sig == SIGKILL) {
                _cleanup_(fd_closep) int fd = cgroup_open(path, reterr);

                r = fd < 0 ? fd : file_write_kernel_at(fd, "cgroup.kill", "1");
        } else
                r = walk_path(path, visit_signal, sig, reterr);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "send signal %d to the processes of the cgroup", sig);
        return 0;
}

int cgroup_empty(const char *path, bool kill, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF, events_fd = -EBADF;
        int r;

        if (!path)
                return 0;
        fd = cgroup_open(path, reterr);
        if (fd == -ENOENT || fd == -ENODEV)
                return 0;
        if (fd < 0)
                return error_set_errno(reterr, fd, "open the cgroup %s", path);

        events_fd = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (events_fd >= 0 && read_event(events_fd, "populated") == 0)
                return 0;

        r = kill ? file_write_kernel_at(fd, "cgroup.kill", "1") : 0;
        if (r >= 0)
                r = wait_event(fd, "populated", false);
        if (r < 0 && r != -ENODEV && r != -ENOENT)
                return error_set_errno(reterr, r, "end the processes in the cgroup %s", path);
        return 0;
}

/* keep_top: not the cgroup that the walk began with. */
static int visit_remove(int parent_fd, const char *name, int fd, unsigned depth, int keep_top) {
        if (depth == 0 && keep_top)
                return 0;
        if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

int cgroup_remove_tree(const char *path, Error *reterr) {
        _cleanup_(fd_closep) int root_fd = -EBADF;
        int r;

        if (!path || !path[strspn(path, "/")])
                return 0;

        root_fd = cgroup_root_open(reterr);
        if (root_fd < 0)
                return root_fd;
        if (unlinkat(root_fd, path + strspn(path, "/"), AT_REMOVEDIR) >= 0 || errno == ENOENT)
                return 0;

        r = walk_path(path, visit_remove, /* keep_top= */ false, reterr);
        return r < 0 ? error_set_errno(reterr, r, "remove the cgroup %s", path) : 0;
}

int cgroup_remove_below(const char *path, Error *reterr) {
        int r;

        r = path ? walk_path(path, visit_remove, /* keep_top= */ true, reterr) : 0;
        return r < 0 ? error_set_errno(reterr, r, "remove the cgroups below %s", path) : 0;
}
