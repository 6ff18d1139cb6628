/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/context-archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/client-config.h"
#include "lib/archive/late.h"
#include "lib/archive/tar-read.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define FILE_MAX   ((size_t) 10 * 1024 * 1024) /* docker's, for all of it together */
#define META_MAX   ((size_t) 1024 * 1024)      /* what is read again, context.c */
#define FILES_MAX  1000U
#define META_NAME  "meta.json"
#define TLS_FOLDER "tls/"

/* ---- out ---- */

static int write_fd(void *userdata, const void *data, size_t size) {
        return fd_write_full(*(const int *) userdata, data, size);
}

static int add_meta(TarWriter *t, const char *folder, const Json *meta, Error *reterr) {
        _cleanup_(freep) char *text = NULL, *path = path_join(folder, META_NAME);
        size_t size;
        int r;

        if (!path)
                return -ENOMEM;
        r = meta ? json_print(meta, JSON_COMPACT, &text) : file_read(path, FILE_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read %s", path);
        if (meta)
                size = strlen(text);
        return tar_writer_add_bytes(t, META_NAME, 0644, text, size, reterr);
}

int context_export(
        const ClientConfig *c, const char *name, const Json *meta, int to_fd, Error *reterr) {
        _cleanup_(freep) char *folder = NULL, *tls = NULL, *above = NULL;
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = archive_late_load(reterr);
        if (r >= 0)
                r = context_folders(c, name, &folder, &tls);
        if (r >= 0)
                r = path_parent(tls, &above);
        if (r >= 0)
                r = tar_writer_new(&(const TarWriterOptions) { .sink = { write_fd, &to_fd },
                                           .proc_fd = -EBADF },
                        &t);
        if (r >= 0)
                r = add_meta(t, folder, meta, reterr);
        if (r < 0)
                return r;

        fd = meta ? -ENOENT : file_open_dir(AT_FDCWD, above);
        if (fd >= 0)
                r = tar_writer_add_tree(t, fd, path_last(tls), "tls", 0, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        return tar_writer_finish(t, reterr);
}

/* ---- in ---- */

typedef struct Import {
        const ClientConfig *config;
        const char *name;
        char *tls_folder;
        Json *meta;
} Import;

static void import_done(Import *i) {
        free(i->tls_folder);
        json_unref(i->meta);
}

static int read_content(TarReader *t, const TarEntry *e, Buffer *b, Error *reterr) {
        size_t size, max = streq(e->path, META_NAME) ? META_MAX : FILE_MAX;
        const void *data;
        uint64_t offset;
        int r;

        if (e->size > max)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "\"%s\" is too large for a context", e->path);
        while ((r = tar_reader_data(t, &data, &size, &offset, reterr)) > 0) {
                if (offset != buffer_size(b))
                        return error_set(reterr, ERROR_INVALID, "\"%s\" has holes", e->path);
                r = buffer_append(b, data, size);
                if (r < 0)
                        return r;
        }
        return r;
}

/* ENDPOINT/FILE */
static int import_tls(const Import *i, const char *path, const Buffer *b, Error *reterr) {
        _cleanup_(freep) char *endpoint = NULL, *file = NULL, *folder = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = str_split_pair(path, '/', &endpoint, &file);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !path_is_safe_name(endpoint) || !path_is_safe_name(file))
                return error_set(reterr, ERROR_INVALID, "unexpected context file \"tls/%s\"", path);

        folder = path_join(i->tls_folder, endpoint);
        r = folder ? file_mkdir_p(folder, 0700) : -ENOMEM;
        if (r >= 0)
                r = fd = file_open_dir(AT_FDCWD, folder);
        if (r >= 0)
                r = file_write_atomic(
                        fd, file, buffer_head(b), buffer_size(b), 0600, FILE_WRITE_DURABLE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write %s/%s", str_or_empty(folder), file)
                     : 0;
}

static int import_entry(Import *i, TarReader *t, const TarEntry *e, Error *reterr) {
        const char *below = str_starts(e->path, TLS_FOLDER);
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        if (e->type == TAR_DIRECTORY)
                return 0;
        if (e->type != TAR_FILE || (!below && !streq(e->path, META_NAME)))
                return error_set(reterr, ERROR_INVALID, "unexpected context file \"%s\"", e->path);
        r = read_content(t, e, &b, reterr);
        if (r < 0)
                return r;
        if (below)
                return import_tls(i, below, &b, reterr);
        i->meta = json_unref(i->meta);
        r = json_parse(buffer_head(&b), buffer_size(&b), META_MAX, &i->meta, reterr);
        if (r >= 0 && json_type_of(i->meta) != JSON_TYPE_OBJECT)
                r = error_set(reterr, ERROR_INVALID, META_NAME " of the context is no object");
        return r;
}

/* docker leaves the end of its archives away, even the rest of the last block. */
typedef struct Padded {
        FdSource input;
        ByteSource source;
        uint64_t n;
} Padded;

static int padded_next(void *userdata, const void **ret_data, size_t *ret_size) {
        static const char zeros[512];
        Padded *p = userdata;
        int r;

        r = byte_source_next(&p->source, ret_data, ret_size);
        if (r == 0 && p->n % sizeof(zeros) > 0) {
                *ret_data = zeros;
                *ret_size = sizeof(zeros) - p->n % sizeof(zeros);
                r = 1;
        }
        if (r > 0)
                p->n += *ret_size;
        return r;
}

static void padded_done(Padded *p) {
        fd_source_done(&p->input);
}

static int import_all(Import *i, int from_fd, Error *reterr) {
        _cleanup_(padded_done) Padded input = {};
        _cleanup_(tar_reader_freep) TarReader *t = NULL;
        TarLimits limits = tar_limits_default;
        const ByteSource source = { padded_next, &input };
        const TarEntry *e;
        int r;

        r = fd_source_init(&input.input, from_fd);
        if (r < 0)
                return r;
        input.source = fd_source(&input.input);
        limits.entries = FILES_MAX;
        limits.bytes = FILE_MAX;
        r = tar_reader_new(&source, &limits, &t);
        while (r >= 0 && (r = tar_reader_next(t, &e, reterr)) > 0)
                r = import_entry(i, t, e, reterr);
        if (r < 0)
                return r;
        return i->meta ? 0 : error_set(reterr, ERROR_INVALID, "invalid context: no metadata found");
}

int context_import(const ClientConfig *c, const char *name, int from_fd, Error *reterr) {
        _cleanup_(import_done) Import i = { .config = c, .name = name };
        _cleanup_(freep) char *folder = NULL;
        Context x = { .name = (char *) name };
        int r;

        r = archive_late_load(reterr);
        if (r >= 0)
                r = context_folders(c, name, &folder, &i.tls_folder);
        if (r < 0)
                return r;

        r = import_all(&i, from_fd, reterr);
        if (r >= 0) {
                const Json *docker = json_get(json_get(i.meta, "Endpoints"), "docker");

                x.document = i.meta;
                x.skip_verify = json_get_bool(docker, "SkipTLSVerify", false);
                r = context_save(c, &x, NULL, reterr);
        }
        if (r < 0)
                (void) context_remove(c, name, NULL);
        return r;
}
