/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way into a container's files, taken before the walls of confine.c go up: what comes out is one fd, and all paths are resolved beneath it.
 * No program, library or configuration is ever loaded from inside: nothing is exec'ed, and what we need is open or mapped before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/storage/storage.h"
#include "lib/api/monitor-spec.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/mountinfo.h"
#include "lib/base/path.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/rootfs/place.h"
#include "service/rootfs/rootfs.h"
#include "service/rootfs/volume-mount.h"
#include "service/worker/task.h"

/* Are both the same folder of the same mount? Then the container has the host's root, and that is none of ours. */
static int is_same_place(int a, int b) {
        struct statx x, y;

        if (statx(a, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &x) < 0 ||
                statx(b, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &y) < 0)
                return -errno;
        return x.stx_ino == y.stx_ino && x.stx_mnt_id == y.stx_mnt_id;
}

/* What the first process sees as "/": from there the kernel walks through the mounts of the container's own namespace, so binds, volumes and tmpfs
 * are what they are inside. The pidfd proves that the number was still that process's when we went through it. */
static int tree_enter_running(TaskContext *c, int pidfd, Error *reterr) {
        _cleanup_(fd_closep) int host = -EBADF, root = -EBADF;
        char path[sizeof("/proc/4294967295/root")];
        pid_t pid;
        int r;

        r = process_pidfd_pid(pidfd, &pid);
        if (r >= 0) {
                (void) snprintf(path, sizeof(path), "/proc/%d/root", (int) pid);
                root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (root < 0)
                        r = -errno;
        }
        if (r < 0 || process_is_alive(pidfd) <= 0)
                return error_set(reterr, ERROR_CONFLICT, "container %s has just ended",
                        str_or_empty(c->spec.name));

        host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (host < 0)
                return -errno;
        r = is_same_place(host, root);
        if (r != 0)
                return r < 0 ? r
                             : error_set(reterr, ERROR_INTERNAL,
                                       "container %s has the host's root file system",
                                       str_or_empty(c->spec.name));

        c->tree_fd = TAKE_FD(root);
        return 0;
}

int tree_use_volumes(TaskContext *c, Error *reterr) {
        c->lock_fds = new0(int, c->spec.n_volume_mounts + 1);
        if (!c->lock_fds)
                return -ENOMEM;
        for (; c->n_lock_fds < c->spec.n_volume_mounts; c->n_lock_fds++) {
                int r = volume_mount_acquire(
                        c->spec.volume_mounts + c->n_lock_fds, c->lock_fds + c->n_lock_fds, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The mount at one place of the container, attached nowhere. 0: there is nothing to be seen yet. */
static int tree_open_mount(
        TaskContext *c, size_t i, int *ret_mount_fd, bool *ret_is_folder, Error *reterr) {
        _cleanup_(mount_spec_done) MountSpec image = {};
        const TaskMount *m = c->spec.mounts + i;
        PlacedMount place = {
                .source = m->source, .subpath = m->subpath, .recursive = m->recursive
        };
        _cleanup_(fd_closep) int source = -EBADF;
        _cleanup_(freep) char *scratch = NULL;
        struct stat st;
        int r;

        if (!str_empty(m->layer) || !str_empty(m->subpath)) {
                r = str_printf(&scratch, "%s/tmp/root/images/%zu", c->spec.data_root, i);
                if (r >= 0 && !str_empty(m->layer))
                        r = storage_mount_spec(
                                c->storage, m->layer, /* read_only= */ true, &image, reterr);
                if (r < 0)
                        return r;
                place.image = image;
                r = place_make(&place, scratch, ret_mount_fd, ret_is_folder, reterr);
                return r < 0 ? r : 1;
        }
        source = open(m->source, O_PATH | O_CLOEXEC);
        if (source < 0 && errno == ENOENT)
                return 0;
        if (source < 0 || fstat(source, &st) < 0)
                return error_set_errno(reterr, -errno, "Cannot open %s", m->source);
        r = mount_clone(source, m->recursive);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot bind %s", m->source);
        *ret_mount_fd = r;
        *ret_is_folder = S_ISDIR(st.st_mode);
        return 1;
}

/* Missing folders and files are made, as the runtime would at the next start. */
static int tree_add_mount(TaskContext *c, int root_fd, size_t i, Error *reterr) {
        _cleanup_(fd_closep) int mount = -EBADF, target = -EBADF;
        const TaskMount *m = c->spec.mounts + i;
        bool folder;
        int r;

        r = tree_open_mount(c, i, &mount, &folder, reterr);
        if (r <= 0)
                return r;
        r = mount_change(mount, m->read_only ? MOUNT_ATTR_RDONLY : 0, 0, MS_PRIVATE, m->recursive);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot bind for %s", m->target);

        target = beneath_make_target(root_fd, m->target, folder, 0755, 0);
        r = target < 0 ? target : mount_attach(mount, target);
        return r < 0 ? error_set_errno(reterr, r, "Cannot mount at %s", m->target) : 0;
}

/* A layer of overlayfs must not be below two mounts that write: whoever only reads gets an upper folder of his own, in memory, which takes the
 * missing mount points and vanishes with us. */
static int tree_root_spec(
        TaskContext *c, int place_fd, bool writable, MountSpec *ret, Error *reterr) {
        int r;

        r = storage_mount_spec(c->storage, c->spec.layer_id, !writable, ret, reterr);
        if (r < 0 || writable)
                return r;

        if (!str_equal(ret->type, "overlay")) {
                ret->read_only = false;
                return 0;
        }
        if (mkdirat(place_fd, "upper", 0755) < 0 || mkdirat(place_fd, "work", 0700) < 0)
                return -errno;
        r = str_appendf(&ret->options, ",upperdir=%s/tmp/root/upper,workdir=%s/tmp/root/work",
                c->spec.data_root, c->spec.data_root);
        ret->read_only = false;
        return r;
}

/* The tree becomes the whole of this namespace: whatever a link in it says, there is nothing of the host to be reached. */
static int tree_pivot(int root_fd, bool read_only) {
        if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
                umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return -errno;
        return read_only ? mount_change(root_fd, MOUNT_ATTR_RDONLY, 0, 0, false) : 0;
}

/* A mount namespace of our own, with a folder in memory at tmp/root. */
static int tree_make_place(TaskContext *c, char **ret_path, int *ret_fd, Error *reterr) {
        _cleanup_(fd_closep) int tmp = -EBADF, place = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = str_printf(&path, "%s/tmp/root", c->spec.data_root);
        if (r < 0)
                return r;
        tmp = file_mkdir_open(c->root_fd, "tmp", 0700);
        place = tmp < 0 ? tmp : file_mkdir_open(tmp, "root", 0700);
        if (place < 0)
                return place;

        r = rootfs_unshare(reterr);
        if (r < 0)
                return r;
        if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
                return error_set_errno(reterr, -errno, "Cannot mount at %s", path);
        /* The walls mean another namespace; without this one's name it would end, and what is mounted on the tree with it. */
        c->tree_ns_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (c->tree_ns_fd < 0)
                return -errno;

        fd_close(place);
        place = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (place < 0)
                return -errno;
        *ret_path = TAKE_PTR(path);
        *ret_fd = TAKE_FD(place);
        return 0;
}

static int tree_enter_place(TaskContext *c, const char *path, int place, bool writable,
        bool with_mounts, Error *reterr) {
        _cleanup_(mount_spec_done) MountSpec spec = {};
        _cleanup_(fd_closep) int root = -EBADF;
        int r;

        r = tree_root_spec(c, place, writable, &spec, reterr);
        if (r >= 0)
                r = rootfs_mount(&spec, path, place, &root, reterr);
        for (size_t i = 0; r >= 0 && with_mounts && i < c->spec.n_mounts; i++)
                r = tree_add_mount(c, root, i, reterr);
        if (r < 0)
                return r;

        r = tree_pivot(root, writable && c->spec.read_only);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot enter the root file system");
        c->tree_fd = TAKE_FD(root);
        return 0;
}

static int tree_enter_stopped(TaskContext *c, bool writable, bool with_mounts, Error *reterr) {
        _cleanup_(fd_closep) int place = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = with_mounts ? tree_use_volumes(c, reterr) : 0;
        if (r >= 0)
                r = tree_make_place(c, &path, &place, reterr);
        return r < 0 ? r : tree_enter_place(c, path, place, writable, with_mounts, reterr);
}

/* The last descriptor, when there is one more than the task itself needs. */
static int tree_pidfd(const TaskContext *c) {
        size_t own = c->spec.kind == TASK_COPY_STAT ? 0 : 1;

        return c->n_fds > own ? c->fds[own] : -EBADF;
}

int tree_enter(TaskContext *c, Error *reterr) {
        int pidfd = tree_pidfd(c);

        return pidfd >= 0 ? tree_enter_running(c, pidfd, reterr)
                          : tree_enter_stopped(c, /* writable= */ false, true, reterr);
}

int tree_enter_writable(TaskContext *c, Error *reterr) {
        int pidfd = tree_pidfd(c);

        return pidfd >= 0 ? tree_enter_running(c, pidfd, reterr)
                          : tree_enter_stopped(c, /* writable= */ true, true, reterr);
}

int tree_enter_layer(TaskContext *c, Error *reterr) {
        return tree_enter_stopped(c, /* writable= */ false, /* with_mounts= */ false, reterr);
}

/* An image's files, beside the tree. */
static int tree_mount_source(TaskContext *c, const char *path, int place_fd, Error *reterr) {
        _cleanup_(mount_spec_done) MountSpec spec = {};
        _cleanup_(fd_closep) int folder = -EBADF;
        _cleanup_(freep) char *below = str_concat(path, "/source");
        int r;

        folder = file_mkdir_open(place_fd, "source", 0700);
        if (folder < 0 || !below)
                return folder < 0 ? folder : -ENOMEM;
        r = storage_mount_spec(
                c->storage, c->spec.source_layer, /* read_only= */ true, &spec, reterr);
        return r < 0 ? r : rootfs_mount(&spec, below, folder, &c->source_fd, reterr);
}

static int tree_open_context(TaskContext *c, Error *reterr) {
        _cleanup_(freep) char *path = NULL;

        if (!path_is_safe_name(str_or_empty(c->spec.context)))
                return strv_empty(c->spec.sources)
                             ? 0
                             : error_set(reterr, ERROR_INVALID,
                                       "there is no build context to copy from");
        path = str_concat("tmp/", c->spec.context, "/context");
        c->source_fd = path ? file_open_dir(c->root_fd, path) : -ENOMEM;
        return c->source_fd < 0
                     ? error_set_errno(reterr, c->source_fd, "Cannot open the build context")
                     : 0;
}

int tree_enter_source(TaskContext *c, Error *reterr) {
        _cleanup_(fd_closep) int place = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int r;

        if (str_empty(c->spec.source_layer))
                return tree_open_context(c, reterr);
        r = tree_make_place(c, &path, &place, reterr);
        return r < 0 ? r : tree_mount_source(c, path, place, reterr);
}

int tree_enter_build(TaskContext *c, Error *reterr) {
        _cleanup_(fd_closep) int place = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = storage_layer_create(c->storage, c->spec.layer_id, c->spec.layer_parent, reterr);
        if (r < 0)
                return r;
        if (str_empty(c->spec.source_layer))
                r = tree_open_context(c, reterr);
        if (r >= 0)
                r = tree_make_place(c, &path, &place, reterr);
        if (r >= 0 && !str_empty(c->spec.source_layer))
                r = tree_mount_source(c, path, place, reterr);
        if (r >= 0)
                r = tree_enter_place(
                        c, path, place, /* writable= */ true, /* with_mounts= */ false, reterr);
        if (r < 0)
                (void) storage_layer_remove(c->storage, c->spec.layer_id);
        return r;
}
