/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/storage/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/storage/driver.h"
#include "engine/storage/storage-internal.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define DIFF_DEPTH_MAX 512U
#define OVERLAY_OPAQUE "trusted.overlay.opaque"

typedef struct Diff {
        bool layers_are_diffs;
        storage_change_t on_change;
        void *userdata;
} Diff;

/* A folder of the layer with the folders of the same name below, topmost first. */
typedef struct DiffDir DiffDir;
struct DiffDir {
        DiffDir *up;
        const char *path; /* "" is the root */
        const char *name;
        int fd;
        int *below;
        size_t n_below;
        size_t n_allocated;
        bool complete; /* nothing shows through: what is below and not here is deleted */
        bool told;
        StorageChangeKind kind;
};

static void diff_dir_done(DiffDir *d) {
        fd_close(d->fd);
        fd_close_many(d->below, d->n_below);
        free(d->below);
}

static int diff_dir_add_below(DiffDir *d, int fd) {
        int r;

        r = array_grow(&d->below, &d->n_allocated, d->n_below + 1);
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        d->below[d->n_below++] = fd;
        return 0;
}

static bool is_whiteout(const Diff *x, const struct stat *st) {
        return x->layers_are_diffs && S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static bool is_opaque(const Diff *x, int fd) {
        char value;

        return x->layers_are_diffs && fgetxattr(fd, OVERLAY_OPAQUE, &value, sizeof(value)) == 1 &&
               value == 'y';
}

/* Where the runtime mounts, or the engine puts files of its own. */
static bool is_mount_point(const char *path) {
        static const char *const paths[] = { ".dockerenv", "dev", "dev/console", "dev/mqueue",
                "dev/pts", "dev/shm", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf",
                "proc", "sys" };

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                if (streq(path, paths[i]))
                        return true;
        return false;
}

/* What shows at name below d. 1 found; with child, the folders there are added to it. */
static int diff_find_below(
        const Diff *x, const DiffDir *d, const char *name, DiffDir *child, struct stat *ret) {
        bool found = false;

        for (size_t i = 0; i < d->n_below; i++) {
                struct stat st;
                int fd, r;

                if (fstatat(d->below[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                        if (errno == ENOENT || errno == ENOTDIR)
                                continue;
                        return -errno;
                }
                if (is_whiteout(x, &st))
                        break;
                if (!found)
                        *ret = st;
                else if (!S_ISDIR(st.st_mode))
                        break;
                found = true;
                if (!S_ISDIR(st.st_mode) || !child)
                        break;

                fd = file_open_dir(d->below[i], name);
                if (fd < 0)
                        return fd;
                r = diff_dir_add_below(child, fd);
                if (r < 0)
                        return r;
                if (is_opaque(x, fd))
                        break;
        }
        return found;
}

static int diff_tell_dir(const Diff *x, DiffDir *d, Error *reterr) {
        int r;

        if (d->told || !d->up)
                return 0;
        r = diff_tell_dir(x, d->up, reterr);
        if (r < 0)
                return r;

        d->told = true;
        return x->on_change(&(const StorageChange) { d->kind, d->path, d->up->fd, d->name },
                x->userdata, reterr);
}

static int diff_tell(const Diff *x, DiffDir *d, StorageChangeKind kind, const char *path,
        const char *name, Error *reterr) {
        int r;

        r = diff_tell_dir(x, d, reterr);
        if (r < 0)
                return r;
        return x->on_change(&(const StorageChange) { kind, path,
                                    kind == STORAGE_DELETED ? -EBADF : d->fd, name },
                x->userdata, reterr);
}

static bool same_owner_and_mode(const struct stat *a, const struct stat *b) {
        return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

static bool same_file(const struct stat *a, const struct stat *b) {
        return same_owner_and_mode(a, b) && a->st_size == b->st_size && a->st_rdev == b->st_rdev &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int diff_walk(const Diff *x, DiffDir *d, unsigned depth, Error *reterr);

static int diff_folder(const Diff *x, DiffDir *d, const char *name, const char *path,
        const struct stat *st, unsigned depth, Error *reterr) {
        _cleanup_(diff_dir_done)
                DiffDir child = { .up = d, .path = path, .name = name, .fd = -EBADF };
        struct stat below;
        int found, r;

        child.fd = file_open_dir(d->fd, name);
        if (child.fd < 0)
                return child.fd;
        child.complete = d->complete || is_opaque(x, child.fd);

        found = diff_find_below(x, d, name, &child, &below);
        if (found < 0)
                return found;
        child.kind = found ? STORAGE_MODIFIED : STORAGE_ADDED;

        /* One that is as it was is told only when something in it is. */
        if (found ? !same_owner_and_mode(st, &below) : !is_mount_point(path)) {
                r = diff_tell_dir(x, &child, reterr);
                if (r < 0)
                        return r;
        }
        return diff_walk(x, &child, depth + 1, reterr);
}

static int diff_entry(const Diff *x, DiffDir *d, const char *name, unsigned depth, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        struct stat st, below;
        int found, r;

        if (fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        r = str_printf(&path, "%s%s%s", d->path, d->path[0] ? "/" : "", name);
        if (r < 0)
                return r;

        if (S_ISDIR(st.st_mode)) {
                r = diff_folder(x, d, name, path, &st, depth, reterr);
                return r == -ENOENT ? 0 : r;
        }

        found = diff_find_below(x, d, name, NULL, &below);
        if (found < 0)
                return found;
        if (is_whiteout(x, &st))
                return found ? diff_tell(x, d, STORAGE_DELETED, path, name, reterr) : 0;
        if (found && !x->layers_are_diffs && same_file(&st, &below))
                return 0;
        if (!found && is_mount_point(path) && (st.st_size == 0 || S_ISLNK(st.st_mode)))
                return 0;
        return diff_tell(x, d, found ? STORAGE_MODIFIED : STORAGE_ADDED, path, name, reterr);
}

/* In a folder that hides what is below: the names that are only there. */
static int diff_deleted(const Diff *x, DiffDir *d, char *const *names, Error *reterr) {
        _cleanup_(strv_freep) char **gone = NULL;
        struct stat st;
        int r;

        for (size_t i = 0; i < d->n_below; i++) {
                _cleanup_(strv_freep) char **below = NULL;

                r = file_list(d->below[i], ".", /* hidden= */ true, &below);
                if (r < 0)
                        return r;
                STRV_FOREACH (n, below) {
                        if (strv_contains(names, *n) || strv_contains(gone, *n))
                                continue;
                        r = diff_find_below(x, d, *n, NULL, &st);
                        if (r > 0)
                                r = strv_add(&gone, *n);
                        if (r < 0)
                                return r;
                }
        }

        strv_sort(gone);
        STRV_FOREACH (n, gone) {
                _cleanup_(freep) char *path = NULL;

                r = str_printf(&path, "%s%s%s", d->path, d->path[0] ? "/" : "", *n);
                if (r >= 0)
                        r = diff_tell(x, d, STORAGE_DELETED, path, *n, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int diff_walk(const Diff *x, DiffDir *d, unsigned depth, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        if (depth > DIFF_DEPTH_MAX)
                return error_set_errno(reterr, -ELOOP, "\"%s\" is too deep", d->path);

        r = file_list(d->fd, ".", /* hidden= */ true, &names);
        if (r < 0)
                return r;
        STRV_FOREACH (n, names) {
                r = diff_entry(x, d, *n, depth, reterr);
                if (r < 0)
                        return r;
        }
        return d->complete ? diff_deleted(x, d, names, reterr) : 0;
}

static int diff_open(Storage *s, const char *digits) {
        char name[IDENT_SIZE + STRLEN("/" LAYER_DIFF)];

        (void) snprintf(name, sizeof(name), "%s/" LAYER_DIFF, digits);
        return file_open_dir(s->layers_fd, name);
}

int storage_diff(
        Storage *s, const char *id, storage_change_t on_change, void *userdata, Error *reterr) {
        const Diff x = {
                .layers_are_diffs = FLAGS_SET(s->driver->flags, STORAGE_LAYERS_ARE_DIFFS),
                .on_change = on_change,
                .userdata = userdata,
        };
        _cleanup_(diff_dir_done) DiffDir root = { .path = "", .name = "", .fd = -EBADF };
        _cleanup_(strv_freep) char **chain = NULL;
        const char *digits;
        int r;

        assert(s);
        assert(on_change);

        digits = storage_layer_digits(id);
        if (!digits)
                return error_set(reterr, ERROR_NOT_FOUND, "No such layer: %s", str_or_empty(id));
        r = storage_chain(s, digits, &chain);
        if (r == -ENOENT)
                return error_set(
                        reterr, ERROR_NOT_FOUND, "Layer %s or one below it is missing", digits);
        if (r < 0)
                return r;

        root.complete = !x.layers_are_diffs;
        root.fd = diff_open(s, chain[0]);
        if (root.fd < 0)
                return root.fd;
        for (char **c = chain + 1; *c; c++) {
                int fd = diff_open(s, *c);

                r = fd < 0 ? fd : diff_dir_add_below(&root, fd);
                if (r < 0)
                        return r;
                if (!x.layers_are_diffs) /* the parent is the whole */
                        break;
        }

        r = diff_walk(&x, &root, 0, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot compare layer %s", digits);
        return 0;
}

static int on_tar_change(const StorageChange *c, void *userdata, Error *reterr) {
        int r;

        /* The OCI image specification has no way to write it: it would take away what is below. */
        if (str_starts(c->name, ".wh."))
                return error_set(reterr, ERROR_CONFLICT,
                        "\"/%s\" cannot be kept in an image: names that begin with \".wh.\" are "
                        "marks of "
                        "what was removed",
                        c->path);
        if (c->kind == STORAGE_DELETED)
                return tar_writer_add_whiteout(userdata, c->path, reterr);
        r = tar_writer_add(userdata, c->dir_fd, c->name, c->path, reterr);
        return r == -ENOENT ? 0 : r; /* gone meanwhile */
}

int storage_diff_tar(Storage *s, const char *id, TarWriter *t, Error *reterr) {
        return storage_diff(s, id, on_tar_change, t, reterr);
}
