/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A procfs of a pid namespace in which we are not and will not be: a process of ours in there could be looked into by whoever
 * has CAP_SYS_PTRACE in it. The kernel shows the namespace of whoever mounts it; since Linux 6.17 another can be named. Before, the
 * procfs of somebody who lives there is copied, without what may be mounted over its files. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/mountinfo.h"
#include "lib/base/parse.h"
#include "lib/base/strv.h"
#include "service/runtime/namespaces.h"

#define PROC_PATH_SIZE  64U
#define PROC_ROOT_INODE 1U
#define ATTRIBUTES_OF_OTHERS \
        (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static bool same_namespace(int dir_fd, const char *path, int ns_fd) {
        struct stat a, b;

        return fstatat(dir_fd, path, &a, 0) >= 0 && fstat(ns_fd, &b) >= 0 && a.st_dev == b.st_dev &&
               a.st_ino == b.st_ino;
}

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* Kernels that do not know the word say EINVAL. */
static int by_name(int ns_fd, char *const *options, unsigned attributes) {
        _cleanup_(strv_freep) char **all = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = strv_set(&all, options);
        if (r >= 0)
                r = strv_addf(&all, "pidns=/proc/self/fd/%d", ns_fd);
        return r < 0 ? r : mount_new("proc", "proc", all, attributes, &text);
}

/* No link is followed, and what is found must be the root of a procfs of this namespace. */
static int open_proc_of(int root_fd, int ns_fd) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct statfs sfs;
        struct stat st;

        fd = beneath_open(root_fd, "proc", O_PATH | O_DIRECTORY, 0, BENEATH_STRICT);
        if (fd < 0)
                return fd;
        if (fstatfs(fd, &sfs) < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (sfs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
                return -EMEDIUMTYPE;
        return same_namespace(fd, "1/ns/pid", ns_fd) ? TAKE_FD(fd) : -EXDEV;
}

/* Only mounts of the caller's namespace can be copied, so we are in the other one for that moment. */
static int copy_from(int mnt_fd, int proc_fd) {
        _cleanup_(fd_closep) int home_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        _cleanup_(fd_closep) int cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd, r = 0;

        if (home_fd < 0 || cwd_fd < 0)
                return -errno;
        if (setns(mnt_fd, CLONE_NEWNS) < 0)
                return -errno;
        fd = mount_clone(proc_fd, /* recursive= */ false);
        if (setns(home_fd, CLONE_NEWNS) < 0 || fchdir(cwd_fd) < 0)
                r = -errno;
        if (r < 0) {
                (void) fd_close(fd);
                return r;
        }
        return fd;
}

static int copy_of_process(unsigned pid, int ns_fd) {
        _cleanup_(fd_closep) int mnt_fd = -EBADF, root_fd = -EBADF, proc_fd = -EBADF;
        char path[PROC_PATH_SIZE];

        (void) snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
        mnt_fd = open(path, O_RDONLY | O_CLOEXEC);
        if (mnt_fd < 0)
                return -errno;
        (void) snprintf(path, sizeof(path), "/proc/%u/root", pid);
        root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return -errno;
        proc_fd = open_proc_of(root_fd, ns_fd);
        return proc_fd < 0 ? proc_fd : copy_from(mnt_fd, proc_fd);
}

static int copy_of_inhabitant(int ns_fd) {
        _cleanup_(closedirp) DIR *dir = opendir("/proc");
        int r = -ESRCH;

        if (!dir)
                return -errno;
        for (struct dirent *e = readdir(dir); e && r < 0; e = readdir(dir)) {
                char path[PROC_PATH_SIZE];
                unsigned pid;

                if (parse_unsigned(e->d_name, &pid) < 0)
                        continue;
                (void) snprintf(path, sizeof(path), "%u/ns/pid", pid);
                if (same_namespace(dirfd(dir), path, ns_fd))
                        r = copy_of_process(pid, ns_fd);
        }
        return r;
}

int namespaces_mount_proc(
        const Namespaces *n, char *const *options, unsigned attributes, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int ns_fd = n->join_fds[NAMESPACE_PID], r;

        assert(ns_fd >= 0);

        if (same_namespace(AT_FDCWD, "/proc/self/ns/pid", ns_fd))
                fd = mount_new("proc", "proc", options, attributes, NULL);
        else
                fd = by_name(ns_fd, options, attributes);
        if (fd >= 0)
                return TAKE_FD(fd);
        if (!strv_empty(options))
                return error_set_errno(
                        reterr, fd, "mount a procfs with options for the pid namespace of others");

        fd = copy_of_inhabitant(ns_fd);
        if (fd < 0)
                return error_set_errno(reterr, fd,
                        "find a procfs of the pid namespace to be joined (none of its processes "
                        "has one at /proc)");
        r = mount_change(fd, attributes, ATTRIBUTES_OF_OTHERS & ~attributes, MS_PRIVATE, false);
        return r < 0 ? error_set_errno(reterr, r, "change the copy of a procfs") : TAKE_FD(fd);
}
