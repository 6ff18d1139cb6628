/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/tar-extract.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/archive/tar-attributes.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META   ".wh..wh." /* aufs' own files; only the next one means something */
#define WHITEOUT_OPAQUE ".wh..wh..opq"

#define FREE_CHECK_BYTES   (UINT64_C(16) << 20)
#define FREE_CHECK_ENTRIES 1024U
#define WRITEBACK_BYTES    (UINT64_C(1) << 20) /* files from here on start going to the disk at once */

typedef struct Unpack {
        const TarExtract *x;
        const TarLimits *limits;
        TarReader *reader;
        TarDirectories directories;
        TarExtractResult *result;
        bool owners;

        /* The folder that the last entry was in. */
        int dir_fd;
        char *dir_path;

        uint64_t checked_bytes;
        uint64_t checked_entries;
} Unpack;

static void unpack_forget_dir(Unpack *u) {
        u->dir_fd = fd_close(u->dir_fd);
        u->dir_path = mfree(u->dir_path);
}

static void unpack_done(Unpack *u) {
        unpack_forget_dir(u);
        tar_directories_done(&u->directories);
        u->reader = tar_reader_free(u->reader);
}

static int unpack_check_free(Unpack *u, bool now, Error *reterr) {
        uint64_t bytes = tar_reader_bytes(u->reader);
        struct statvfs st;

        if (u->limits->free_bytes == 0)
                return 0;
        if (!now && bytes - u->checked_bytes < FREE_CHECK_BYTES &&
                u->result->n_entries - u->checked_entries < FREE_CHECK_ENTRIES)
                return 0;

        u->checked_bytes = bytes;
        u->checked_entries = u->result->n_entries;

        if (fstatvfs(u->x->root_fd, &st) < 0)
                return -errno;
        if ((uint64_t) st.f_bavail * st.f_frsize < u->limits->free_bytes)
                return error_set(reterr, ERROR_NO_SPACE,
                        "less than %llu MiB would be left on the file system",
                        (unsigned long long) (u->limits->free_bytes >> 20));

        return 0;
}

/* Makes the folder at path, whose parents may be missing too, as the archive should have said. */
static int unpack_imply_dirs(Unpack *u, char *path, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        for (char *p = path; p; p = strchr(p, '/')) {
                _cleanup_(freep) char *name = NULL;
                int parent;
                char *end;

                if (*p == '/')
                        p++;
                end = strchrnul(p, '/');
                name = strndup(p, (size_t) (end - p));
                if (!name)
                        return -ENOMEM;

                parent = fd >= 0 ? fd : u->x->root_fd;
                if (mkdirat(parent, name, 0755) >= 0) {
                        int made =
                                openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                        if (made < 0)
                                return -errno;
                        fd_close(fd);
                        fd = made;

                        if (u->x->ops && u->x->ops->implied) {
                                _cleanup_(freep) char *prefix =
                                        strndup(path, (size_t) (end - path));
                                if (!prefix)
                                        return -ENOMEM;
                                r = u->x->ops->implied(u->x->userdata, fd, prefix, reterr);
                                if (r < 0)
                                        return r;
                        }
                } else {
                        _cleanup_(freep) char *prefix = NULL;
                        int found;

                        if (errno != EEXIST)
                                return -errno;

                        prefix = strndup(path, (size_t) (end - path));
                        if (!prefix)
                                return -ENOMEM;
                        found = beneath_open(u->x->root_fd, prefix,
                                O_PATH | O_DIRECTORY | O_CLOEXEC, 0, BENEATH_NO_XDEV);
                        if (found < 0)
                                return found;
                        fd_close(fd);
                        fd = found;
                }

                p = end;
                if (!*p)
                        break;
        }

        return 0;
}

/* The folder that holds the entry: borrowed until the next call. -ENOENT when it is missing and must not be made. */
static int unpack_open_parent(Unpack *u, const TarEntry *e, bool make, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        size_t n;
        int fd;

        n = e->name > e->path ? (size_t) (e->name - e->path) - 1 : 0;
        if (u->dir_path && strlen(u->dir_path) == n && memcmp(u->dir_path, e->path, n) == 0)
                return u->dir_fd;

        path = strndup(e->path, n);
        if (!path)
                return -ENOMEM;

        fd = beneath_open(
                u->x->root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, BENEATH_NO_XDEV);
        if (fd == -ENOENT && make) {
                fd = unpack_imply_dirs(u, path, reterr);
                if (fd >= 0)
                        fd = beneath_open(u->x->root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                                BENEATH_NO_XDEV);
        }
        if (fd < 0) {
                if (!make && (fd == -ENOENT || fd == -ENOTDIR))
                        return -ENOENT;
                if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV)
                        return error_set(reterr, ERROR_INVALID,
                                "entry \"%s\": the path to it is no directory", e->path);
                return error_set_errno(
                        reterr, fd, "entry \"%s\": cannot open its directory", e->path);
        }

        unpack_forget_dir(u);
        u->dir_fd = fd;
        u->dir_path = TAKE_PTR(path);
        return u->dir_fd;
}

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

/* Clears the place of an entry. 1: a folder is there and stays (only if keep_dir); 2: a whiteout was there. */
static int unpack_clear(Unpack *u, const TarEntry *e, int dir_fd, bool keep_dir, Error *reterr) {
        struct stat st;
        int r;

        if (fstatat(dir_fd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0
                                       : error_set_errno(reterr, -errno, "entry \"%s\"", e->path);

        if (S_ISDIR(st.st_mode) && keep_dir)
                return 1;

        r = tar_remove_name(dir_fd, e->name, reterr);
        if (r < 0)
                return r;

        /* The path of the remembered folder may lead somewhere else now; its fd is still right for this entry. */
        if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
                u->dir_path = mfree(u->dir_path);

        return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0) ? 2 : 0;
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

static int unpack_file(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        fd = openat(dir_fd, e->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST) {
                r = unpack_clear(u, e, dir_fd, /* keep_dir= */ false, reterr);
                if (r < 0)
                        return r;
                fd = openat(dir_fd, e->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        0600);
        }
        if (fd < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot create the file", e->path);

        r = unpack_content(u, e, fd, reterr);
        if (r < 0)
                return r;

        u->result->bytes += e->size;
        return tar_attributes_apply(u->reader, e, fd, u->owners, &u->result->n_dropped, reterr);
}

static int unpack_directory(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;
        int r;

        if (e->path[0] != '\0') {
                r = unpack_clear(u, e, dir_fd, /* keep_dir= */ true, reterr);
                if (r < 0)
                        return r;
                if (r != 1 && mkdirat(dir_fd, e->name, 0700) < 0)
                        return error_set_errno(reterr, -errno,
                                "entry \"%s\": cannot create the directory", e->path);

                fd = openat(dir_fd, e->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        return error_set_errno(
                                reterr, -errno, "entry \"%s\": cannot open the directory", e->path);

                /* The layer hides NAME below and brings a folder of its own: what was below must not show through. */
                if (r == 2 && u->x->ops && u->x->ops->opaque) {
                        r = u->x->ops->opaque(u->x->userdata, fd, e->path, reterr);
                        if (r < 0)
                                return r;
                }
        }

        u->result->has_root |= e->path[0] == '\0';
        if (fstat(fd >= 0 ? fd : u->x->root_fd, &st) < 0)
                return -errno;

        return tar_directories_add(
                &u->directories, u->reader, e, &st, &u->result->n_dropped, reterr);
}

static int unpack_symlink(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        int r;

        r = unpack_clear(u, e, dir_fd, /* keep_dir= */ false, reterr);
        if (r < 0)
                return r;

        if (symlinkat(e->link, dir_fd, e->name) < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot create the link", e->path);

        return tar_attributes_apply_at(
                e, dir_fd, e->name, u->owners, /* set_mode= */ false, reterr);
}

static int unpack_node(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        mode_t kind = e->type == TAR_CHARACTER ? S_IFCHR : e->type == TAR_BLOCK ? S_IFBLK : S_IFIFO;
        int r;

        if (e->type == TAR_CHARACTER && e->device == makedev(0, 0))
                return error_set(reterr, ERROR_INVALID,
                        "entry \"%s\": character device 0:0 is not allowed", e->path);

        r = unpack_clear(u, e, dir_fd, /* keep_dir= */ false, reterr);
        if (r < 0)
                return r;

        if (mknodat(dir_fd, e->name, kind | 0600, e->device) < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot create the device", e->path);

        return tar_attributes_apply_at(e, dir_fd, e->name, u->owners, /* set_mode= */ true, reterr);
}

/* The target is an entry of this tree, found by the kernel with our root as its root; names of both ends are single
 * components, so no link is followed and nothing outside can be reached. */
static int unpack_hardlink(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr) {
        _cleanup_(fd_closep) int from_dir = -EBADF;
        _cleanup_(freep) char *from = NULL;
        struct stat target, old;
        int r;

        r = beneath_open_parent(u->x->root_fd, e->link, BENEATH_NO_XDEV, &from_dir, &from);
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

/* 1: it was one and has been dealt with. */
static int unpack_whiteout(Unpack *u, const TarEntry *e, Error *reterr) {
        const TarExtractOps *ops = u->x->ops;
        const char *name;
        int fd, r;

        for (const char *p = e->path; (p = strstr(p, WHITEOUT_PREFIX));
                p += STRLEN(WHITEOUT_PREFIX)) {
                if ((p != e->path && p[-1] != '/') || p == e->name)
                        continue;
                if (str_starts(p, WHITEOUT_META))
                        return 1; /* below aufs' own folders */
                return error_set(
                        reterr, ERROR_INVALID, "entry \"%s\": a whiteout is no directory", e->path);
        }

        name = str_starts(e->name, WHITEOUT_PREFIX);
        if (!name)
                return 0;
        if (str_starts(e->name, WHITEOUT_META) && !streq(e->name, WHITEOUT_OPAQUE))
                return 1;
        if (str_empty(name) || STR_IN_SET(name, ".", ".."))
                return error_set(
                        reterr, ERROR_INVALID, "entry \"%s\": a whiteout of nothing", e->path);
        if (u->x->pass == TAR_PASS_REST || !ops)
                return 1;

        fd = unpack_open_parent(u, e, /* make= */ u->x->pass == TAR_PASS_ALL, reterr);
        if (fd == -ENOENT && u->x->pass == TAR_PASS_WHITEOUTS)
                return 1;
        if (fd < 0)
                return fd;

        if (streq(e->name, WHITEOUT_OPAQUE)) {
                r = 0;
                if (ops->opaque) {
                        _cleanup_(freep) char *path = strndup(
                                e->path, e->name > e->path ? (size_t) (e->name - e->path) - 1 : 0);
                        if (!path)
                                return -ENOMEM;
                        r = ops->opaque(u->x->userdata, fd, path, reterr);
                }
        } else
                r = ops->whiteout ? ops->whiteout(u->x->userdata, fd, name, reterr) : 0;
        if (r < 0)
                return r;

        u->dir_path = mfree(u->dir_path); /* something may be gone */
        return 1;
}

static int unpack_entry(Unpack *u, const TarEntry *e, Error *reterr) {
        int fd = -EBADF, r;

        r = unpack_whiteout(u, e, reterr);
        if (r != 0)
                return r;
        if (u->x->pass == TAR_PASS_WHITEOUTS)
                return 0;

        if (e->path[0] != '\0') {
                fd = unpack_open_parent(u, e, /* make= */ true, reterr);
                if (fd < 0)
                        return fd;
        }

        switch (e->type) {
        case TAR_FILE:
                return unpack_file(u, e, fd, reterr);
        case TAR_DIRECTORY:
                return unpack_directory(u, e, fd, reterr);
        case TAR_SYMLINK:
                return unpack_symlink(u, e, fd, reterr);
        case TAR_HARDLINK:
                return unpack_hardlink(u, e, fd, reterr);
        case TAR_CHARACTER:
        case TAR_BLOCK:
        case TAR_FIFO:
                return unpack_node(u, e, fd, reterr);
        default:
                assert_unreachable();
        }
}

int tar_extract(
        const TarExtract *x, const ByteSource *source, TarExtractResult *ret, Error *reterr) {
        TarExtractResult result = {};
        _cleanup_(unpack_done) Unpack u = { .x = x, .result = &result, .dir_fd = -EBADF };
        const TarEntry *e;
        int r;

        assert(x);
        assert(x->root_fd >= 0);
        assert(source);

        u.limits = x->limits ?: &tar_limits_default;
        u.directories.memory_max = u.limits->directories;
        u.owners = geteuid() == 0;

        r = tar_reader_new(source, u.limits, &u.reader);
        if (r < 0)
                return r;

        r = unpack_check_free(&u, /* now= */ true, reterr);
        if (r < 0)
                return r;

        while ((r = tar_reader_next(u.reader, &e, reterr)) > 0) {
                result.n_entries++;
                r = unpack_check_free(&u, /* now= */ false, reterr);
                if (r >= 0)
                        r = unpack_entry(&u, e, reterr);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        r = tar_directories_apply(&u.directories, x->root_fd, u.owners, &result.n_dropped, reterr);
        if (r < 0)
                return r;

        if (ret)
                *ret = result;
        return 0;
}
