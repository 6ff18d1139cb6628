/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/join.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/mountinfo.h"
#include "lib/base/str.h"

#define CGROUP_SIZE_MAX 8192u

static int check_owner(const MonitorJoin *j, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        int r;

        r = str_printf(&path, "/proc/%lld/cgroup", (long long) j->pid);
        if (r < 0)
                return r;
        r = file_read(path, CGROUP_SIZE_MAX, &text, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !strstr(text, j->id))
                return error_set(reterr, ERROR_CONFLICT,
                        "cannot join a namespace of a non running container: %s", j->id);
        return 0;
}

/* Its /dev/shm as a mount that is nowhere yet. We are in its mount namespace for that, because the kernel copies mounts of the caller's only;
 * nothing of the container runs or is followed: no link, no magic one, and what is found must be a tmpfs. */
static int clone_shm(int ns_fd, int pid_root_fd, int home_fd) {
        _cleanup_(fd_closep) int shm_fd = -EBADF;
        struct statfs fs;
        int fd, r;

        shm_fd = beneath_open(pid_root_fd, "dev/shm", O_PATH | O_DIRECTORY, 0, BENEATH_STRICT);
        if (shm_fd < 0)
                return shm_fd;
        if (fstatfs(shm_fd, &fs) < 0)
                return -errno;
        if (fs.f_type != TMPFS_MAGIC)
                return -EMEDIUMTYPE;

        if (setns(ns_fd, CLONE_NEWNS) < 0)
                return -errno;
        fd = mount_clone(shm_fd, /* recursive= */ false);
        r = setns(home_fd, CLONE_NEWNS) < 0 ? -errno : 0;
        if (r < 0) {
                (void) fd_close(fd);
                return r;
        }
        return fd;
}

static int open_of(const MonitorJoin *j, const char *what, int flags) {
        _cleanup_(freep) char *path = NULL;
        int r, fd;

        r = str_printf(&path, "/proc/%lld/%s", (long long) j->pid, what);
        if (r < 0)
                return r;
        fd = open(path, flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int share_shm(const MonitorJoin *j) {
        _cleanup_(fd_closep) int ns_fd = -EBADF, root_fd = -EBADF, home_fd = -EBADF,
                                 mount_fd = -EBADF, target_fd = -EBADF;
        int r;

        ns_fd = open_of(j, "ns/mnt", O_RDONLY);
        if (ns_fd < 0)
                return ns_fd;
        root_fd = open_of(j, "root", O_PATH | O_DIRECTORY);
        if (root_fd < 0)
                return root_fd;
        home_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (home_fd < 0)
                return -errno;

        mount_fd = clone_shm(ns_fd, root_fd, home_fd);
        if (mount_fd < 0)
                return mount_fd;
        r = file_mkdir_p(j->shm_path, 0700);
        if (r < 0)
                return r;
        target_fd = open(j->shm_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target_fd < 0)
                return -errno;
        return mount_attach(mount_fd, target_fd);
}

int join_prepare(const MonitorSpec *s, Error *reterr) {
        for (size_t i = 0; i < s->n_joins; i++) {
                const MonitorJoin *j = &s->joins[i];
                int r;

                r = check_owner(j, reterr);
                if (r < 0)
                        return r;
                if (str_empty(j->shm_path))
                        continue;
                r = share_shm(j);
                if (r < 0)
                        return error_set_errno(
                                reterr, r, "cannot share /dev/shm of container %s", j->id);
        }
        return 0;
}

void join_done(const MonitorSpec *s) {
        for (size_t i = 0; i < s->n_joins; i++)
                if (!str_empty(s->joins[i].shm_path))
                        (void) umount2(s->joins[i].shm_path, MNT_DETACH | UMOUNT_NOFOLLOW);
}
