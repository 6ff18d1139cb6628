/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "config/sysconfig.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

#define XATTR_LIST_MAX  (64U * 1024U)
#define XATTR_VALUE_MAX (64U * 1024U)

static bool same_file(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* One attribute; ACLs and SELinux labels are such. A failure is one of the save: a file with less
 * than it had would say something else about who may read it. */
static int copy_xattr(int from, int to, const char *name) {
        _cleanup_(freep) char *value = NULL, *there = NULL;
        ssize_t n, m;

        value = new (char, XATTR_VALUE_MAX);
        there = new (char, XATTR_VALUE_MAX);
        if (!value || !there)
                return -ENOMEM;

        n = fgetxattr(from, name, value, XATTR_VALUE_MAX);
        if (n < 0)
                return errno == ENODATA ? 0 : -errno;

        /* A label that the policy gave the new file already needs no right to set it. */
        m = fgetxattr(to, name, there, XATTR_VALUE_MAX);
        if (m == n && memcmp(value, there, (size_t) n) == 0)
                return 0;

        return fsetxattr(to, name, value, (size_t) n, 0) < 0 ? -errno : 0;
}

static int copy_xattrs(int from, int to) {
        _cleanup_(freep) char *names = NULL;
        ssize_t n;
        int r;

        names = new (char, XATTR_LIST_MAX);
        if (!names)
                return -ENOMEM;

        n = flistxattr(from, names, XATTR_LIST_MAX);
        if (n < 0)
                return errno == EOPNOTSUPP ? 0 : -errno;

        for (const char *p = names; p < names + n; p += strlen(p) + 1) {
                r = copy_xattr(from, to, p);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Owner first, then the mode (a change of owner may clear bits), then the ACL, whose mask is the
 * group part of the mode. */
static int copy_rights(int from, int to, const struct stat *st) {
        struct stat now;

        if (fstat(to, &now) < 0)
                return -errno;
        if ((now.st_uid != st->st_uid || now.st_gid != st->st_gid) &&
                fchown(to, st->st_uid, st->st_gid) < 0)
                return -errno;
        if (fchmod(to, st->st_mode & 07777) < 0)
                return -errno;
        return copy_xattrs(from, to);
}

static int is_as_read(const Sysconfig *s, int dir_fd, const char *name) {
        char etag[65];
        struct stat st;
        int r;

        r = sysconfig_read_at(dir_fd, name, &st, etag, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return same_file(&st, &s->st) && streq(etag, s->etag);
}

static int is_inode(int dir_fd, const char *name, const struct stat *st) {
        struct stat now;

        if (fstatat(dir_fd, name, &now, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

/* Swaps the new file in and looks at what came out: an editor may have replaced or written the file
 * since the last look. Then it is put back, so that nobody's work is lost. */
static int swap_in(const Sysconfig *s, int dir_fd, const char *name, const char *temporary,
        const struct stat *ours) {
        int r;

        if (renameat2(dir_fd, temporary, dir_fd, name, RENAME_EXCHANGE) < 0) {
                if (errno == EINVAL || errno == ENOSYS)
                        /* A file system without the exchange: the look just before has to do. */
                        return renameat(dir_fd, temporary, dir_fd, name) < 0 ? -errno : 0;
                return errno == ENOENT ? -ESTALE : -errno;
        }

        r = is_as_read(s, dir_fd, temporary);
        if (r > 0)
                return unlinkat(dir_fd, temporary, 0) < 0 ? -errno : 0;

        if (renameat2(dir_fd, temporary, dir_fd, name, RENAME_EXCHANGE) < 0)
                return -errno;
        /* And if yet another one came in between, theirs is the newest. */
        if (is_inode(dir_fd, temporary, ours) == 0)
                (void) renameat2(dir_fd, temporary, dir_fd, name, RENAME_EXCHANGE);
        return r < 0 ? r : -ESTALE;
}

static int replace(Sysconfig *s, int dir_fd, const char *name, FileTemporary *t) {
        _cleanup_(fd_closep) int old = -EBADF;
        struct stat ours, now;
        int r;

        if (s->exists) {
                r = is_as_read(s, dir_fd, name);
                if (r <= 0)
                        return r < 0 ? r : -ESTALE;
                old = openat(
                        dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
                if (old < 0 || fstat(old, &now) < 0)
                        return -errno;
                r = copy_rights(old, t->fd, &now); /* a chmod since the reading counts too */
                if (r < 0)
                        return r;
        } else if (fchmod(t->fd, 0644) < 0)
                return -errno;

        r = fd_write_string(t->fd, s->text);
        if (r < 0)
                return r;
        if (fsync(t->fd) < 0 || fstat(t->fd, &ours) < 0)
                return -errno;

        if (s->exists)
                r = swap_in(s, dir_fd, name, t->name, &ours);
        else if (renameat2(dir_fd, t->name, dir_fd, name, RENAME_NOREPLACE) < 0)
                r = errno == EEXIST ? -ESTALE : -errno;
        if (r < 0)
                return r;

        return file_sync_dir(dir_fd);
}

int sysconfig_save(Sysconfig *s, Error *reterr) {
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        _cleanup_(file_temporary_discard) FileTemporary t =
                FILE_TEMPORARY_NONE; /* borrows dir_fd, so goes first */
        _cleanup_(freep) char *dir = NULL;
        const char *name;
        int r;

        assert(s);

        if (!s->changed)
                return 0;

        r = path_parent(s->path, &dir);
        if (r < 0)
                return r;
        name = path_last(s->path);

        dir_fd = file_open_dir(AT_FDCWD, dir);
        if (dir_fd < 0)
                return error_set_errno(reterr, dir_fd, "Cannot open the folder %s", dir);
        /* No lock: whoever can read the folder could hold it for ever. Whoever writes meanwhile is noticed. */
        r = file_temporary_open(dir_fd, name, 0600, &t);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot write in %s", dir);

        r = replace(s, dir_fd, name, &t);
        if (r == -ESTALE)
                return error_set(reterr, ERROR_CHANGED,
                        "%s was changed by someone else meanwhile; nothing was saved, read it "
                        "again",
                        s->path);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot save %s", s->path);

        s->exists = true;
        s->changed = false;
        r = sysconfig_read_at(dir_fd, name, &s->st, s->etag, NULL);
        return r < 0 ? error_set_errno(reterr, r, "Cannot read %s after saving it", s->path) : 1;
}
