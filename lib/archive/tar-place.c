/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/archive/unpack.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"

#define WRITEBACK_BYTES (UINT64_C(1) << 20) /* files from here on start going to the disk at once */

int tar_remove_name(int dir_fd, const char *name, Error *reterr) {
        int r;

        if (unlinkat(dir_fd, name, 0) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return error_set_errno(reterr, -errno, "cannot remove \"%s\"", name);

        r = file_remove_tree(dir_fd, name);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot remove \"%s\"", name);
        return 0;
}

static int unpack_refuse_kind(
        const Unpack *u, const TarEntry *e, const struct stat *st, Error *reterr) {
        const TarIntoTree *into = u->x->into;
        const char *path = into->path + strspn(into->path, "/");

        return error_set(reterr, ERROR_INVALID, "cannot overwrite %s \"%s/%s\" with %s \"%s/%s\"",
                S_ISDIR(st->st_mode) ? "directory" : "non-directory", str_or_empty(into->shown),
                e->path, e->type == TAR_DIRECTORY ? "directory" : "non-directory",
                str_or_empty(into->shown), path);
}

/* Clears the place of an entry. 1: a folder is there and stays (only if keep_dir); 2: a whiteout was there. */
static int unpack_clear(Unpack *u, const TarEntry *e, int dir_fd, bool keep_dir, Error *reterr) {
        struct stat st;
        int r;

        if (fstatat(dir_fd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0
                                       : error_set_errno(reterr, -errno, "entry \"%s\"", e->path);

        if (S_ISDIR(st.st_mode) && keep_dir)
                return 1;
        if (u->x->into && u->x->into->keep_kind && S_ISDIR(st.st_mode) != keep_dir)
                return unpack_refuse_kind(u, e, &st, reterr);

        r = tar_remove_name(dir_fd, e->name, reterr);
        if (r < 0)
                return r;

        /* The path of the remembered folder may lead somewhere else now; its fd is still right for this entry. */
        if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
                u->dir_path = mfree(u->dir_path);

        return !u->x->into && S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0) ? 2 : 0;
}

static int unpack_content(Unpack *u, const TarEntry *e, int fd, Error *reterr) {
        uint64_t offset, end = 0;
        const void *data;
        size_t size;
        int r;

        while ((r = tar_reader_data(u->reader, &data, &size, &offset, reterr)) > 0) {
                r = fd_pwrite_full(fd, data, size, offset);
                if (r < 0)
                        return error_set_errno(reterr, r, "entry \"%s\": cannot write", e->path);
                end = offset + size;

                r = unpack_check_free(u, /* now= */ false, reterr);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        if (end < e->size && ftruncate(fd, (off_t) e->size) < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot have its size", e->path);

        if (end >= WRITEBACK_BYTES)
                (void) sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);

        return 0;
}

/* Most files can be made with their mode at once; the others are opened up first and get theirs at the end. */
static mode_t unpack_first_mode(const Unpack *u, const TarEntry *e) {
        return e->mode & ~(mode_t) 0777 || !(e->mode & 0200) || tar_reader_has_xattrs(u->reader)
                     ? 0600
                     : e->mode;
}

#define UNPACK_FILE_FLAGS (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

static int unpack_fill(Unpack *u, const TarEntry *e, int fd, mode_t mode, Error *reterr) {
        int r;

        r = unpack_content(u, e, fd, reterr);
        if (r < 0)
                return r;

        u->result->bytes += e->size;
        return tar_attributes_apply(u->reader, e, fd,
                &(const TarWishes) {
                        .owners = u->owners,
                        .is_ours = e->uid == 0 && e->gid == 0 && !u->dir_gives_group,
                        .has_mode = mode == e->mode,
                },
                &u->result->n_dropped, reterr);
}

/* The whole file at temporary becomes e->name. */
static int unpack_rename(
        Unpack *u, const TarEntry *e, int dir_fd, const char *temporary, Error *reterr) {
        struct stat st;
        int r = 0;

        if (fstatat(dir_fd, e->name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && !S_ISREG(st.st_mode)) {
                u->dir_path = mfree(u->dir_path); /* as in unpack_clear() */
                if (S_ISDIR(st.st_mode))
                        r = unpack_clear(u, e, dir_fd, /* keep_dir= */ false, reterr);
        }
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, e->name) < 0)
                r = error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot take the place of the file", e->path);
        return r < 0 ? r : 0;
}

static int unpack_file_beside(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        char temporary[STRLEN(".#stauer-") + 16 + 1];
        _cleanup_(fd_closep) int fd = -EBADF;
        mode_t mode = unpack_first_mode(u, e);
        uint64_t random;
        struct stat st;
        int r;

        if (u->x->into->keep_kind && fstatat(dir_fd, e->name, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
                S_ISDIR(st.st_mode))
                return unpack_refuse_kind(u, e, &st, reterr);
        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return -EIO;
        (void) snprintf(temporary, sizeof(temporary), ".#stauer-%016" PRIx64, random);

        fd = openat(dir_fd, temporary, UNPACK_FILE_FLAGS, mode);
        if (fd < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot create the file", e->path);
        r = unpack_fill(u, e, fd, mode, reterr);
        if (r >= 0)
                r = unpack_rename(u, e, dir_fd, temporary, reterr);
        if (r < 0)
                (void) unlinkat(dir_fd, temporary, 0);
        return r;
}

static int unpack_file(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        mode_t mode = unpack_first_mode(u, e);
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        if (u->x->into)
                return unpack_file_beside(u, e, dir_fd, reterr);

        fd = openat(dir_fd, e->name, UNPACK_FILE_FLAGS, mode);
        if (fd < 0 && errno == EEXIST) {
                r = unpack_clear(u, e, dir_fd, /* keep_dir= */ false, reterr);
                if (r < 0)
                        return r;
                fd = openat(dir_fd, e->name, UNPACK_FILE_FLAGS, mode);
        }
        if (fd < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot create the file", e->path);
        return unpack_fill(u, e, fd, mode, reterr);
}

/* 1: made where a whiteout was: what is below must not show through. */
static int unpack_make_directory(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        int r;

        if (mkdirat(dir_fd, e->name, 0700) >= 0)
                return 0;

        r = errno == EEXIST ? unpack_clear(u, e, dir_fd, /* keep_dir= */ true, reterr) : -errno;
        if (r == 1)
                return 0;
        if (r >= 0 && mkdirat(dir_fd, e->name, 0700) < 0)
                r = -errno;
        if (r < 0)
                return error_set_errno(
                        reterr, r, "entry \"%s\": cannot create the directory", e->path);
        return r == 2;
}

static int unpack_directory(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;
        int r = 0;

        if (e->path[0] == '\0') {
                u->result->has_root = true;
                if (fstat(u->x->root_fd, &st) < 0)
                        return -errno;
                return tar_directories_add(
                        &u->directories, u->reader, e, &st, &u->result->n_dropped, reterr);
        }

        r = unpack_make_directory(u, e, dir_fd, reterr);
        if (r < 0)
                return r;

        fd = openat(dir_fd, e->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot open the directory", e->path);

        if (r > 0 && u->x->ops && u->x->ops->opaque) {
                r = u->x->ops->opaque(u->x->userdata, fd, e->path, reterr);
                if (r < 0)
                        return r;
        }

        return tar_directories_add(
                &u->directories, u->reader, e, &st, &u->result->n_dropped, reterr);
}

static int unpack_symlink(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        int r;

        r = symlinkat(e->link, dir_fd, e->name) < 0 ? -errno : 0;
        if (r == -EEXIST) {
                r = unpack_clear(u, e, dir_fd, /* keep_dir= */ false, reterr);
                if (r >= 0 && symlinkat(e->link, dir_fd, e->name) < 0)
                        r = -errno;
        }
        if (r < 0)
                return error_set_errno(reterr, r, "entry \"%s\": cannot create the link", e->path);

        return tar_attributes_apply_at(
                e, dir_fd, e->name, u->owners, /* set_mode= */ false, reterr);
}

static int unpack_node(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        mode_t kind = e->type == TAR_CHARACTER ? S_IFCHR : e->type == TAR_BLOCK ? S_IFBLK : S_IFIFO;
        int r;

        if (e->type != TAR_FIFO && u->x->into && u->x->into->no_devices) {
                u->result->n_devices++;
                return 0;
        }
        if (e->type == TAR_CHARACTER && e->device == makedev(0, 0))
                return error_set(reterr, ERROR_INVALID,
                        "entry \"%s\": character device 0:0 is not allowed", e->path);

        r = unpack_clear(u, e, dir_fd, /* keep_dir= */ false, reterr);
        if (r < 0)
                return r;

        /* In a living tree the name may be a link a moment later, and a chmod would go through it: there the node gets its mode as it is made. */
        if (mknodat(dir_fd, e->name, kind | (u->x->into ? e->mode : 0600), e->device) < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot create the device", e->path);

        return tar_attributes_apply_at(
                e, dir_fd, e->name, u->owners, /* set_mode= */ !u->x->into, reterr);
}

/* The target is an entry of this tree, found by the kernel with our root as its root; names of both ends are single
 * components, so no link is followed and nothing outside can be reached. */
static int unpack_hardlink(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        _cleanup_(fd_closep) int from_dir = -EBADF;
        _cleanup_(freep) char *from = NULL;
        struct stat target, old;
        int r;

        r = beneath_open_parent(u->x->root_fd, e->link, u->how, &from_dir, &from);
        if (r >= 0 && fstatat(from_dir, from, &target, AT_SYMLINK_NOFOLLOW) < 0)
                r = -errno;
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV || r == -EINVAL)
                return error_set(reterr, ERROR_INVALID,
                        "entry \"%s\": hard link to \"%s\", which is not in the archive", e->path,
                        e->link);
        if (r < 0)
                return error_set_errno(reterr, r, "entry \"%s\": hard link", e->path);

        if (S_ISDIR(target.st_mode))
                return error_set(
                        reterr, ERROR_INVALID, "entry \"%s\": hard link to a directory", e->path);
        if (S_ISCHR(target.st_mode) && target.st_rdev == makedev(0, 0))
                return error_set(reterr, ERROR_INVALID, "entry \"%s\": hard link to a removed file",
                        e->path);

        if (fstatat(dir_fd, e->name, &old, AT_SYMLINK_NOFOLLOW) >= 0 &&
                old.st_dev == target.st_dev && old.st_ino == target.st_ino)
                return 0; /* they are one file already */

        r = unpack_clear(u, e, dir_fd, /* keep_dir= */ false, reterr);
        if (r < 0)
                return r;

        if (linkat(from_dir, from, dir_fd, e->name, 0) < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot create the hard link", e->path);

        return 0;
}

int unpack_place(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        switch (e->type) {
        case TAR_FILE:
                return unpack_file(u, e, dir_fd, reterr);
        case TAR_DIRECTORY:
                return unpack_directory(u, e, dir_fd, reterr);
        case TAR_SYMLINK:
                return unpack_symlink(u, e, dir_fd, reterr);
        case TAR_HARDLINK:
                return unpack_hardlink(u, e, dir_fd, reterr);
        case TAR_CHARACTER:
        case TAR_BLOCK:
        case TAR_FIFO:
                return unpack_node(u, e, dir_fd, reterr);
        default:
                assert_unreachable();
        }
}
