/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/build-context.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/archive/ignorefile.h"
#include "lib/archive/late.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

#define DOCKERFILE_MAX ((size_t) 1024 * 1024)
#define HEAD_SIZE      512U

/* What is to be packed. */
typedef struct Pack {
        int folder_fd;      /* -EBADF: none */
        IgnoreFile *ignore; /* NULL: none */
        const char *kept;   /* the Dockerfile in the folder, whatever is ignored */
        char *added;        /* a file that is not in the folder, */
        char *text;         /* what is in it, */
        size_t text_size;
        Buffer head; /* or bytes of a tar that goes on at stdin */
        bool through;
        int out_fd;
} Pack;

static void pack_done(Pack *p) {
        fd_close(p->folder_fd);
        ignorefile_free(p->ignore);
        free(p->added);
        free(p->text);
        buffer_done(&p->head);
}

void build_context_done(BuildContext *x) {
        fd_close(x->fd);
        fd_close(x->words_fd);
        free(x->dockerfile);
        if (x->pid > 0) {
                (void) kill(x->pid, SIGTERM);
                while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        *x = BUILD_CONTEXT_INIT;
}

/* ---- packing ---- */

static int write_out(void *userdata, const void *data, size_t size) {
        const Pack *p = userdata;

        return fd_write_full(p->out_fd, data, size);
}

static bool leaves_out(const char *path, bool *ret_enter, void *userdata) {
        const Pack *p = userdata;

        *ret_enter = true;
        if (!p->ignore || streq(path, ".dockerignore") || str_equal(path, p->kept) ||
                !ignorefile_excludes(p->ignore, path))
                return false;
        /* the file we need may be inside */
        *ret_enter = !ignorefile_is_simple(p->ignore) || (p->kept && path_is_below(p->kept, path));
        return true;
}

static int pack_through(Pack *p) {
        char piece[64 * 1024];
        ssize_t n;
        int r;

        r = write_out(p, buffer_head(&p->head), buffer_size(&p->head));
        while (r >= 0 &&
                ((n = read(STDIN_FILENO, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR)))
                if (n > 0)
                        r = write_out(p, piece, (size_t) n);
        return r;
}

static int pack_run(Pack *p, Error *reterr) {
        const TarWriterChange change = {
                .leaves_out = leaves_out, .userdata = p, .has_owner = true
        };
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        int r;

        if (p->through)
                return pack_through(p);
        r = tar_writer_new(
                &(const TarWriterOptions) {
                        .change = &change, .sink = { write_out, p }, .proc_fd = -EBADF },
                &t);
        if (r >= 0 && p->folder_fd >= 0)
                r = tar_writer_add_content(t, p->folder_fd, NULL, 0, reterr);
        if (r >= 0 && p->added)
                r = tar_writer_add_bytes(t, p->added, 0600, p->text, p->text_size, reterr);
        return r < 0 ? r : tar_writer_finish(t, reterr);
}

static _noreturn_ void pack_main(Pack *p, int words_fd) {
        _cleanup_(error_done) Error e = {};
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        r = pack_run(p, &e);
        if (r < 0 && r != -EPIPE) {
                const char *text = error_text(&e, r);

                (void) fd_write_full(words_fd, text, strlen(text));
        }
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int context_start(BuildContext *x, Pack *p) {
        int data[2], words[2], r;
        pid_t pid;

        r = fd_pipe(data, 0);
        if (r < 0)
                return r;
        x->fd = data[0];
        r = fd_pipe(words, 0);
        if (r < 0) {
                fd_close(data[1]);
                return r;
        }
        x->words_fd = words[0];
        p->out_fd = data[1];
        pid = fork();
        if (pid == 0)
                pack_main(p, words[1]);
        fd_close(data[1]);
        fd_close(words[1]);
        if (pid < 0)
                return -errno;
        x->pid = pid;
        return 0;
}

int build_context_end(BuildContext *x, int r, Error *reterr) {
        char text[1024];
        ssize_t n;

        if (x->pid <= 0)
                return r;
        x->fd = fd_close(x->fd);
        while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        x->pid = 0;
        n = read(x->words_fd, text, sizeof(text) - 1);
        if (n <= 0)
                return r;
        text[n] = 0;
        return error_set(reterr, ERROR_INVALID, "%s", text);
}

/* ---- what there is ---- */

static int read_stdin_head(Pack *p) {
        ssize_t n = 1;

        while (n > 0 && buffer_size(&p->head) < HEAD_SIZE)
                if ((n = buffer_read_fd(
                             &p->head, STDIN_FILENO, HEAD_SIZE - buffer_size(&p->head))) == -EINTR)
                        n = 1;
        return n < 0 ? (int) n : 0;
}

static bool head_is_archive(const Buffer *b) {
        static const struct {
                const char *magic;
                size_t size;
        } known[] = { { "\x1f\x8b", 2 }, { "BZh", 3 },
                { "\xfd"
                  "7zXZ",
                        5 },
                { "\x28\xb5\x2f\xfd", 4 } };

        for (size_t k = 0; k < ARRAY_SIZE(known); k++)
                if (buffer_size(b) >= known[k].size &&
                        memcmp(buffer_head(b), known[k].magic, known[k].size) == 0)
                        return true;
        return buffer_size(b) >= 262 && memcmp(buffer_head(b) + 257, "ustar", 5) == 0;
}

/* A Dockerfile that is nowhere in the context gets a name there that nobody has. */
static int add_text(BuildContext *x, Pack *p, char *text, size_t size, bool alone) {
        p->text = text;
        p->text_size = size;
        if (alone)
                return str_copy(&p->added, "Dockerfile");
        if (str_printf(&p->added, ".dockerfile.%016llx", (unsigned long long) random_u64()) < 0)
                return -ENOMEM;
        return str_copy(&x->dockerfile, p->added);
}

static int add_stdin(BuildContext *x, Pack *p, bool alone, Error *reterr) {
        size_t size = buffer_size(&p->head);
        char *text = NULL;
        ssize_t n = 1;
        int r = 0;

        while (n > 0 && buffer_size(&p->head) <= DOCKERFILE_MAX)
                if ((n = buffer_read_fd(&p->head, STDIN_FILENO, 64 * 1024)) == -EINTR)
                        n = 1;
        if (n > 0)
                r = error_set(
                        reterr, ERROR_TOO_LARGE, "the Dockerfile at stdin is larger than 1 MiB");
        else if (n < 0)
                r = (int) n;
        if (r < 0)
                return r;
        text = buffer_take_string(&p->head, &size);
        return text ? add_text(x, p, text, size, alone) : -ENOMEM;
}

static int open_stdin(BuildContext *x, Pack *p, const char *file, Error *reterr) {
        int r;

        if (str_equal(file, "-"))
                return error_set(reterr, ERROR_INVALID,
                        "invalid argument: can't use stdin for both build context and dockerfile");
        r = read_stdin_head(p);
        if (r < 0)
                return error_set_errno(reterr, r, "read stdin");
        if (head_is_archive(&p->head)) {
                p->through = true;
                return file ? str_copy(&x->dockerfile, file) : 0;
        }
        if (file)
                return error_set(reterr, ERROR_INVALID,
                        "ambiguous Dockerfile source: both stdin and flag correspond to "
                        "Dockerfiles");
        return add_stdin(x, p, /* alone= */ true, reterr);
}

/* The Dockerfile that -f names: in the folder by its path there, else its text. */
static int find_dockerfile(
        BuildContext *x, Pack *p, const char *folder, const char *file, Error *reterr) {
        _cleanup_(freep) char *whole = NULL, *root = NULL, *text = NULL;
        const char *below;
        size_t size;
        int r;

        if (!file) {
                p->kept = "Dockerfile";
                return 0;
        }
        if (streq(file, "-"))
                return add_stdin(x, p, /* alone= */ false, reterr);
        whole = realpath(file, NULL);
        root = realpath(folder, NULL);
        if (!whole || !root)
                return error_set_errno(reterr, -errno,
                        "unable to prepare context: unable to evaluate symlinks in Dockerfile "
                        "path: lstat %s",
                        file);
        below = path_below(whole, root);
        if (below) {
                r = str_copy(&x->dockerfile, below);
                p->kept = x->dockerfile;
                return r;
        }
        r = file_read(whole, DOCKERFILE_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "read %s", file);
        return add_text(x, p, TAKE_PTR(text), size, /* alone= */ false);
}

/* "Dockerfile.dockerignore" beside the Dockerfile comes before ".dockerignore". */
static int read_ignorefile(const BuildContext *x, Pack *p, Error *reterr) {
        _cleanup_(freep) char *own = NULL, *text = NULL;
        size_t size;
        int r;

        if (str_printf(&own, "%s.dockerignore", x->dockerfile ?: "Dockerfile") < 0)
                return -ENOMEM;
        r = file_read_at(p->folder_fd, own, IGNOREFILE_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                r = file_read_at(p->folder_fd, ".dockerignore", IGNOREFILE_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "read .dockerignore");
        return ignorefile_parse(text, size, &p->ignore, reterr);
}

static int open_folder(
        BuildContext *x, Pack *p, const char *path, const char *file, Error *reterr) {
        int r;

        if (str_starts(path, "http://") || str_starts(path, "https://") ||
                str_starts(path, "git@") || str_starts(path, "git://"))
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "building from %s is not implemented: fetch it and name the folder", path);
        p->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (p->folder_fd < 0)
                return errno == ENOENT
                             ? error_set(reterr, ERROR_INVALID,
                                       "unable to prepare context: path \"%s\" not found", path)
                             : error_set_errno(
                                       reterr, -errno, "unable to prepare context: %s", path);
        r = find_dockerfile(x, p, path, file, reterr);
        return r < 0 ? r : read_ignorefile(x, p, reterr);
}

int build_context_open(BuildContext *x, const char *path, const char *file, Error *reterr) {
        _cleanup_(pack_done) Pack p = { .folder_fd = -EBADF, .out_fd = -EBADF };
        int r;

        r = streq(path, "-") ? open_stdin(x, &p, file, reterr)
                             : open_folder(x, &p, path, file, reterr);
        if (r >= 0 && !p.through)
                r = archive_late_load(reterr);
        return r < 0 ? r : context_start(x, &p);
}
