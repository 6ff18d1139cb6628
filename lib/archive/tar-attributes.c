/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/tar-attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"

typedef struct TarXattr {
        char *name;
        void *value;
        size_t size;
} TarXattr;

struct TarDirectory {
        char *path;
        dev_t device; /* the folder that was made; if another one is there at the end, that one is left alone */
        ino_t inode;
        mode_t mode;
        uid_t uid;
        gid_t gid;
        struct timespec times[2];
        TarXattr *xattrs;
        size_t n_xattrs;
};

bool tar_xattr_is_allowed(const char *name) {
        if (str_starts(name, "user.overlay."))
                return false;

        return str_starts(name, "user.") ||
               STR_IN_SET(name, "security.capability", "system.posix_acl_access",
                       "system.posix_acl_default");
}

/* What a file system does not know is dropped, as Docker does; a full disk is an error. */
static int tar_xattr_set(int fd, const char *name, const void *value, size_t size, bool owners,
        uint64_t *n_dropped) {

        if (!tar_xattr_is_allowed(name) || (!owners && str_starts(name, "security."))) {
                (*n_dropped)++;
                return 0;
        }

        if (fsetxattr(fd, name, value, size, 0) >= 0)
                return 0;

        switch (errno) {
        case EOPNOTSUPP:
        case EPERM:  /* user.* on a sticky folder of somebody else */
        case EINVAL: /* an ACL or capability that the kernel does not understand */
                (*n_dropped)++;
                return 0;
        default:
                return -errno;
        }
}

int tar_attributes_apply(TarReader *t, const TarEntry *e, int fd, const TarWishes *wishes,
        uint64_t *n_dropped, Error *reterr) {
        const struct timespec times[2] = { e->atime, e->mtime };
        const char *name;
        const void *value;
        size_t size;
        int r;

        /* The owner first: a change of it takes setuid and security.capability away. */
        if (wishes->owners && !wishes->is_ours && fchown(fd, e->uid, e->gid) < 0)
                return error_set_errno(reterr, -errno, "entry \"%s\": cannot set owner", e->path);

        while (tar_reader_xattr(t, &name, &value, &size) > 0) {
                r = tar_xattr_set(fd, name, value, size, wishes->owners, n_dropped);
                if (r < 0)
                        return error_set_errno(
                                reterr, r, "entry \"%s\": cannot set attribute %s", e->path, name);
        }

        if (!wishes->has_mode && fchmod(fd, e->mode) < 0)
                return error_set_errno(reterr, -errno, "entry \"%s\": cannot set mode", e->path);
        if (futimens(fd, times) < 0)
                return error_set_errno(reterr, -errno, "entry \"%s\": cannot set times", e->path);

        return 0;
}

int tar_attributes_apply_at(const TarEntry *e, int dir_fd, const char *name, bool owners,
        bool set_mode, Error *reterr) {
        const struct timespec times[2] = { e->atime, e->mtime };

        if (owners && fchownat(dir_fd, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "entry \"%s\": cannot set owner", e->path);

        /* Only for nodes that we have just made here ourselves, so name is no link. */
        if (set_mode && fchmodat(dir_fd, name, e->mode, 0) < 0)
                return error_set_errno(reterr, -errno, "entry \"%s\": cannot set mode", e->path);

        if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "entry \"%s\": cannot set times", e->path);

        return 0;
}

static void tar_directory_done(TarDirectory *d) {
        for (size_t i = 0; i < d->n_xattrs; i++) {
                free(d->xattrs[i].name);
                free(d->xattrs[i].value);
        }
        free(d->xattrs);
        free(d->path);
}

void tar_directories_done(TarDirectories *d) {
        for (size_t i = 0; i < d->n; i++)
                tar_directory_done(d->items + i);
        d->items = mfree(d->items);
        d->by_inode = hashmap_free(d->by_inode);
        d->n = d->allocated = d->memory = 0;
}

static int tar_directory_take_xattrs(
        TarDirectory *d, TarReader *t, size_t *memory, uint64_t *n_dropped) {
        size_t allocated = 0, size;
        const char *name;
        const void *value;
        int r;

        while (tar_reader_xattr(t, &name, &value, &size) > 0) {
                TarXattr *x;

                if (!tar_xattr_is_allowed(name)) {
                        (*n_dropped)++;
                        continue;
                }

                r = array_grow(&d->xattrs, &allocated, d->n_xattrs + 1);
                if (r < 0)
                        return r;

                x = d->xattrs + d->n_xattrs++;
                r = str_copy(&x->name, name);
                if (r < 0)
                        return r;
                x->value = alloc_copy(value, size);
                if (!x->value)
                        return -ENOMEM;
                x->size = size;
                *memory += sizeof(*x) + strlen(name) + 1 + size;
        }

        return 0;
}

/* A second entry for a folder replaces what the first one wished: one record per inode, at the place of the first. */
static int tar_directories_slot(TarDirectories *d, ino_t inode, TarDirectory **ret) {
        const void *key = (const void *) (uintptr_t) inode;
        unsigned index;
        int r;

        index = PTR_TO_UINT(hashmap_get(d->by_inode, key));
        if (index > 0) {
                tar_directory_done(d->items + index - 1);
                *ret = d->items + index - 1;
                **ret = (TarDirectory) {};
                return 0;
        }

        r = array_grow(&d->items, &d->allocated, d->n + 1);
        if (r < 0)
                return r;

        r = hashmap_ensure_put(
                &d->by_inode, HASHMAP_POINTER, key, UINT_TO_PTR((unsigned) d->n + 1));
        if (r < 0)
                return r;

        *ret = d->items + d->n++;
        return 0;
}

int tar_directories_add(TarDirectories *d, TarReader *t, const TarEntry *e, const struct stat *st,
        uint64_t *n_dropped, Error *reterr) {
        TarDirectory *x;
        int r;

        r = tar_directories_slot(d, st->st_ino, &x);
        if (r < 0)
                return r;

        *x = (TarDirectory) {
                .device = st->st_dev,
                .inode = st->st_ino,
                .mode = e->mode,
                .uid = e->uid,
                .gid = e->gid,
                .times = { e->atime, e->mtime },
        };

        r = str_copy(&x->path, e->path);
        if (r < 0)
                return r;

        d->memory += 2 * sizeof(*x) + strlen(e->path) + 1; /* with its share of the map */
        r = tar_directory_take_xattrs(x, t, &d->memory, n_dropped);
        if (r < 0)
                return r;

        if (d->memory > d->memory_max)
                return error_set(reterr, ERROR_TOO_LARGE, "archive has too many directories");

        return 0;
}

static int tar_directory_apply(
        const TarDirectory *d, int root_fd, BeneathFlags how, bool owners, uint64_t *n_dropped) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;
        int r;

        fd = beneath_open(
                root_fd, d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, how);
        if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) /* a later entry took its place */
                return 0;
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_dev != d->device || st.st_ino != d->inode)
                return 0;

        if (owners && fchown(fd, d->uid, d->gid) < 0)
                return -errno;

        for (size_t i = 0; i < d->n_xattrs; i++) {
                const TarXattr *x = d->xattrs + i;

                r = tar_xattr_set(fd, x->name, x->value, x->size, owners, n_dropped);
                if (r < 0)
                        return r;
        }

        if (fchmod(fd, d->mode) < 0 || futimens(fd, d->times) < 0)
                return -errno;
        return 0;
}

int tar_directories_apply(TarDirectories *d, int root_fd, BeneathFlags how, bool owners,
        uint64_t *n_dropped, Error *reterr) {
        /* Backwards: mostly what is below comes first, else a folder without x for us would hide it. */
        for (size_t i = d->n; i > 0; i--) {
                const TarDirectory *x = d->items + i - 1;
                int r;

                r = tar_directory_apply(x, root_fd, how, owners, n_dropped);
                if (r < 0)
                        return error_set_errno(reterr, r,
                                "entry \"%s\": cannot set attributes of the directory", x->path);
        }

        return 0;
}
