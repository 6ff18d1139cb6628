/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a container: what is there, out as a tar, in from a tar. Everything goes by paths beneath c->tree_fd, whatever the container does meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/archive/compress.h"
#include "lib/archive/tar-extract.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/users.h"
#include "service/worker/file-stat.h"
#include "service/worker/out.h"
#include "service/worker/task.h"

/* What a path means: as in Docker, a link at its end is meant itself unless "/" or "/." follows. */
typedef struct Found {
        int dir_fd; /* the folder that has it; of the root itself the root */
        char *name; /* in there; "." when a folder is meant by its inside */
        char *base; /* last part of the path as written: what the archive calls it */
        int fd;     /* O_PATH */
        struct stat st;
} Found;

static void found_done(Found *f) {
        fd_close(f->dir_fd);
        fd_close(f->fd);
        free(f->name);
        free(f->base);
}

static int copy_error(const TaskContext *c, int r, Error *reterr) {
        switch (-r) {
        case ENOENT:
                return error_set(reterr, ERROR_NOT_FOUND,
                        "Could not find the file %s in container %s", c->spec.path,
                        str_or_empty(c->spec.name));
        case ENOTDIR:
        case ELOOP:
        case ENAMETOOLONG:
                return error_set(reterr, ERROR_INVALID, "lstat %s: %s", c->spec.path, strerror(-r));
        default:
                return error_set_errno(reterr, r, "Cannot look at %s", c->spec.path);
        }
}

/* ".." goes away with what is before it, as in Docker: nothing is looked at for that. */
static int copy_clean(TaskContext *c) {
        const char *path = c->spec.path, *end;
        _cleanup_(freep) char *clean = NULL, *whole = NULL;
        size_t n = strlen(path);
        int r;

        if (!strstr(path, ".."))
                return 0;
        end = str_ends(path, "/.") ? "/." : n > 0 && path[n - 1] == '/' ? "/" : "";
        whole = str_concat("/", path);
        r = whole ? path_normalise(whole, &clean) : -ENOMEM;
        if (r < 0)
                return r;
        whole = mfree(whole);
        whole = str_concat(
                streq(clean, "/") ? "" : clean, streq(clean, "/") && !end[0] ? "/" : end);
        if (!whole)
                return -ENOMEM;
        free(c->spec.path);
        c->spec.path = TAKE_PTR(whole);
        return 0;
}

/* Go's filepath.Base(), but that "/." at the end is ".". */
static int copy_base(const char *path, char **ret) {
        size_t n = strlen(path), from;

        while (n > 1 && path[n - 1] == '/')
                n--;
        if (n == 0 || (n == 1 && path[0] == '/'))
                return str_copy(ret, "/");
        for (from = n; from > 0 && path[from - 1] != '/'; from--)
                ;
        return str_copy_n(ret, path + from, n - from);
}

static int copy_find(const TaskContext *c, Found *ret, Error *reterr) {
        _cleanup_(found_done) Found f = { .dir_fd = -EBADF, .fd = -EBADF };
        const char *path = c->spec.path;
        bool inside;
        size_t n;
        int r;

        r = copy_base(path, &f.base);
        if (r < 0)
                return r;

        n = strlen(path);
        inside = n == 0 || path[n - 1] == '/' || streq(f.base, ".") || streq(f.base, "..");
        if (inside) {
                f.dir_fd = beneath_open(c->tree_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0);
                r = f.dir_fd < 0 ? f.dir_fd : str_copy(&f.name, ".");
        } else
                r = beneath_open_parent(c->tree_fd, path, 0, &f.dir_fd, &f.name);
        if (r >= 0) {
                f.fd = openat(f.dir_fd, f.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (f.fd < 0 || fstat(f.fd, &f.st) < 0)
                        r = -errno;
        }
        if (r < 0)
                return copy_error(c, r, reterr);

        *ret = TAKE_STRUCT(f);
        f.fd = f.dir_fd = -EBADF;
        return 0;
}

static int copy_describe(const TaskContext *c, const Found *f, char **ret) {
        _cleanup_(freep) char *link = NULL;

        if (S_ISLNK(f->st.st_mode)) {
                int r = file_stat_resolve(c->tree_fd, c->spec.path, &link);

                if (r < 0 && r != -ELOOP && r != -ENAMETOOLONG)
                        return r;
        }
        return file_stat_format(f->base, &f->st, str_or_empty(link), ret);
}

int task_copy_stat_run(TaskContext *c, Error *reterr) {
        _cleanup_(found_done) Found f = { .dir_fd = -EBADF, .fd = -EBADF };
        int r;

        r = copy_clean(c);
        if (r >= 0)
                r = copy_find(c, &f, reterr);
        return r < 0 ? r : copy_describe(c, &f, &c->result.text);
}

static int copy_write(TaskContext *c, const Found *f, TarWriter *t, Error *reterr) {
        int r;

        if (S_ISDIR(f->st.st_mode)) { /* by its fd: whatever has its name by now */
                _cleanup_(freep) char *top = NULL;

                r = str_printf(&top, "%s%s", f->base, streq(f->base, "/") ? "" : "/");
                if (r >= 0)
                        r = tar_writer_add_content(t, f->fd, top, TAR_TREE_CONTENT, reterr);
        } else
                r = tar_writer_add_tree(t, f->dir_fd, f->name, f->base, 0, reterr);
        if (r == -ENOENT && !error_is_set(reterr))
                return copy_error(c, r, reterr);
        return r < 0 ? r : tar_writer_finish(t, reterr);
}

int task_copy_out_run(TaskContext *c, Error *reterr) {
        _cleanup_(found_done) Found f = { .dir_fd = -EBADF, .fd = -EBADF };
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        _cleanup_(freep) char *text = NULL;
        Out out = { c, c->fds[0] };
        int r;

        r = copy_clean(c);
        if (r >= 0)
                r = copy_find(c, &f, reterr);
        if (r >= 0)
                r = copy_describe(c, &f, &text);
        if (r >= 0)
                r = task_progress(c, /* urgent= */ true, TASK_ROW_STAT, text, 0, 0);
        if (r >= 0)
                r = tar_writer_new(&(const TarWriterOptions) { .sink = out_sink(&out),
                                           .gzip = c->spec.gzip,
                                           .proc_fd = c->proc_fd },
                        &t);
        return r < 0 ? r : copy_write(c, &f, t, reterr);
}

static int copy_check_target(const TaskContext *c, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct statx place, root;
        struct statvfs fs;
        struct stat st;

        fd = beneath_open(c->tree_fd, c->spec.path, O_PATH | O_CLOEXEC, 0, 0);
        if (fd < 0)
                return copy_error(c, fd, reterr);
        if (fstat(fd, &st) < 0 || fstatvfs(fd, &fs) < 0 ||
                statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &place) < 0 ||
                statx(c->tree_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &root) < 0)
                return -errno;

        if (!S_ISDIR(st.st_mode))
                return error_set(reterr, ERROR_INVALID, "extraction point is not a directory");
        if (fs.f_flag & ST_RDONLY)
                return error_set(reterr, ERROR_INVALID, "%s is marked read-only",
                        place.stx_mnt_id == root.stx_mnt_id ? "container rootfs"
                                                            : "mounted volume");
        return 0;
}

static int copy_owner(const TaskContext *c, TarIntoTree *into, Error *reterr) {
        _cleanup_(user_identity_done) UserIdentity user = {};
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!c->spec.give_owner || str_empty(c->spec.user)) /* nobody was named: as in Docker */
                return 0;
        r = users_resolve(c->tree_fd, c->spec.user, NULL, &user, &text);
        if (r < 0)
                return text ? error_set(reterr, ERROR_INVALID, "%s", text) : r;
        into->give_owner = true;
        into->uid = user.uid;
        into->gid = user.gid;
        return 0;
}

int task_copy_in_run(TaskContext *c, Error *reterr) {
        TarIntoTree into = { .keep_kind = c->spec.keep_kind };
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(fd_source_done) FdSource input = {};
        ByteSource raw, plain;
        int r;

        r = copy_clean(c);
        if (r >= 0)
                r = copy_check_target(c, reterr);
        into.path = c->spec.path;
        if (r >= 0)
                r = copy_owner(c, &into, reterr);
        if (r >= 0)
                r = fd_source_init(&input, c->fds[0]);
        if (r < 0)
                return r;
        input.cancel_fd = c->cancel_fd;

        raw = fd_source(&input);
        r = decompressor_new(&raw, &d);
        if (r < 0)
                return r;
        plain = decompressor_source(d);
        r = tar_extract(
                &(const TarExtract) { .root_fd = c->tree_fd, .into = &into }, &plain, NULL, reterr);
        if (r < 0)
                return r;
        return byte_source_drain(&raw); /* padding behind the archive's end */
}
