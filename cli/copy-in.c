/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the caller's files into a container: the tar is made here and read by the engine. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/copy.h"
#include "cli/rest-client.h"
#include "lib/archive/late.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

#define PIECE_SIZE ((size_t) 64 * 1024)

/* The body of the request while it is made. */
typedef struct Outgoing {
        const char *source; /* NULL: stdin, as it is */
        const CopyPlan *plan;
        CopyProgress progress;
        rest_write_t write;
        void *to;
} Outgoing;

static int outgoing_write(void *userdata, const void *data, size_t size) {
        Outgoing *out = userdata;
        int r;

        r = out->write(out->to, data, size);
        if (r >= 0)
                copy_progress_add(&out->progress, size);
        return r;
}

static int send_stdin(Outgoing *out) {
        _cleanup_(freep) char *piece = new (char, PIECE_SIZE);
        ssize_t n;
        int r;

        if (!piece)
                return -ENOMEM;
        for (;;) {
                n = read(STDIN_FILENO, piece, PIECE_SIZE);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                r = outgoing_write(out, piece, (size_t) n);
                if (r < 0)
                        return r;
        }
}

/* base is what source ends with ("": its content is meant), and becomes name. */
static int send_tree(Outgoing *out, TarWriter *t, Error *reterr) {
        _cleanup_(freep) char *folder = NULL, *name = NULL, *top = NULL;
        bool content = out->plan->base[0] == '\0';
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = copy_split_path(out->source, &folder, &name);
        if (r < 0)
                return r;
        fd = open(content ? out->source : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "open %s", content ? out->source : folder);
        if (!content)
                return tar_writer_add_tree(t, fd, name, out->plan->name, 0, reterr);

        top = str_concat(str_empty(out->plan->name) ? "." : out->plan->name, "/");
        return top ? tar_writer_add_content(t, fd, top, TAR_TREE_CONTENT, reterr) : -ENOMEM;
}

static int make_body(rest_write_t write, void *to, void *userdata, Error *reterr) {
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        Outgoing *out = userdata;
        int r;

        out->write = write;
        out->to = to;
        if (!out->source)
                return send_stdin(out);

        r = tar_writer_new(
                &(const TarWriterOptions) { .sink = { outgoing_write, out }, .proc_fd = -EBADF },
                &t);
        if (r >= 0)
                r = send_tree(out, t, reterr);
        return r < 0 ? r : tar_writer_finish(t, reterr);
}

/* ---- what is to be sent ---- */

static int resolve(const char *path, char **ret, Error *reterr) {
        *ret = realpath(path, NULL);
        return *ret ? 0 : error_set_errno(reterr, -errno, "lstat %s", path);
}

/* The folders on the way are followed; the last component only with -L, or when "/" behind it says that it is a folder. */
static int find_source(
        const Copy *c, char **ret_path, char **ret_name, bool *ret_folder, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *folder = NULL, *resolved = NULL;
        struct stat st;
        int r;

        r = copy_absolute(c->source, &path);
        if (r < 0)
                return r;
        if (c->follow_link)
                r = resolve(path, &resolved, reterr);
        else {
                const char *last = path_last(path);

                r = str_copy_n(&folder, path, (size_t) (last - path));
                if (r >= 0)
                        r = resolve(folder, &resolved, reterr);
                if (r >= 0 && last[0]) {
                        char *whole = str_concat(resolved, streq(resolved, "/") ? "" : "/", last);

                        free(resolved);
                        resolved = whole;
                        r = whole ? 0 : -ENOMEM;
                }
        }
        if (r >= 0)
                r = copy_rename(path, resolved, ret_path, ret_name);
        if (r < 0)
                return r;
        if (lstat(*ret_path, &st) < 0)
                return error_set_errno(reterr, -errno, "lstat %s", *ret_path);
        *ret_folder = S_ISDIR(st.st_mode);
        return 0;
}

/* What is at the target; a link is what it leads to. What the engine does not know is left to its answer to the archive. */
static int find_target(const Copy *c, char **ret_path, CopyTarget *ret, Error *reterr) {
        _cleanup_(copy_stat_done) CopyStat s = {};
        int r;

        r = copy_stat(c, c->target, &s, NULL);
        if (r >= 0 && s.is_link) {
                r = copy_follow(c->target, s.link, ret_path);
                if (r < 0)
                        return r;
                copy_stat_done(&s);
                r = copy_stat(c, *ret_path, &s, NULL);
        } else {
                int q = str_copy(ret_path, c->target);

                if (q < 0)
                        return q;
        }
        if (r >= 0 && s.is_device)
                return error_set(reterr, ERROR_INVALID,
                        "destination \"%s:%s\" must be a directory or a regular file: got a device",
                        c->container, c->target);
        *ret = (CopyTarget) { *ret_path, r >= 0, r >= 0 && s.is_folder };
        return 0;
}

static int upload(
        const Copy *c, const char *folder, Outgoing *out, const char *target, Error *reterr) {
        _cleanup_(freep) char *url = NULL, *where = str_concat(c->container, ":", target);
        int r;

        url = copy_rest_path(c, folder,
                (const char *const[4]) {
                        "noOverwriteDirNonDir", "true", "copyUIDGID", c->archive ? "true" : NULL });
        if (!url || !where)
                return -ENOMEM;
        out->progress.words = "Copying to container";
        out->progress.quiet = c->quiet;
        r = rest_upload(c->client, "PUT", url, make_body, out, reterr);
        copy_progress_end(&out->progress, r, where);
        return r < 0 ? r : 0;
}

int copy_to_container(const Copy *c, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *renamed = NULL, *target_path = NULL;
        _cleanup_(copy_plan_done) CopyPlan plan = {};
        CopyTarget target;
        CopySource source;
        Outgoing out = {};
        int r;

        r = find_target(c, &target_path, &target, reterr);
        if (r < 0)
                return r;
        if (streq(c->source, "-")) {
                if (!target.is_folder)
                        return error_set(reterr, ERROR_INVALID,
                                "destination \"%s:%s\" must be a directory", c->container,
                                c->target);
                return upload(c, target_path, &out, target_path, reterr);
        }

        r = find_source(c, &path, &renamed, &source.is_folder, reterr);
        if (r < 0)
                return r;
        source.path = path;
        source.renamed = renamed;
        r = copy_plan(&source, &target, &plan, reterr);
        if (r >= 0)
                r = archive_late_load(reterr);
        if (r < 0)
                return r;
        out.source = path;
        out.plan = &plan;
        return upload(c, plan.folder, &out, target_path, reterr);
}
