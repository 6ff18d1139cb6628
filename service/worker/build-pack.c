/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/build-pack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/archive/compress.h"
#include "lib/archive/source.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"
#include "service/worker/file-stat.h"
#include "service/worker/task.h"

#define ITEMS_MAX 100000U
#define DEPTH_MAX 100U

#define MAGIC        "ustar" /* of every tar that is written today */
#define MAGIC_OFFSET 257U
#define HEAD_SIZE    (MAGIC_OFFSET + STRLEN(MAGIC))

void build_pack_done(BuildPack *p) {
        for (size_t i = 0; i < p->n_items; i++) {
                free(p->items[i].path);
                free(p->items[i].asked);
                free(p->items[i].name);
        }
        free(p->items);
        ignorefile_free(p->ignored);
        ignorefile_free(p->excluded);
        *p = (BuildPack) {};
}

static bool pack_ignores(const BuildPack *p, const char *path) {
        return p->ignored && *path && ignorefile_excludes(p->ignored, path);
}

/* What the archive is: a file that begins as a tar, plain or compressed. */
static int file_is_archive(int fd) {
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(fd_source_done) FdSource input = {};
        char head[HEAD_SIZE];
        size_t n = 0, size;
        Compression kind;
        ByteSource raw;
        const void *data;
        int r;

        r = fd_source_init(&input, fd);
        if (r < 0)
                return r;
        input.cancel_fd = -EBADF;
        raw = fd_source(&input);
        r = decompressor_new(&raw, &d);
        if (r >= 0)
                r = decompressor_kind(d, &kind);
        while (r >= 0 && n < sizeof(head) && (r = decompressor_next(d, &data, &size)) > 0) {
                size = MIN(size, sizeof(head) - n);
                memcpy(head + n, data, size);
                n += size;
        }
        if (r == -ENOMEM)
                return r;
        return n == sizeof(head) && memcmp(head + MAGIC_OFFSET, MAGIC, STRLEN(MAGIC)) == 0;
}

static int item_check_archive(BuildPack *p, BuildItem *x) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;
        int r;

        fd = beneath_open(
                p->source_fd, x->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0, 0);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        r = file_is_archive(fd);
        x->is_archive = r > 0;
        return r;
}

/* The part of asked that --parents keeps: behind "/./", else all of it. */
static const char *item_parents(const char *asked) {
        const char *pivot = strstr(asked, "/./");

        return pivot ? pivot + 3 : asked + strspn(asked, "/");
}

static int item_name(const TaskContext *c, BuildItem *x) {
        const char *last = c->spec.parents ? item_parents(x->asked) : path_last(x->asked);

        if (x->is_dir && !c->spec.parents)
                return str_copy(&x->name, "");
        if (!*last)
                last = x->is_dir ? "" : path_last(x->path);
        return str_printf(&x->name, "%s%s", last, x->is_dir && *last ? "/" : "");
}

/* asked: clean, without slash at its beginning. */
static int pack_add(BuildPack *p, const char *asked, const char *written, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *rooted = str_concat("/", asked);
        BuildItem *x;
        struct stat st;
        int r;

        if (p->n_items >= ITEMS_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "more than %u sources", ITEMS_MAX);
        r = rooted ? file_stat_resolve(p->source_fd, rooted, &path) : -ENOMEM;
        if (r >= 0)
                r = beneath_stat(p->source_fd, path, 0, &st);
        if (r == -ENOENT || r == -ENOTDIR || (r >= 0 && pack_ignores(p, asked)))
                return error_set(reterr, ERROR_NOT_FOUND,
                        str_empty(p->context->spec.source_layer)
                                ? "COPY failed: file not found in build context or excluded by "
                                  ".dockerignore: stat %s: file does not exist"
                                : "COPY failed: stat %s: file does not exist",
                        asked);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot look at %s", asked);

        r = array_grow(&p->items, &p->n_allocated, p->n_items + 1);
        if (r < 0)
                return r;
        x = p->items + p->n_items++;
        *x = (BuildItem) { .is_dir = S_ISDIR(st.st_mode) };
        r = str_copy(&x->path, path + strspn(path, "/"));
        if (r >= 0)
                r = str_copy(&x->asked, written);
        if (r >= 0)
                r = item_name(p->context, x);
        if (r >= 0 && p->context->spec.unpack && !x->is_dir)
                r = item_check_archive(p, x);
        return r;
}

static unsigned count_slashes(const char *s) {
        unsigned n = 0;

        for (; *s; s++)
                n += *s == '/';
        return n;
}

/* Every path beneath dir that the pattern matches. */
static int pack_match(
        BuildPack *p, const char *dir, const char *pattern, unsigned depth, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        unsigned deepest = strstr(pattern, "**") ? DEPTH_MAX : count_slashes(pattern);
        int r;

        fd = beneath_open(p->source_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
        if (fd < 0)
                return fd == -ENOTDIR || fd == -ENOENT || fd == -ELOOP ? 0 : fd;
        r = file_list(fd, ".", /* hidden= */ true, &names);
        strv_sort(names);
        STRV_FOREACH (n, names) {
                _cleanup_(freep) char *path = NULL;
                int matches;

                if (r >= 0)
                        r = str_printf(&path, "%s%s%s", dir, *dir ? "/" : "", *n);
                if (r < 0)
                        return r;
                if (pack_ignores(p, path) && ignorefile_is_simple(p->ignored))
                        continue;
                matches = path_pattern_matches(pattern, path);
                if (matches < 0)
                        return error_set(
                                reterr, ERROR_INVALID, "syntax error in pattern: %s", pattern);
                if (matches && !pack_ignores(p, path))
                        r = pack_add(p, path, path, reterr);
                else if (depth < deepest && file_is_dir_at(fd, *n) > 0)
                        r = pack_match(p, path, pattern, depth + 1, reterr);
        }
        return r;
}

static int pack_source(BuildPack *p, const char *source, Error *reterr) {
        _cleanup_(freep) char *clean = NULL, *relative = NULL;
        size_t before = p->n_items;
        const char *s;
        int r;

        r = path_normalise(source + strspn(source, "/"), &relative);
        if (r >= 0 && (streq(relative, "..") || str_starts(relative, "../")))
                return error_set(reterr, ERROR_INVALID,
                        "COPY failed: forbidden path outside the build context: %s ()", source);
        if (r >= 0)
                r = path_normalise(source, &clean);
        if (r < 0)
                return r;
        s = clean + strspn(clean, "/");
        if (streq(s, "."))
                s = "";
        if (!strpbrk(s, "*?["))
                return pack_add(p, s, source, reterr);

        r = pack_match(p, "", s, 0, reterr);
        if (r >= 0 && p->n_items == before)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "COPY failed: no source files were specified (%s)", source);
        return r;
}

static int pack_read_ignorefile(BuildPack *p, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!str_empty(p->context->spec.source_layer))
                return 0;
        r = beneath_read(p->source_fd, ".dockerignore", IGNOREFILE_SIZE_MAX, &text);
        if (r == -ENOENT || r == -ELOOP || r == -EBADFD)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot read .dockerignore");
        return ignorefile_parse(text, strlen(text), &p->ignored, reterr);
}

int build_pack_find(TaskContext *c, BuildPack *ret, Error *reterr) {
        BuildPack p = { .context = c, .source_fd = c->source_fd };
        int r = 0;

        if (!strv_empty(c->spec.sources))
                r = pack_read_ignorefile(&p, reterr);
        if (r >= 0)
                r = ignorefile_new(c->spec.exclude, &p.excluded, reterr);
        STRV_FOREACH (s, c->spec.sources)
                if (r >= 0)
                        r = pack_source(&p, *s, reterr);
        if (r < 0) {
                build_pack_done(&p);
                return r;
        }
        *ret = p;
        return 0;
}

/* path: in the archive. What .dockerignore says is about the context, --exclude about the source. */
static bool pack_leaves_out(const char *path, bool *ret_enter, void *userdata) {
        BuildPack *p = userdata;
        const BuildItem *x = p->current;
        _cleanup_(freep) char *whole = NULL, *copy = NULL;
        const char *below;
        size_t n;

        *ret_enter = true;
        below = x->is_dir ? path + strlen(x->name) : path;
        n = strlen(below);
        copy = strndup(below, n > 0 && below[n - 1] == '/' ? n - 1 : n);
        if (!copy)
                return false;
        if (*copy && ignorefile_excludes(p->excluded, copy)) {
                *ret_enter = !ignorefile_is_simple(p->excluded);
                return true;
        }
        if (!p->ignored || !x->is_dir)
                return false;
        if (str_printf(&whole, "%s%s%s", x->path, *x->path ? "/" : "", copy) < 0 ||
                !pack_ignores(p, whole))
                return false;
        *ret_enter = !ignorefile_is_simple(p->ignored);
        return true;
}

static int pack_write_item(BuildPack *p, TarWriter *t, const BuildItem *x, Error *reterr) {
        _cleanup_(freep) char *name = NULL, *rooted = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        p->current = x;
        if (x->is_dir) {
                fd = beneath_open(p->source_fd, x->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
                if (fd < 0)
                        return error_set_errno(reterr, fd, "Cannot open %s", x->asked);
                return tar_writer_add_content(
                        t, fd, *x->name ? x->name : NULL, *x->name ? TAR_TREE_CONTENT : 0, reterr);
        }
        rooted = str_concat("/", x->path);
        r = rooted ? beneath_open_parent(p->source_fd, rooted, 0, &fd, &name) : -ENOMEM;
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot open %s", x->asked);
        return tar_writer_add_tree(t, fd, name, x->name, 0, reterr);
}

int build_pack_write(BuildPack *p, const TarWriterChange *change, ByteSink sink, Error *reterr) {
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        TarWriterChange with = *change;
        const char *name, *text;
        int r;

        with.leaves_out = pack_leaves_out;
        with.userdata = p;
        r = tar_writer_new(
                &(const TarWriterOptions) {
                        .change = &with, .sink = sink, .proc_fd = p->context->proc_fd },
                &t);
        for (size_t i = 0; r >= 0 && i < p->n_items; i++)
                if (!p->items[i].is_archive)
                        r = pack_write_item(p, t, p->items + i, reterr);
        PAIRS_FOREACH(name, text, p->context->spec.files)
        if (r >= 0)
                r = tar_writer_add_bytes(t, name, 0644, text, strlen(text), reterr);
        return r < 0 ? r : tar_writer_finish(t, reterr);
}
