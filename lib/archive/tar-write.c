/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/tar-write.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/archive/tar-attributes.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/hashmap.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define BLOCK_SIZE ((size_t) 256 * 1024)
#define LINKS_MAX \
        ((size_t) 1000000) /* files with several names that are remembered; further ones are written again */
#define XATTRS_MAX    ((size_t) 64 * 1024)
#define HOLES_MAX     10000U /* of one file; behind them everything is data */
#define LINK_TEXT_MAX 4096U
#define INODE_TEXT    48

struct TarWriter {
        TarWriterChange change;
        ByteSink sink;
        int sink_error;
        int proc_fd;
        struct archive *archive;
        struct archive_entry *entry;
        Hashmap *links; /* "device:inode" → path in the archive */
        char *block;
        uint64_t n_bytes;
};

static la_ssize_t tar_writer_write(
        struct archive *a, void *userdata, const void *data, size_t size) {
        TarWriter *t = userdata;
        int r;

        r = t->sink.write(t->sink.userdata, data, size);
        if (r < 0) {
                t->sink_error = r;
                archive_set_error(a, -r, "sink");
                return -1;
        }
        return (la_ssize_t) size;
}

static int tar_writer_error(TarWriter *t, const char *path, Error *reterr) {
        int number = archive_errno(t->archive);

        if (t->sink_error < 0)
                return t->sink_error;
        return error_set_errno(reterr, number > 0 ? -number : -EIO, "cannot archive \"%s\"", path);
}

int tar_writer_open_proc(void) {
        int fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int tar_writer_new(const TarWriterOptions *options, TarWriter **ret) {
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;

        assert(options);
        assert(options->sink.write);
        assert(ret);

        t = new0(TarWriter, 1);
        if (!t)
                return -ENOMEM;
        if (options->change)
                t->change = *options->change;
        t->sink = options->sink;
        t->proc_fd = options->proc_fd;
        t->block = malloc(BLOCK_SIZE);
        t->archive = archive_write_new();
        t->entry = archive_entry_new();
        if (!t->block || !t->archive || !t->entry)
                return -ENOMEM;

        /* One spelling of attributes: every reader knows SCHILY's, and two would double them. */
        if (archive_write_set_format_pax_restricted(t->archive) != ARCHIVE_OK ||
                archive_write_set_format_option(t->archive, NULL, "xattrheader", "SCHILY") !=
                        ARCHIVE_OK ||
                (options->gzip && archive_write_add_filter_gzip(t->archive) != ARCHIVE_OK) ||
                archive_write_set_bytes_per_block(t->archive, 64 * 1024) != ARCHIVE_OK ||
                archive_write_set_bytes_in_last_block(t->archive, 1) != ARCHIVE_OK ||
                archive_write_open(t->archive, t, NULL, tar_writer_write, NULL) != ARCHIVE_OK)
                return -EOPNOTSUPP;

        *ret = TAKE_PTR(t);
        return 0;
}

TarWriter *tar_writer_free(TarWriter *t) {
        if (!t)
                return NULL;

        archive_entry_free(t->entry);
        if (t->archive) {
                (void) archive_write_fail(t->archive); /* nothing more goes to the sink */
                (void) archive_write_free(t->archive);
        }
        hashmap_free_with(t->links, free);
        free(t->block);
        return mfree(t);
}

uint64_t tar_writer_bytes(const TarWriter *t) {
        return t->n_bytes;
}

/* The same file, now for reading: by the kernel's own link to what we hold, so nothing can take its place. */
static int tar_writer_reopen(const TarWriter *t, int path_fd) {
        char name[16];
        int fd;

        if (t->proc_fd < 0)
                return fd_reopen(path_fd, O_RDONLY | O_NONBLOCK | O_NOCTTY);

        (void) snprintf(name, sizeof(name), "%i", path_fd);
        fd = openat(t->proc_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int tar_writer_add_xattr(TarWriter *t, int fd, const char *name) {
        _cleanup_(freep) char *value = NULL;
        ssize_t size;

        if (!tar_xattr_is_allowed(name))
                return 0;

        size = fgetxattr(fd, name, NULL, 0);
        if (size < 0 || (size_t) size > XATTRS_MAX)
                return 0; /* gone again, or not ours to see */
        value = malloc((size_t) size + 1);
        if (!value)
                return -ENOMEM;
        size = fgetxattr(fd, name, value, (size_t) size);
        if (size >= 0)
                archive_entry_xattr_add_entry(t->entry, name, value, (size_t) size);
        return 0;
}

static int tar_writer_add_xattrs(TarWriter *t, int fd) {
        _cleanup_(freep) char *names = NULL;
        ssize_t size;

        size = flistxattr(fd, NULL, 0);
        if (size <= 0 || (size_t) size > XATTRS_MAX) /* a file system without them is no error */
                return 0;
        names = malloc((size_t) size + 1);
        if (!names)
                return -ENOMEM;
        size = flistxattr(fd, names, (size_t) size);
        if (size <= 0)
                return 0;
        names[size] = '\0';

        for (const char *p = names; p < names + size; p += strlen(p) + 1) {
                int r = tar_writer_add_xattr(t, fd, p);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Says where data is when there are holes. */
static void tar_writer_add_holes(TarWriter *t, int fd, const struct stat *st) {
        off_t data, hole = 0;

        if ((uint64_t) st->st_blocks * 512 >= (uint64_t) st->st_size)
                return;

        for (unsigned n = 0; hole < st->st_size; n++) {
                data = lseek(fd, hole, SEEK_DATA);
                if (data < 0 || data >= st->st_size)
                        break;
                hole = n < HOLES_MAX ? lseek(fd, data, SEEK_HOLE) : st->st_size;
                if (hole <= data || hole > st->st_size)
                        hole = st->st_size;
                archive_entry_sparse_add_entry(t->entry, data, hole - data);
        }
        if (archive_entry_sparse_count(t->entry) == 0 && st->st_size > 0)
                archive_entry_sparse_add_entry(t->entry, st->st_size, 0);
}

/* Exactly size bytes; what the file has no more of is zeros. The archive leaves out what it has noted as holes. */
static int tar_writer_add_data(
        TarWriter *t, int fd, uint64_t size, const char *path, Error *reterr) {
        bool ended = false;
        uint64_t offset = 0;

        while (offset < size) {
                size_t want = (size_t) MIN(size - offset, (uint64_t) BLOCK_SIZE);
                ssize_t n = 0;

                while (!ended && (n = pread(fd, t->block, want, (off_t) offset)) < 0)
                        if (errno != EINTR)
                                return error_set_errno(reterr, -errno, "cannot read \"%s\"", path);
                if (n == 0) {
                        if (!ended)
                                memset(t->block, 0, BLOCK_SIZE);
                        ended = true;
                        n = (ssize_t) want;
                }

                if (archive_write_data(t->archive, t->block, (size_t) n) < 0)
                        return tar_writer_error(t, path, reterr);
                offset += (uint64_t) n;
        }
        return 0;
}

/* 1: the file is in the archive under another name, and this entry is a link to that. */
static int tar_writer_find_link(TarWriter *t, const struct stat *st, const char *path) {
        char key[INODE_TEXT];
        const char *first;
        char *copy;
        int r;

        if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
                return 0;

        (void) snprintf(key, sizeof(key), "%llx:%llx", (unsigned long long) st->st_dev,
                (unsigned long long) st->st_ino);
        first = hashmap_get(t->links, key);
        if (first) {
                archive_entry_set_hardlink(t->entry, first);
                archive_entry_set_size(t->entry, 0);
                return 1;
        }
        if (t->links && hashmap_size(t->links) >= LINKS_MAX)
                return 0;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        r = hashmap_ensure_put(&t->links, HASHMAP_STRING_COPY, key, copy);
        if (r < 0)
                free(copy);
        return r < 0 ? r : 0;
}

static int tar_writer_set_symlink(TarWriter *t, int fd) {
        char target[LINK_TEXT_MAX + 1];
        ssize_t n;

        n = readlinkat(fd, "", target, sizeof(target));
        if (n < 0)
                return -errno;
        if ((size_t) n >= sizeof(target))
                return -ENAMETOOLONG;
        target[n] = '\0';
        archive_entry_set_symlink(t->entry, target);
        return 0;
}

static void tar_writer_fill(TarWriter *t, const struct stat *st, const char *path) {
        struct archive_entry *e = archive_entry_clear(t->entry);

        archive_entry_set_pathname(e, path);
        archive_entry_set_filetype(e, st->st_mode & S_IFMT);
        archive_entry_set_perm(e, st->st_mode & 07777);
        archive_entry_set_uid(e, st->st_uid);
        archive_entry_set_gid(e, st->st_gid);
        archive_entry_set_mtime(e, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
        archive_entry_set_size(e, S_ISREG(st->st_mode) ? st->st_size : 0);
        if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
                archive_entry_set_rdev(e, st->st_rdev);

        if (t->change.has_owner) {
                archive_entry_set_uid(e, t->change.uid);
                archive_entry_set_gid(e, t->change.gid);
        }
        if (t->change.has_mode && !S_ISLNK(st->st_mode))
                archive_entry_set_perm(e, t->change.mode & 07777);
        if (t->change.has_time)
                archive_entry_set_mtime(e, t->change.time_sec, 0);
}

static int tar_writer_header(TarWriter *t, const char *path, Error *reterr) {
        /* A name that is no UTF-8 is a warning: it is written as it is. */
        if (archive_write_header(t->archive, t->entry) < ARCHIVE_WARN)
                return tar_writer_error(t, path, reterr);
        return 0;
}

/* One entry for what path_fd (O_PATH) holds. ret_fd: a folder, open for reading. without_content: a mount point. */
static int tar_writer_entry(TarWriter *t, int path_fd, const struct stat *st, const char *path,
        bool without_content, int *ret_fd, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat now = *st;
        int r = 0;

        if (S_ISREG(st->st_mode) && !without_content)
                fd = tar_writer_reopen(t, path_fd);
        else if (S_ISDIR(st->st_mode)) {
                fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0)
                        fd = -errno;
        }
        if (fd < 0 && fd != -EBADF)
                return fd == -ENOENT || fd == -ESTALE
                             ? fd
                             : error_set_errno(reterr, fd, "cannot open \"%s\"", path);
        if (S_ISREG(st->st_mode) && without_content)
                now.st_size = 0;

        tar_writer_fill(t, &now, path);
        if (S_ISLNK(st->st_mode))
                r = tar_writer_set_symlink(t, path_fd);
        else if (fd >= 0)
                r = tar_writer_add_xattrs(t, fd);
        if (r >= 0 && !without_content)
                r = tar_writer_find_link(t, st, path);
        if (r < 0)
                return r == -ENOENT ? r : error_set_errno(reterr, r, "cannot archive \"%s\"", path);

        if (S_ISREG(st->st_mode) && fd >= 0 && r == 0) {
                tar_writer_add_holes(t, fd, st);
                t->n_bytes += (uint64_t) st->st_size;
                r = tar_writer_header(t, path, reterr);
                if (r >= 0)
                        r = tar_writer_add_data(t, fd, (uint64_t) st->st_size, path, reterr);
        } else
                r = tar_writer_header(t, path, reterr);
        if (r < 0)
                return r;

        if (ret_fd && S_ISDIR(st->st_mode))
                *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Is what fd holds the root of a mount? */
static int tar_writer_is_mount(int fd) {
        struct statx sx;

        if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &sx) < 0)
                return -errno;
        return (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int tar_writer_walk(TarWriter *t, int dir_fd, const char *name, const char *path,
        TarTreeFlags flags, unsigned depth, Error *reterr);

static int tar_writer_walk_content(TarWriter *t, int dir_fd, const char *path, TarTreeFlags flags,
        unsigned depth, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        if (depth >= TAR_WRITE_DEPTH_MAX)
                return error_set_errno(reterr, -ELOOP, "\"%s\" is too deep", str_or_empty(path));

        r = file_list(dir_fd, ".", /* hidden= */ true, &names);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read \"%s\"", str_or_empty(path));

        STRV_FOREACH (n, names) {
                _cleanup_(freep) char *below = NULL;

                r = path ? str_printf(&below, "%s%s%s", path,
                                   path[0] && path[strlen(path) - 1] == '/' ? "" : "/", *n)
                         : str_copy(&below, *n);
                if (r < 0)
                        return r;
                r = tar_writer_walk(t, dir_fd, *n, below, flags, depth + 1, reterr);
                if (r < 0 && r != -ENOENT && r != -ESTALE) /* it went away while we looked */
                        return r;
        }
        return 0;
}

static int tar_writer_walk(TarWriter *t, int dir_fd, const char *name, const char *path,
        TarTreeFlags flags, unsigned depth, Error *reterr) {
        _cleanup_(fd_closep) int path_fd = -EBADF, content_fd = -EBADF;
        bool out, enter = false;
        struct stat st;
        int mount = 0, r;

        out = t->change.leaves_out && t->change.leaves_out(path, &enter, t->change.userdata);
        if (out && !enter)
                return 0;
        path_fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (path_fd < 0 || fstat(path_fd, &st) < 0)
                return errno == ENOENT || errno == ESTALE
                             ? -errno
                             : error_set_errno(reterr, -errno, "cannot look at \"%s\"", path);
        if (S_ISSOCK(st.st_mode))
                return 0;
        if (flags & TAR_TREE_NO_MOUNTS) {
                mount = tar_writer_is_mount(path_fd);
                if (mount < 0)
                        return mount;
        }

        if (out) {
                content_fd = S_ISDIR(st.st_mode)
                                   ? openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                   : -EBADF;
                r = S_ISDIR(st.st_mode) && content_fd < 0 ? -errno : 0;
        } else
                r = tar_writer_entry(t, path_fd, &st, path, mount, &content_fd, reterr);
        if (r < 0 || content_fd < 0 || mount)
                return r;
        path_fd = fd_close(path_fd); /* one fd a level is enough */
        return tar_writer_walk_content(t, content_fd, path, flags, depth, reterr);
}

int tar_writer_add_tree(TarWriter *t, int dir_fd, const char *name, const char *path,
        TarTreeFlags flags, Error *reterr) {
        assert(t);
        assert(name);
        assert(path);

        return tar_writer_walk(t, dir_fd, name, path, flags, 0, reterr);
}

int tar_writer_add_content(
        TarWriter *t, int dir_fd, const char *path, TarTreeFlags flags, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;
        int r;

        assert(t);

        if (flags & TAR_TREE_CONTENT) {
                if (fstat(dir_fd, &st) < 0)
                        return -errno;
                r = tar_writer_entry(
                        t, dir_fd, &st, path ?: "./", /* without_content= */ false, NULL, reterr);
                if (r < 0)
                        return r;
        }

        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return tar_writer_walk_content(t, fd, path, flags, 0, reterr);
}

int tar_writer_add(TarWriter *t, int dir_fd, const char *name, const char *path, Error *reterr) {
        _cleanup_(fd_closep) int path_fd = -EBADF;
        struct stat st;

        assert(t);

        path_fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (path_fd < 0 || fstat(path_fd, &st) < 0)
                return -errno;
        if (S_ISSOCK(st.st_mode))
                return 0;
        return tar_writer_entry(t, path_fd, &st, path, /* without_content= */ false, NULL, reterr);
}

int tar_writer_add_whiteout(TarWriter *t, const char *path, Error *reterr) {
        static const struct stat empty = { .st_mode = S_IFREG };
        _cleanup_(freep) char *name = NULL;
        const char *last;
        int r;

        assert(t);

        last = strrchr(path, '/');
        last = last ? last + 1 : path;
        r = str_printf(&name, "%.*s.wh.%s", (int) (last - path), path, last);
        if (r < 0)
                return r;

        tar_writer_fill(t, &empty, name);
        return tar_writer_header(t, name, reterr);
}

int tar_writer_add_bytes(
        TarWriter *t, const char *path, mode_t mode, const void *data, size_t size, Error *reterr) {
        const struct stat st = { .st_mode = S_IFREG | mode, .st_size = (off_t) size };
        int r;

        assert(t);

        tar_writer_fill(t, &st, path);
        r = tar_writer_header(t, path, reterr);
        if (r < 0)
                return r;
        if (size > 0 && archive_write_data(t->archive, data, size) < 0)
                return tar_writer_error(t, path, reterr);
        return 0;
}

int tar_writer_finish(TarWriter *t, Error *reterr) {
        assert(t);

        if (archive_write_close(t->archive) != ARCHIVE_OK)
                return tar_writer_error(t, "the end", reterr);
        return 0;
}
