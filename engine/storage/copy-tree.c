/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/storage/copy-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/hashmap.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define COPY_DEPTH_MAX 300U /* layers of images have at most 256 levels */

/* One copy of a tree: the first name of each file with several. */
typedef struct Copy {
        Hashmap *links; /* inode → path in the new tree */
        int to_root_fd;
        bool owners;
} Copy;

static int copy_xattrs(int from, int to) {
        _cleanup_(freep) char *names = NULL, *value = NULL;
        ssize_t size;

        size = flistxattr(from, NULL, 0);
        if (size <= 0)
                return size == 0 || errno == EOPNOTSUPP ? 0 : -errno;
        names = new (char, (size_t) size);
        value = new (char, XATTR_SIZE_MAX);
        if (!names || !value)
                return -ENOMEM;
        size = flistxattr(from, names, (size_t) size);
        if (size < 0)
                return -errno;

        for (const char *n = names; n < names + size; n += strlen(n) + 1) {
                ssize_t k;

                if (streq(n, "security.selinux")) /* the new place has a label of its own */
                        continue;
                k = fgetxattr(from, n, value, XATTR_SIZE_MAX);
                if (k < 0)
                        return -errno;
                if (fsetxattr(to, n, value, (size_t) k, 0) < 0 && errno != EOPNOTSUPP &&
                        errno != EPERM)
                        return -errno;
        }

        return 0;
}

static int copy_attributes(const Copy *c, int from, int to, const struct stat *st) {
        const struct timespec times[2] = { st->st_atim, st->st_mtim };
        int r;

        if (c->owners && fchown(to, st->st_uid, st->st_gid) < 0)
                return -errno;
        r = copy_xattrs(from, to);
        if (r < 0)
                return r;
        if (fchmod(to, st->st_mode & 07777) < 0 || futimens(to, times) < 0)
                return -errno;
        return 0;
}

static int copy_file(Copy *c, int from_dir, int to_dir, const char *name, const struct stat *st) {
        _cleanup_(fd_closep) int from = -EBADF, to = -EBADF;
        int64_t n;

        from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (from < 0)
                return -errno;
        to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return -errno;

        n = file_copy_fd(from, to, UINT64_MAX);
        if (n < 0)
                return (int) n;

        return copy_attributes(c, from, to, st);
}

static int copy_symlink(
        const Copy *c, int from_dir, int to_dir, const char *name, const struct stat *st) {
        const struct timespec times[2] = { st->st_atim, st->st_mtim };
        char target[4096];
        ssize_t n;

        n = readlinkat(from_dir, name, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';

        if (symlinkat(target, to_dir, name) < 0)
                return -errno;
        if (c->owners && fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_node(const Copy *c, int to_dir, const char *name, const struct stat *st) {
        const struct timespec times[2] = { st->st_atim, st->st_mtim };

        if (mknodat(to_dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0)
                return -errno;
        if (c->owners && fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
                return -errno;
        return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* 1: it was linked to the copy of its first name. */
static int copy_hardlink(
        Copy *c, int to_dir, const char *name, const char *path, const struct stat *st) {
        const void *key = (const void *) (uintptr_t) st->st_ino;
        _cleanup_(freep) char *copy = NULL;
        const char *first;
        int r;

        if (st->st_nlink < 2)
                return 0;

        first = hashmap_get(c->links, key);
        if (first)
                return linkat(c->to_root_fd, first, to_dir, name, 0) < 0 ? -errno : 1;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        r = hashmap_ensure_put(&c->links, HASHMAP_POINTER, key, copy);
        if (r < 0)
                return r;
        TAKE_PTR(copy);
        return 0;
}

static int copy_folder(Copy *c, int from, int to, const char *path, unsigned depth);

static int copy_entry(
        Copy *c, int from_dir, int to_dir, const char *name, const char *path, unsigned depth) {
        _cleanup_(fd_closep) int from = -EBADF, to = -EBADF;
        struct stat st;
        int r;

        if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;

        if (!S_ISDIR(st.st_mode)) {
                r = copy_hardlink(c, to_dir, name, path, &st);
                if (r != 0)
                        return r;
                if (S_ISREG(st.st_mode))
                        return copy_file(c, from_dir, to_dir, name, &st);
                if (S_ISLNK(st.st_mode))
                        return copy_symlink(c, from_dir, to_dir, name, &st);
                return copy_node(c, to_dir, name, &st);
        }

        from = file_open_dir(from_dir, name);
        if (from < 0)
                return from;
        if (mkdirat(to_dir, name, 0700) < 0)
                return -errno;
        to = file_open_dir(to_dir, name);
        if (to < 0)
                return to;
        return copy_folder(c, from, to, path, depth + 1);
}

/* What is in from, and from's own attributes last. path: of the folder, below the new root. */
static int copy_folder(Copy *c, int from, int to, const char *path, unsigned depth) {
        _cleanup_(strv_freep) char **names = NULL;
        struct stat st;
        int r;

        if (depth > COPY_DEPTH_MAX)
                return -ELOOP;

        r = file_list(from, ".", /* hidden= */ true, &names);
        if (r < 0)
                return r;

        STRV_FOREACH (n, names) {
                _cleanup_(freep) char *child = NULL;

                r = str_printf(&child, "%s%s%s", path, path[0] ? "/" : "", *n);
                if (r >= 0)
                        r = copy_entry(c, from, to, *n, child, depth);
                if (r < 0)
                        return r;
        }

        if (fstat(from, &st) < 0)
                return -errno;
        return copy_attributes(c, from, to, &st);
}

int copy_tree(int from, int to) {
        Copy c = { .to_root_fd = to, .owners = geteuid() == 0 };
        int r;

        r = copy_folder(&c, from, to, "", 0);
        hashmap_free_with(c.links, free);
        return r;
}
