/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/mounts.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/mountinfo.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/mount-copy-up.h"
#include "service/runtime/namespaces.h"

#define LINKS_MAX 16U

static MountKind kind_of(const RuntimeMount *m, const MountOptions *o) {
        if (o->bind || (m->type && streq(m->type, "bind")))
                return MOUNT_BIND;
        if (str_empty(m->type))
                return MOUNT_FILE_SYSTEM;
        if (streq(m->type, "proc"))
                return MOUNT_PROC;
        if (streq(m->type, "sysfs"))
                return MOUNT_SYSFS;
        if (STR_IN_SET(m->type, "cgroup", "cgroup2"))
                return MOUNT_CGROUP;
        if (streq(m->type, "devpts"))
                return MOUNT_DEVPTS;
        return MOUNT_FILE_SYSTEM;
}

static int open_source(Mount *m, int bundle_fd, Error *reterr) {
        const char *source = m->spec->source;
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;

        if (str_empty(source))
                return error_set(
                        reterr, ERROR_INVALID, "the mount at %s has no source", m->destination);

        fd = openat(bundle_fd, source, O_PATH | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "error mounting \"%s\" to rootfs at \"%s\"",
                        source, m->destination);
        m->directory = S_ISDIR(st.st_mode);

        m->source_fd = mount_clone(fd, m->options.recursive);
        if (m->source_fd < 0)
                return error_set_errno(reterr, m->source_fd,
                        "error mounting \"%s\" to rootfs at \"%s\"", source, m->destination);
        return 0;
}

static int open_one(Mounts *ms, const RuntimeMount *spec, int bundle_fd, Error *reterr) {
        Mount *m = ms->items + ms->n_items++;
        _cleanup_(freep) char *absolute = NULL;
        int r;

        *m = (Mount) { .spec = spec, .source_fd = -EBADF };

        if (str_empty(spec->destination))
                return error_set(reterr, ERROR_INVALID, "a mount has no destination");
        r = mount_options_parse(spec->options, &m->options, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "mount at %s", spec->destination);
        /* Relative ones are meant from the root, as they were in version 1.0 of the specification. */
        r = str_printf(&absolute, "/%s", spec->destination);
        if (r >= 0)
                r = path_normalise(absolute, &m->destination);
        if (r < 0)
                return r;
        if (streq(m->destination, "/"))
                return error_set(reterr, ERROR_INVALID,
                        "nothing can be mounted over the root of the container");

        m->kind = kind_of(spec, &m->options);
        if (m->options.id_map || spec->n_uid_mappings > 0 || spec->n_gid_mappings > 0)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "id-mapped mounts are not supported: %s", m->destination);
        if (m->kind == MOUNT_FILE_SYSTEM && str_empty(spec->type))
                return error_set(
                        reterr, ERROR_INVALID, "the mount at %s has no type", m->destination);
        if (m->options.remount)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED, "remounting is not supported: %s",
                        m->destination);

        m->late = m->kind == MOUNT_CGROUP;
        m->read_only_later = streq(m->destination, "/dev") && m->kind != MOUNT_BIND &&
                             (m->options.set & MOUNT_ATTR_RDONLY);
        return m->kind == MOUNT_BIND ? open_source(m, bundle_fd, reterr) : 0;
}

/* Mounts below a late one must come after it. */
static void push_late(Mounts *ms) {
        for (size_t i = 0; i < ms->n_items; i++)
                for (size_t k = 0; k < i && !ms->items[i].late; k++)
                        ms->items[i].late =
                                ms->items[k].late &&
                                path_is_below(ms->items[i].destination, ms->items[k].destination);
}

/* In a pid namespace that is joined the child is born at the very end: what shows that namespace is made here. */
static int open_procs(Mounts *ms, const Namespaces *n, Error *reterr) {
        bool at_proc = false;

        if (n->join_fds[NAMESPACE_PID] < 0)
                return 0;
        for (size_t i = 0; i < ms->n_items; i++) {
                Mount *m = ms->items + i;

                if (m->kind != MOUNT_PROC)
                        continue;
                m->source_fd = namespaces_mount_proc(
                        n, m->options.data, (unsigned) m->options.set, reterr);
                if (m->source_fd < 0)
                        return error_prefix(
                                reterr, m->source_fd, "mount proc at %s", m->destination);
                at_proc = at_proc || streq(m->destination, "/proc");
        }
        if (at_proc)
                return 0;

        ms->proc_fd = namespaces_mount_proc(
                n, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, reterr);
        return ms->proc_fd < 0 ? ms->proc_fd : 0;
}

int mounts_open(const RuntimeSpec *spec, int bundle_fd, const Namespaces *namespaces, Mounts *ret,
        Error *reterr) {
        _cleanup_(mounts_done) Mounts ms = {
                .spec = spec,
                .own_user_namespace = namespaces_is_own(namespaces, NAMESPACE_USER),
                .root_fd = -EBADF,
                .proc_fd = -EBADF,
                .dev_fd = -EBADF,
                .null_fd = -EBADF,
                .empty_fd = -EBADF,
        };
        int r;

        assert(spec);
        assert(ret);

        if (spec->n_mounts > MOUNTS_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "more than %u mounts", MOUNTS_MAX);
        ms.items = new0(Mount, spec->n_mounts + 1);
        if (!ms.items)
                return -ENOMEM;

        for (size_t i = 0; i < spec->n_mounts; i++) {
                r = open_one(&ms, spec->mounts + i, bundle_fd, reterr);
                if (r < 0)
                        return r;
        }
        push_late(&ms);
        r = open_procs(&ms, namespaces, reterr);
        if (r < 0)
                return r;

        *ret = ms;
        ms = (Mounts) { .root_fd = -EBADF,
                .proc_fd = -EBADF,
                .dev_fd = -EBADF,
                .null_fd = -EBADF,
                .empty_fd = -EBADF };
        return 0;
}

void mounts_done(Mounts *m) {
        if (!m)
                return;

        for (size_t i = 0; i < m->n_items; i++) {
                mount_options_done(&m->items[i].options);
                free(m->items[i].destination);
                (void) fd_close(m->items[i].source_fd);
        }
        m->items = mfree(m->items);
        m->n_items = 0;
        m->root_fd = fd_close(m->root_fd);
        m->proc_fd = fd_close(m->proc_fd);
        m->dev_fd = fd_close(m->dev_fd);
        m->null_fd = fd_close(m->null_fd);
        m->empty_fd = fd_close(m->empty_fd);
}

/* Images like to ship /etc/resolv.conf as a link to a file that only a running system has. The target is then made where the
 * link leads, inside the root. */
static int follow_dangling(int root_fd, const char *path, char **ret) {
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        _cleanup_(freep) char *name = NULL, *joined = NULL, *parent = NULL;
        char link[PATH_MAX];
        ssize_t n;
        int r;

        r = beneath_open_parent(root_fd, path, 0, &dir_fd, &name);
        if (r < 0)
                return r;
        n = readlinkat(dir_fd, name, link, sizeof(link) - 1);
        if (n < 0)
                return errno == EINVAL || errno == ENOENT ? -ENOLINK : -errno;
        link[n] = 0;

        if (path_is_absolute(link))
                return str_copy(ret, link);
        r = path_parent(path, &parent);
        if (r < 0)
                return r;
        joined = path_join(parent, link);
        if (!joined)
                return -ENOMEM;
        *ret = TAKE_PTR(joined);
        return 0;
}

int mounts_target(Mounts *m, const char *path, bool directory, bool strict, Error *reterr) {
        _cleanup_(freep) char *current = NULL;
        int fd, r;

        assert(m->root_fd >= 0);

        if (strict) {
                fd = beneath_make_target(
                        m->root_fd, path, directory, directory ? 0755 : 0644, BENEATH_STRICT);
                if (fd == -ELOOP)
                        return error_set(reterr, ERROR_INVALID,
                                "%s is a link in the root file system, nothing is mounted there",
                                path);
                if (fd < 0)
                        return error_set_errno(reterr, fd, "mount target %s", path);
                return fd;
        }

        r = str_copy(&current, path);
        for (unsigned i = 0; r >= 0; i++) {
                _cleanup_(freep) char *next = NULL;

                fd = beneath_open(m->root_fd, current, O_PATH, 0, 0);
                if (fd >= 0)
                        return fd;
                if (fd != -ENOENT)
                        return error_set_errno(reterr, fd, "mount target %s", path);

                r = follow_dangling(m->root_fd, current, &next);
                if (r == -ENOLINK || r == -ENOENT) {
                        fd = beneath_make_target(
                                m->root_fd, current, directory, directory ? 0755 : 0644, 0);
                        if (fd >= 0)
                                return fd;
                        return error_set_errno(reterr, fd, "create the mount target %s", path);
                }
                if (r >= 0) {
                        free(current);
                        current = TAKE_PTR(next);
                        r = i < LINKS_MAX ? 0 : -ELOOP;
                }
        }

        return error_set_errno(reterr, r, "mount target %s", path);
}

/* What may be mounted over files of /proc: the figures that lxcfs and its kin replace. All else there would be a way to make
 * others (and us) write to a file that is not what it seems. */
static bool proc_path_may_be_covered(const char *path) {
        return STR_IN_SET(path, "/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",
                "/proc/meminfo", "/proc/net/dev", "/proc/slabinfo", "/proc/stat", "/proc/swaps",
                "/proc/sys/crypto/fips_enabled", "/proc/sys/kernel/ns_last_pid", "/proc/uptime");
}

static int check_target(const Mount *mount, int target_fd, Error *reterr) {
        struct statfs sfs;

        if (fstatfs(target_fd, &sfs) < 0)
                return -errno;
        /* By what the target is and not by its name: a link of the image may lead there as well. */
        if (sfs.f_type == PROC_SUPER_MAGIC && mount->kind != MOUNT_PROC &&
                !proc_path_may_be_covered(mount->destination))
                return error_set(reterr, ERROR_INVALID,
                        "%s is inside /proc, where nothing may be mounted", mount->destination);
        return 0;
}

static int make_bind(Mount *m, Error *reterr) {
        uint64_t propagation = m->options.propagation ?: MS_PRIVATE;
        bool recursive =
                m->options.propagation ? m->options.propagation_recursive : m->options.recursive;
        int r;

        /* Non-recursive propagation changes only the uppermost mount; without one everything is made private. */
        r = mount_change(m->source_fd, 0, 0, propagation, recursive && m->options.recursive);
        if (r >= 0 && (m->options.set | m->options.clear))
                r = mount_change(m->source_fd, m->options.set, m->options.clear, 0, false);
        if (r >= 0 && (m->options.recursive_set | m->options.recursive_clear))
                r = mount_change(m->source_fd, m->options.recursive_set, m->options.recursive_clear,
                        0, true);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "set the options of the mount at %s", m->destination);

        return TAKE_FD(m->source_fd);
}

static int attach(Mounts *ms, Mount *m, Error *reterr) {
        _cleanup_(fd_closep) int target_fd = -EBADF, mount_fd = -EBADF;
        bool directory = m->kind != MOUNT_BIND || m->directory, strict, is_dev;
        struct stat st;
        int r;

        /* The file systems that everything else relies on are never mounted through a link. */
        strict = m->kind != MOUNT_BIND &&
                 (m->kind != MOUNT_FILE_SYSTEM || path_is_below(m->destination, "/dev"));
        target_fd = mounts_target(ms, m->destination, directory, strict, reterr);
        if (target_fd < 0)
                return target_fd;
        if (fstat(target_fd, &st) < 0)
                return -errno;
        if (directory != !!S_ISDIR(st.st_mode))
                return error_set(reterr, ERROR_INVALID,
                        "mount at %s: not a directory: are you trying to mount a directory onto a "
                        "file (or vice-versa)?",
                        m->destination);
        r = check_target(m, target_fd, reterr);
        if (r < 0)
                return r;

        mount_fd = m->kind == MOUNT_BIND ? make_bind(m, reterr) : mount_special(ms, m, reterr);
        if (mount_fd < 0)
                return mount_fd;
        if (m->options.copy_up) {
                r = mount_copy_up(target_fd, mount_fd);
                if (r < 0)
                        return error_set_errno(reterr, r, "copy the content of %s", m->destination);
        }

        r = mount_attach(mount_fd, target_fd);
        if (r < 0)
                return error_set_errno(reterr, r, "mount %s at %s",
                        str_or(m->spec->source, m->spec->type), m->destination);
        if (m->kind != MOUNT_BIND && m->options.propagation) {
                r = mount_change(
                        mount_fd, 0, 0, m->options.propagation, m->options.propagation_recursive);
                if (r < 0)
                        return error_set_errno(
                                reterr, r, "propagation of the mount at %s", m->destination);
        }

        is_dev = streq(m->destination, "/dev") && m->kind == MOUNT_FILE_SYSTEM;
        if (m->kind == MOUNT_PROC && streq(m->destination, "/proc") && ms->proc_fd < 0)
                ms->proc_fd = TAKE_FD(mount_fd);
        else if (is_dev) {
                (void) fd_close(ms->dev_fd);
                ms->dev_fd = TAKE_FD(mount_fd);
        } else if (streq(m->destination, "/dev"))
                ms->dev_fd = fd_close(ms->dev_fd); /* the host's own /dev: nothing is made in it */
        return 0;
}

int mounts_attach(Mounts *m, bool late, Error *reterr) {
        int r;

        assert(m);

        for (size_t i = 0; i < m->n_items; i++) {
                if (m->items[i].late != late)
                        continue;
                r = attach(m, m->items + i, reterr);
                if (r < 0)
                        return error_is_set(reterr) ? r
                                                    : error_set_errno(reterr, r, "mount at %s",
                                                              m->items[i].destination);
        }

        return 0;
}

int mounts_finish(Mounts *m, Error *reterr) {
        int r;

        for (size_t i = 0; i < m->n_items; i++)
                if (m->items[i].read_only_later && m->dev_fd >= 0) {
                        r = mount_change(m->dev_fd, MOUNT_ATTR_RDONLY, 0, 0, false);
                        if (r < 0)
                                return error_set_errno(reterr, r, "make /dev read-only");
                }

        return 0;
}
