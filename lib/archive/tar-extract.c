/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/tar-extract.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/archive/unpack.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META   ".wh..wh." /* aufs' own files; only the next one means something */
#define WHITEOUT_OPAQUE ".wh..wh..opq"

#define FREE_CHECK_BYTES   (UINT64_C(1) << 20)
#define FREE_CHECK_ENTRIES 1024U

static void unpack_forget_dir(Unpack *u) {
        u->dir_fd = fd_close(u->dir_fd);
        u->dir_path = mfree(u->dir_path);
}

static void unpack_done(Unpack *u) {
        unpack_forget_dir(u);
        u->moved_path = mfree(u->moved_path);
        u->moved_link = mfree(u->moved_link);
        tar_directories_done(&u->directories);
        u->reader = tar_reader_free(u->reader);
}

int unpack_check_free(Unpack *u, bool now, Error *reterr) {
        uint64_t bytes = tar_reader_bytes(u->reader), keep;
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
        keep = tar_limits_keep(u->limits, &st);
        if ((uint64_t) st.f_bavail * st.f_frsize < keep)
                return error_set(reterr, ERROR_NO_SPACE,
                        "No space left on device: less than %llu MiB would remain",
                        (unsigned long long) DIV_ROUND_UP(keep, UINT64_C(1) << 20));

        return 0;
}

/* 1: name was a whiteout of this layer and is free now. */
static int unpack_lift_whiteout(int dir_fd, const char *name) {
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(0, 0))
                return 0;
        return unlinkat(dir_fd, name, 0) < 0 ? -errno : 1;
}

/* A folder that the archive did not name. Made where a whiteout was, nothing below shows through. */
static int unpack_tell_made(Unpack *u, int fd, const char *path, bool opaque, Error *reterr) {
        const TarExtractOps *ops = u->x->ops;

        if (opaque)
                return ops && ops->opaque ? ops->opaque(u->x->userdata, fd, path, reterr) : 0;
        return ops && ops->implied ? ops->implied(u->x->userdata, fd, path, reterr) : 0;
}

/* Makes the folder at path, whose parents may be missing too, as the archive should have said. */
static int unpack_imply_dirs(Unpack *u, char *path, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        for (char *p = path; p; p = strchr(p, '/')) {
                _cleanup_(freep) char *name = NULL;
                int parent, removed;
                char *end;

                if (*p == '/')
                        p++;
                end = strchrnul(p, '/');
                name = strndup(p, (size_t) (end - p));
                if (!name)
                        return -ENOMEM;

                parent = fd >= 0 ? fd : u->x->root_fd;
                removed = u->x->into ? 0 : unpack_lift_whiteout(parent, name);
                if (removed < 0)
                        return removed;
                if (mkdirat(parent, name, 0755) >= 0) {
                        _cleanup_(freep) char *prefix = strndup(path, (size_t) (end - path));
                        int made =
                                openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                        if (made < 0)
                                return -errno;
                        fd_close(fd);
                        fd = made;

                        if (!prefix)
                                return -ENOMEM;
                        r = unpack_tell_made(u, fd, prefix, removed, reterr);
                        if (r < 0)
                                return r;
                } else {
                        _cleanup_(freep) char *prefix = NULL;
                        int found;

                        if (errno != EEXIST)
                                return -errno;

                        prefix = strndup(path, (size_t) (end - path));
                        if (!prefix)
                                return -ENOMEM;
                        found = beneath_open(
                                u->x->root_fd, prefix, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, u->how);
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
        struct stat st;
        size_t n;
        int fd;

        n = e->name > e->path ? (size_t) (e->name - e->path) - 1 : 0;
        if (u->dir_path && strlen(u->dir_path) == n && memcmp(u->dir_path, e->path, n) == 0)
                return u->dir_fd;

        path = strndup(e->path, n);
        if (!path)
                return -ENOMEM;

        fd = beneath_open(u->x->root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, u->how);
        if ((fd == -ENOENT || fd == -ENOTDIR) && make) {
                fd = unpack_imply_dirs(u, path, reterr);
                if (fd >= 0)
                        fd = beneath_open(
                                u->x->root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, u->how);
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
        if (fstat(fd, &st) < 0)
                return -errno;
        u->dir_gives_group = st.st_mode & S_ISGID;
        u->dir_path = TAKE_PTR(path);
        return u->dir_fd;
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

/* What is left of path below base; NULL: it is not there. */
static const char *unpack_below(const char *path, const char *base) {
        size_t n = strlen(base);

        if (n == 0)
                return path;
        if (strncmp(path, base, n) != 0)
                return NULL;
        return path[n] == '/' ? path + n + 1 : path[n] == '\0' ? path + n : NULL;
}

static int unpack_join(const TarIntoTree *into, const char *below, char **ret) {
        const char *path = into->path + strspn(into->path, "/");
        size_t n = strlen(path);

        while (n > 0 && path[n - 1] == '/')
                n--;
        return str_printf(
                ret, "%.*s%s%s", (int) n, path, n > 0 && below[0] != '\0' ? "/" : "", below);
}

/* Below the folder of a living tree that everything goes to. NULL, r 0: to be skipped. */
static int unpack_move(Unpack *u, const TarEntry *e, const TarEntry **ret, Error *reterr) {
        const TarIntoTree *into = u->x->into;
        const char *base = str_or_empty(into->base), *below = unpack_below(e->path, base);
        const char *link = e->type == TAR_HARDLINK ? unpack_below(e->link, base) : "";

        *ret = NULL;
        if (!below || !link)
                return error_set(reterr, ERROR_INVALID,
                        "entry \"%s\": the archive should hold \"%s\" only",
                        below ? e->link : e->path, base);
        if (below[0] == '\0' && !into->base)
                return 0;

        u->moved_path = mfree(u->moved_path);
        u->moved_link = mfree(u->moved_link);
        u->moved = *e;
        if (unpack_join(into, below, &u->moved_path) < 0)
                return -ENOMEM;
        if (u->moved_path[0] == '\0')
                return 0;
        u->moved.path = u->moved_path;
        u->moved.name = strrchr(u->moved_path, '/');
        u->moved.name = u->moved.name ? u->moved.name + 1 : u->moved_path;
        if (e->type == TAR_HARDLINK) {
                if (unpack_join(into, link, &u->moved_link) < 0)
                        return -ENOMEM;
                u->moved.link = u->moved_link;
        }
        if (into->give_owner) {
                u->moved.uid = into->uid;
                u->moved.gid = into->gid;
        }
        *ret = &u->moved;
        return 0;
}

static int unpack_entry(Unpack *u, const TarEntry *e, Error *reterr) {
        int fd = -EBADF, r;

        r = u->x->into ? unpack_move(u, e, &e, reterr) : unpack_whiteout(u, e, reterr);
        if (r != 0)
                return r;
        if (!e)
                return 0;
        if (u->x->pass == TAR_PASS_WHITEOUTS)
                return 0;

        if (e->path[0] != '\0') {
                fd = unpack_open_parent(u, e, /* make= */ true, reterr);
                if (fd < 0)
                        return fd;
        }

        return unpack_place(u, e, fd, reterr);
}

static int unpack_all(Unpack *u, const ByteSource *source, Error *reterr) {
        const TarEntry *e;
        int r;

        r = tar_reader_new(source, u->limits, &u->reader);
        if (r >= 0)
                r = unpack_check_free(u, /* now= */ true, reterr);
        if (r < 0)
                return r;

        while ((r = tar_reader_next(u->reader, &e, reterr)) > 0) {
                u->result->n_entries++;
                r = unpack_check_free(u, /* now= */ false, reterr);
                if (r >= 0)
                        r = unpack_entry(u, e, reterr);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return tar_directories_apply(
                &u->directories, u->x->root_fd, u->how, u->owners, &u->result->n_dropped, reterr);
}

int tar_extract(
        const TarExtract *x, const ByteSource *source, TarExtractResult *ret, Error *reterr) {
        TarExtractResult result = {};
        _cleanup_(unpack_done) Unpack u = { .x = x, .result = &result, .dir_fd = -EBADF };
        mode_t old;
        int r;

        assert(x);
        assert(x->root_fd >= 0);
        assert(source);

        u.limits = x->limits ?: &tar_limits_default;
        u.how = !x->into ? BENEATH_NO_XDEV : x->into->strict ? BENEATH_STRICT : 0;
        u.directories.memory_max = u.limits->directories;
        u.owners = geteuid() == 0;

        old = umask(0); /* modes are the archive's */
        r = unpack_all(&u, source, reterr);
        if (r < 0 && x->into) /* what came of folders stays, and somebody wants to use it */
                (void) tar_directories_apply(
                        &u.directories, x->root_fd, u.how, u.owners, &result.n_dropped, NULL);
        (void) umask(old);
        if (r < 0)
                return r;

        if (ret)
                *ret = result;
        return 0;
}
