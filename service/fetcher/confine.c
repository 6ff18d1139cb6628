/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/fetcher/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

#define USER_NAME "stauer-fetch"
#define NOBODY    65534

#define ROOT "/tmp" /* where the new one is put together, in a mount namespace of our own */

/* Read only; what is not there is left out. */
static const char *const shown[] = {
        "/etc/ca-certificates",
        "/etc/crypto-policies",
        "/etc/gai.conf",
        "/etc/gnutls",
        "/etc/host.conf",
        "/etc/hosts",
        "/etc/ld.so.cache",
        "/etc/localtime",
        "/etc/nsswitch.conf",
        "/etc/pki",
        "/etc/resolv.conf",
        "/etc/services",
        "/etc/ssl",
        "/lib",
        "/lib32",
        "/lib64",
        "/run/nscd",
        "/run/systemd/resolve", /* nss-resolve asks there */
        "/usr/lib",
        "/usr/lib32",
        "/usr/lib64",
        "/usr/share/ca-certificates",
        "/usr/share/pki",
        "/var/lib/ca-certificates",
};

static int make_target(const char *target, bool folder) {
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        if (folder)
                return file_mkdir_p(target, 0755);
        if (str_copy_n(&parent, target, (size_t) (strrchr(target, '/') - target)) < 0)
                return -ENOMEM;
        r = file_mkdir_p(parent, 0755);
        if (r < 0)
                return r;
        fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        return fd < 0 ? -errno : 0;
}

/* /lib is a link on most systems, and stays one. */
static int show_link(const char *path, const char *target) {
        char link[PATH_MAX];
        ssize_t n = readlink(path, link, sizeof(link) - 1);

        if (n < 0)
                return -errno;
        link[n] = '\0';
        return symlink(link, target) < 0 ? -errno : 0;
}

static int show(const char *path) {
        _cleanup_(freep) char *target = NULL;
        struct stat st;
        int r;

        if (lstat(path, &st) < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        if (str_printf(&target, ROOT "%s", path) < 0)
                return -ENOMEM;
        /* one name below the root can only be a folder's; a file's (resolv.conf) is shown in its place */
        if (S_ISLNK(st.st_mode) && !strchr(path + 1, '/'))
                return show_link(path, target);
        if (stat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;

        r = make_target(target, S_ISDIR(st.st_mode));
        if (r < 0)
                return r;
        if (mount(path, target, NULL, MS_BIND, NULL) < 0)
                return errno == ENOENT ? 0 : -errno;
        return mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
                       NULL) < 0
                     ? -errno
                     : 0;
}

/* Certificates for a registry are files in memory, whose names are in /proc/self/fd. Only our own process is seen there. */
static int show_proc(void) {
        if (mkdir(ROOT "/proc", 0555) < 0)
                return -errno;
        if (mount("proc", ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                    "hidepid=invisible,subset=pid") >= 0)
                return 0;
        return mount("/proc", ROOT "/proc", NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

static int confine_root(void) {
        int r = 0;

        if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
                return errno == EPERM ? 0 : -errno; /* root without power, as in a container */
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                mount("tmpfs", ROOT, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") < 0)
                return -errno;
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(shown); i++)
                r = show(shown[i]);
        if (r >= 0)
                r = show_proc();
        if (r < 0)
                return r;
        if (mount(NULL, ROOT, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV,
                    "mode=0755,size=1m") < 0 ||
                chdir(ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
                umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return -errno;
        return 0;
}

int fetcher_confine(void) {
        const struct passwd *p;
        uid_t uid = NOBODY;
        gid_t gid = NOBODY;
        int r;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        if (geteuid() != 0)
                return 0;

        p = getpwnam(USER_NAME);
        if (p && p->pw_uid != 0) {
                uid = p->pw_uid;
                gid = p->pw_gid;
        }
        r = confine_root();
        if (r < 0)
                return r;
        /* with the last uid 0 go all capabilities */
        if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
                return -errno;
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        return setresuid(0, 0, 0) < 0 ? 0 : -EPERM;
}
