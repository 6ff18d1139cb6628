/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a build: its context is unpacked into a folder that nobody else sees, and what COPY and ADD take goes from there, or from an image,
 * into a layer of its own, which is then kept as a commit is. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/storage/storage.h"
#include "lib/archive/compress.h"
#include "lib/archive/tar-extract.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/base/users.h"
#include "service/worker/build-pack.h"
#include "service/worker/file-stat.h"
#include "service/worker/task.h"

#define DOCKERFILE_MAX ((size_t) 1024 * 1024 + 1)

/* ---- the context ---- */

/* The file that says what to build. */
static int context_take_dockerfile(TaskContext *c, int context_fd, Error *reterr) {
        const char *name = str_empty(c->spec.path) ? "Dockerfile" : c->spec.path;
        _cleanup_(freep) char *rooted = NULL, *path = NULL, *text = NULL, *clean = NULL;
        int r;

        r = path_normalise(name, &clean);
        if (r >= 0 && (streq(clean, "..") || str_starts(clean, "../")))
                return error_set(reterr, ERROR_INVALID,
                        "forbidden path outside the build context: %s ()", name);
        if (r < 0)
                return r;
        rooted = str_concat("/", name);
        r = rooted ? file_stat_resolve(context_fd, rooted, &path) : -ENOMEM;
        if (r >= 0)
                r = beneath_read(context_fd, path, DOCKERFILE_MAX, &text);
        if (r == -ENOENT && str_empty(c->spec.path))
                r = beneath_read(context_fd, "dockerfile", DOCKERFILE_MAX, &text);
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return error_set(
                        reterr, ERROR_NOT_FOUND, "Cannot locate specified Dockerfile: %s", name);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot read the Dockerfile (%s)", name);
        c->result.text = TAKE_PTR(text);
        return 0;
}

int task_build_context_run(TaskContext *c, Error *reterr) {
        const TarIntoTree into = { .path = "/", .no_devices = true };
        _cleanup_(fd_closep) int tmp = -EBADF, top = -EBADF, context = -EBADF;
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(fd_source_done) FdSource input = {};
        ByteSource raw, plain;
        int r;

        if (!path_is_safe_name(str_or_empty(c->spec.context)))
                return error_set(reterr, ERROR_INVALID, "the context has no name");
        tmp = file_mkdir_open(c->root_fd, "tmp", 0700);
        top = tmp < 0 ? tmp : file_mkdir_open(tmp, c->spec.context, 0700);
        context = top < 0 ? top : file_mkdir_open(top, "context", 0755);
        if (context < 0)
                return context;

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
                &(const TarExtract) { .root_fd = context, .into = &into }, &plain, NULL, reterr);
        if (r >= 0)
                r = byte_source_drain(&raw);
        if (r < 0)
                return error_is_set(reterr)
                             ? r
                             : error_set_errno(reterr, r, "Error processing tar file");
        return context_take_dockerfile(c, context, reterr);
}

/* ---- what would be copied ---- */

static int digest_sink(void *userdata, const void *data, size_t size) {
        digest_update(userdata, data, size);
        return 0;
}

static int digest_archives(const BuildPack *p, Digest *d) {
        for (size_t i = 0; i < p->n_items; i++) {
                const BuildItem *x = p->items + i;
                char text[DIGEST_TEXT_SIZE];
                _cleanup_(fd_closep) int fd = -EBADF;
                int r;

                if (!x->is_archive)
                        continue;
                fd = beneath_open(p->source_fd, x->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0, 0);
                r = fd < 0 ? fd : digest_fd(fd, text, NULL);
                if (r < 0)
                        return r;
                digest_update(d, text, strlen(text));
        }
        return 0;
}

int task_build_digest_run(TaskContext *c, Error *reterr) {
        const TarWriterChange change = { .has_owner = true, .has_time = true };
        _cleanup_(build_pack_done) BuildPack p = {};
        _cleanup_(digest_freep) Digest *d = NULL;
        char text[DIGEST_TEXT_SIZE];
        size_t n;
        int r;

        r = build_pack_find(c, &p, reterr);
        if (r >= 0)
                r = digest_new(DIGEST_SHA256, &d);
        if (r >= 0)
                r = build_pack_write(&p, &change, (ByteSink) { digest_sink, d }, reterr);
        if (r >= 0)
                r = digest_archives(&p, d);
        if (r < 0)
                return r;

        n = p.n_items + strv_length(c->spec.files) / 2;
        return str_printf(&c->result.text, "%s:%s",
                n != 1                                ? "multi"
                : p.n_items == 1 && p.items[0].is_dir ? "dir"
                                                      : "file",
                digest_hex(digest_text(d, text)));
}

/* ---- copying ---- */

typedef struct BuildCopy {
        TaskContext *context;
        BuildPack pack;
        TarWriterChange change;
        bool into_folder;
} BuildCopy;

static int copy_prepare(BuildCopy *k, Error *reterr) {
        TaskContext *c = k->context;
        _cleanup_(user_identity_done) UserIdentity user = {};
        _cleanup_(freep) char *text = NULL;
        int r;

        r = users_resolve(c->tree_fd, str_or_empty(c->spec.user), NULL, &user, &text);
        if (r < 0)
                return text ? error_set(reterr, ERROR_INVALID, "%s", text) : r;
        k->change.has_owner = true;
        k->change.uid = user.uid;
        /* "--chown=5" is 5:5, whatever its group is. */
        k->change.gid = str_empty(c->spec.user) || strchr(c->spec.user, ':') || user.name
                              ? user.gid
                              : (gid_t) user.uid;
        if (!str_empty(c->spec.chmod)) {
                if (parse_mode(c->spec.chmod, &k->change.mode) < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid chmod parameter: '%s'. it should be octal string and "
                                "between 0 and 07777",
                                c->spec.chmod);
                k->change.has_mode = true;
        }
        return 0;
}

/* Is what path names a folder, or to be one? Makes what is missing above it. */
static int copy_make_target(BuildCopy *k, Error *reterr) {
        TaskContext *c = k->context;
        const char *path = c->spec.path;
        size_t n = strlen(path), n_items = k->pack.n_items + strv_length(c->spec.files) / 2;
        _cleanup_(freep) char *parent = NULL, *clean = NULL;
        struct stat st;
        int fd, r;

        k->into_folder = n == 0 || path[n - 1] == '/' || n_items != 1 || c->spec.parents;
        for (size_t i = 0; i < k->pack.n_items; i++)
                k->into_folder =
                        k->into_folder || k->pack.items[i].is_dir || k->pack.items[i].is_archive;
        if (!k->into_folder && beneath_stat(c->tree_fd, path, 0, &st) >= 0)
                k->into_folder = S_ISDIR(st.st_mode);

        r = path_normalise(path, &clean);
        if (r >= 0)
                r = k->into_folder ? str_copy(&parent, clean) : path_parent(clean, &parent);
        if (r < 0)
                return r;
        fd = beneath_mkdir_p(c->tree_fd, parent, 0755, k->change.uid, k->change.gid, 0);
        if (fd < 0)
                return fd == -ENOTDIR || fd == -ELOOP
                             ? error_set(reterr, ERROR_INVALID, "cannot copy to non-directory: %s",
                                       path)
                             : error_set_errno(reterr, fd, "Cannot make %s", parent);
        fd_close(fd);
        free(c->spec.path);
        c->spec.path = TAKE_PTR(clean);
        return 0;
}

static int pipe_sink(void *userdata, const void *data, size_t size) {
        return fd_write_full(*(int *) userdata, data, size);
}

/* The other half of a copy, in a process of its own: the library that writes an archive wants to push, the one that reads wants to pull. */
static void copy_send(BuildCopy *k, int data_fd, int words_fd) {
        _cleanup_(error_done) Error e = {};
        int r;

        /* What we have of /proc is our parent's: its descriptors are not ours. */
        k->context->proc_fd =
                openat(k->context->proc_fd, "../../self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (k->context->proc_fd < 0)
                _exit(EXIT_FAILURE);
        r = build_pack_write(&k->pack, &k->change, (ByteSink) { pipe_sink, &data_fd }, &e);
        if (r < 0) {
                const char *text = error_text(&e, r);

                (void) fd_write_full(words_fd, text, strlen(text));
        }
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int copy_receive(BuildCopy *k, int fd, Error *reterr) {
        TarIntoTree into = { .path = k->context->spec.path };
        _cleanup_(fd_source_done) FdSource input = {};
        ByteSource raw;
        int r;

        if (!k->into_folder)
                into.base = k->pack.n_items > 0 ? k->pack.items[0].name : k->context->spec.files[0];
        r = fd_source_init(&input, fd);
        if (r < 0)
                return r;
        input.cancel_fd = k->context->cancel_fd;
        raw = fd_source(&input);
        r = tar_extract(&(const TarExtract) { .root_fd = k->context->tree_fd, .into = &into }, &raw,
                NULL, reterr);
        return r < 0 ? r : byte_source_drain(&raw);
}

static int copy_files(BuildCopy *k, Error *reterr) {
        _cleanup_(fd_closep) int data_in = -EBADF, words_in = -EBADF;
        _cleanup_(error_done) Error e = {};
        char words[1024];
        int data[2], told[2], status = -1, r;
        ssize_t n;
        pid_t pid;

        r = fd_pipe(data, 0);
        if (r < 0)
                return r;
        data_in = data[0];
        r = fd_pipe(told, 0);
        if (r < 0) {
                fd_close(data[1]);
                return r;
        }
        words_in = told[0];
        (void) fcntl(data[1], F_SETPIPE_SZ, 1024 * 1024);

        pid = fork();
        if (pid == 0)
                copy_send(k, data[1], told[1]);
        fd_close(data[1]);
        fd_close(told[1]);
        if (pid < 0)
                return -errno;

        r = copy_receive(k, data_in, &e);
        data_in = fd_close(data_in); /* an end for the one that writes, if we have given up */
        n = read(words_in, words, sizeof(words) - 1);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (task_cancelled(k->context))
                return -ECANCELED;
        if (n > 0 && (r >= 0 || !error_is_set(&e))) {
                words[n] = 0;
                return error_set(reterr, ERROR_INTERNAL, "%s", words);
        }
        if (r >= 0 && status != 0)
                return error_set(reterr, ERROR_INTERNAL, "the copy broke off");
        if (error_is_set(&e))
                error_move(reterr, &e);
        return r;
}

static int copy_archive(BuildCopy *k, const BuildItem *x, Error *reterr) {
        const TarIntoTree into = { .path = k->context->spec.path };
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(fd_source_done) FdSource input = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        ByteSource raw, plain;
        int r;

        fd = beneath_open(k->pack.source_fd, x->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0, 0);
        r = fd < 0 ? fd : fd_source_init(&input, fd);
        if (r < 0)
                return r;
        input.cancel_fd = k->context->cancel_fd;
        raw = fd_source(&input);
        r = decompressor_new(&raw, &d);
        if (r < 0)
                return r;
        plain = decompressor_source(d);
        r = tar_extract(&(const TarExtract) { .root_fd = k->context->tree_fd, .into = &into },
                &plain, NULL, reterr);
        return r < 0 ? error_prefix(reterr, r, "%s", x->asked) : 0;
}

static int copy_run(BuildCopy *k, Error *reterr) {
        TaskContext *c = k->context;
        size_t n_plain = strv_length(c->spec.files) / 2;
        int r;

        r = copy_prepare(k, reterr);
        if (r >= 0)
                r = build_pack_find(c, &k->pack, reterr);
        if (r >= 0)
                r = copy_make_target(k, reterr);
        for (size_t i = 0; i < k->pack.n_items; i++)
                if (!k->pack.items[i].is_archive)
                        n_plain++;
                else if (r >= 0)
                        r = copy_archive(k, k->pack.items + i, reterr);
        return r < 0 || n_plain == 0 ? r : copy_files(k, reterr);
}

int task_build_copy_run(TaskContext *c, Error *reterr) {
        BuildCopy k = { .context = c };
        int r;

        r = copy_run(&k, reterr);
        build_pack_done(&k.pack);
        if (r >= 0)
                r = task_commit_run(c, reterr);
        (void) storage_layer_remove(c->storage, c->spec.layer_id);
        return r;
}
