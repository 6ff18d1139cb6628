/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load: docker-archive, OCI archive and OCI layout in a tar; see load.h for how. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/storage/apply.h"
#include "lib/archive/compress.h"
#include "lib/archive/tar-read.h"
#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "service/worker/load.h"
#include "service/worker/platform.h"
#include "service/worker/task.h"

#define DRAIN_MAX ((size_t) 1 << 20) /* of what follows the archive's end */

static const char *const document_names[_LOAD_DOCUMENT_MAX] = {
        [LOAD_MANIFEST_JSON] = "manifest.json",
        [LOAD_INDEX_JSON] = "index.json",
        [LOAD_OCI_LAYOUT] = "oci-layout",
        [LOAD_REPOSITORIES] = "repositories",
};

/* The content of the outer archive's present entry, as a stream. */
typedef struct EntrySource {
        TarReader *reader;
        const TarEntry *entry;
        uint64_t position;
        Error *error;
} EntrySource;

static int entry_source_next(void *userdata, const void **ret_data, size_t *ret_size) {
        EntrySource *s = userdata;
        uint64_t offset;
        int r;

        r = tar_reader_data(s->reader, ret_data, ret_size, &offset, s->error);
        if (r < 0)
                return r;
        if (r == 0 ? s->position != s->entry->size : s->position != offset)
                return error_set(s->error, ERROR_INVALID,
                        "entry \"%s\": holes in a file of an image", s->entry->path);
        if (r > 0)
                s->position += *ret_size;
        return r;
}

LoadFile *load_file_free(LoadFile *f) {
        if (!f)
                return NULL;

        intake_done(&f->intake);
        free(f->path);
        free(f->link);
        return mfree(f);
}

static int load_add(Load *l, LoadFile *f, Error *reterr) {
        int r;

        if (hashmap_size(l->files) >= LOAD_FILES_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "archive has more than %u files", LOAD_FILES_MAX);

        r = hashmap_ensure_put(&l->files, HASHMAP_STRING, f->path, f);
        if (r == -EEXIST)
                return error_set(reterr, ERROR_INVALID, "archive holds \"%s\" twice", f->path);
        return r;
}

/* "a/b/c" + "../x/y" is "a/x/y", as text: these are keys. */
static int load_link_target(const TarEntry *e, char **ret) {
        _cleanup_(freep) char *joined = NULL, *clean = NULL;
        int r;

        if (e->type == TAR_HARDLINK)
                return str_copy(ret, e->link);

        if (str_printf(&joined, "%.*s%s", (int) (e->name - e->path), e->path, e->link) < 0)
                return -ENOMEM;
        r = path_normalise(joined, &clean);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(clean); /* what leads out of the archive is no key, so it is not found */
        return 0;
}

static int load_document(Load *l, TarReader *t, const TarEntry *e, LoadDocument *d, Error *reterr) {
        EntrySource entry = { .reader = t, .entry = e, .error = reterr };
        ByteSource source = { entry_source_next, &entry };
        _cleanup_(freep) char *text = NULL;
        size_t n = 0, size;
        const void *data;
        int r;

        if (d->text)
                return error_set(reterr, ERROR_INVALID, "archive holds \"%s\" twice", d->name);
        if (e->size > IMAGE_DOCUMENT_SIZE_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "\"%s\" is larger than 4 MiB", d->name);

        text = new0(char, e->size + 1);
        if (!text)
                return -ENOMEM;

        while ((r = byte_source_next(&source, &data, &size)) > 0) { /* never more than e->size */
                memcpy(text + n, data, size);
                n += size;
        }
        if (r < 0)
                return r;

        d->text = TAKE_PTR(text);
        d->size = n;
        return 0;
}

/* Files that old archives hold beside each layer and that nothing refers to. */
static bool load_is_leftover(const TarEntry *e) {
        return e->name != e->path && STR_IN_SET(e->name, "VERSION", "json");
}

/* Bytes of this digest are in the store: those of the archive need not be looked at. What the disk has damaged is not known: it is
 * taken anew. */
static int load_find_known(Load *l, LoadFile *f, const char *digest) {
        int fd, r;

        r = blobs_is_whole(l->context->blobs, digest);
        if (r <= 0)
                return r;
        fd = blobs_open_fd(l->context->blobs, digest, &f->intake.size);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        fd_close(fd);

        f->known = true;
        (void) strcpy(f->intake.digest, digest);
        return 1;
}

static int load_regular(Load *l, TarReader *t, const TarEntry *e, Error *reterr) {
        char digest[DIGEST_TEXT_SIZE] = "", short_id[IDENT_SHORT_SIZE] = "";
        EntrySource entry = { .reader = t, .entry = e, .error = reterr };
        ByteSource source = { entry_source_next, &entry };
        _cleanup_(load_file_freep) LoadFile *f = NULL;
        const char *hex;
        int r;

        f = new0(LoadFile, 1);
        if (!f || str_copy(&f->path, e->path) < 0)
                return -ENOMEM;

        hex = str_starts(e->path, "blobs/sha256/");
        if (hex && ident_is_valid(hex)) {
                (void) snprintf(digest, sizeof(digest), "sha256:%s", hex);
                (void) ident_short(digest, short_id);

                r = load_find_known(l, f, digest);
                if (r < 0)
                        return r;
        } else
                (void) snprintf(short_id, sizeof(short_id),
                        "%.12s", /* rule R12: it is shown on terminals */
                        str_is_ascii_printable(e->path) ? e->path : "file");

        /* One of the two is not what it is called: the digest of this one will tell. */
        if (f->intake.size != e->size)
                f->known = false;

        if (!f->known) {
                const IntakeOptions options = {
                        .label = short_id,
                        .total = e->size,
                        .expected = digest[0] ? digest : NULL,
                        .keep_usual = !digest[0],
                };

                r = intake_run(l->context, &source, &options, &f->intake, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "\"%s\"", e->path);
        }

        r = load_add(l, f, reterr);
        if (r < 0)
                return r;
        TAKE_PTR(f);
        return 0;
}

static int load_link(Load *l, const TarEntry *e, Error *reterr) {
        _cleanup_(load_file_freep) LoadFile *f = NULL;
        int r;

        f = new0(LoadFile, 1);
        if (!f || str_copy(&f->path, e->path) < 0)
                return -ENOMEM;
        r = load_link_target(e, &f->link);
        if (r >= 0)
                r = load_add(l, f, reterr);
        if (r < 0)
                return r;

        TAKE_PTR(f);
        return 0;
}

static int load_entry(Load *l, TarReader *t, const TarEntry *e, Error *reterr) {
        switch (e->type) {
        case TAR_FILE:
                for (size_t i = 0; i < _LOAD_DOCUMENT_MAX; i++)
                        if (streq(e->path, l->documents[i].name))
                                return load_document(l, t, e, l->documents + i, reterr);
                return load_is_leftover(e) ? 0 : load_regular(l, t, e, reterr);
        case TAR_SYMLINK:
        case TAR_HARDLINK:
                return load_link(l, e, reterr);
        case TAR_DIRECTORY:
                return 0;
        default:
                return error_set(reterr, ERROR_INVALID,
                        "entry \"%s\": an archive of images holds no devices", e->path);
        }
}

int load_find(Load *l, const char *name, LoadFile **ret, Error *reterr) {
        _cleanup_(freep) char *clean = NULL;
        LoadFile *f;
        int r;

        r = path_normalise(str_or_empty(name), &clean);
        if (r < 0)
                return r;

        f = hashmap_get(l->files, clean);
        for (unsigned i = 0; f && f->link; i++) {
                if (i >= LOAD_LINKS_MAX)
                        return error_set(
                                reterr, ERROR_INVALID, "\"%s\" is a chain of too many links", name);
                f = hashmap_get(l->files, f->link);
        }
        if (!f)
                return error_set(
                        reterr, ERROR_INVALID, "archive lacks the file \"%s\"", str_or_empty(name));

        *ret = f;
        return 0;
}

int load_find_blob(Load *l, const char *digest, LoadFile **ret, Error *reterr) {
        _cleanup_(load_file_freep) LoadFile *f = NULL;
        char path[STRLEN("blobs/sha256/") + IDENT_SIZE];
        int r;

        if (!image_digest_is_valid(digest))
                return error_set(reterr, ERROR_INVALID, "\"%s\" is no sha256 digest", digest);

        (void) snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(digest));
        if (hashmap_contains(l->files, path))
                return load_find(l, path, ret, reterr);

        f = new0(LoadFile, 1);
        if (!f || str_copy(&f->path, path) < 0)
                return -ENOMEM;
        r = load_find_known(l, f, digest);
        if (r == 0)
                return error_set(reterr, ERROR_INVALID, "archive lacks the blob %s", digest);
        if (r < 0)
                return r;

        r = load_add(l, f, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

static int load_read(Load *l, Error *reterr) {
        const TarLimits limits = {
                .entries = LOAD_FILES_MAX,
                .bytes = tar_limits_default.bytes,
                .file_size = tar_limits_default.file_size,
                .path = 1024,
                .depth = 16,
        };
        _cleanup_(fd_source_done) FdSource input = {};
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(tar_reader_freep) TarReader *t = NULL;
        ByteSource raw, plain;
        const TarEntry *e;
        size_t drained = 0, size;
        const void *data;
        int r;

        r = fd_source_init(&input, l->context->fds[0]);
        if (r < 0)
                return r;
        input.cancel_fd = l->context->cancel_fd;
        raw = fd_source(&input);

        r = decompressor_new(&raw, &d);
        if (r < 0)
                return r;
        plain = decompressor_source(d);

        r = tar_reader_new(&plain, &limits, &t);
        if (r < 0)
                return r;

        while ((r = tar_reader_next(t, &e, reterr)) > 0) {
                r = load_entry(l, t, e, reterr);
                if (r < 0)
                        break;
        }
        if (r == -EBADMSG || r == -EFBIG)
                return error_set(reterr, ERROR_INVALID, "compressed archive is damaged");
        if (r == -EOPNOTSUPP)
                return error_set(reterr, ERROR_INVALID, "archive is compressed in an unknown way");
        if (r < 0)
                return r;

        /* Who sends it is not to get SIGPIPE for the padding at the end. */
        while (drained < DRAIN_MAX && byte_source_next(&raw, &data, &size) > 0)
                drained += size;

        return 0;
}

static int load_dispatch(Load *l, Error *reterr) {
        if (l->documents[LOAD_MANIFEST_JSON].text)
                return load_docker(l, reterr);
        if (l->documents[LOAD_INDEX_JSON].text)
                return load_oci(l, reterr);
        if (l->documents[LOAD_REPOSITORIES].text)
                return error_set(reterr, ERROR_INVALID,
                        "the archive was saved by a Docker before 1.10 (it has no manifest.json), "
                        "which is not supported");

        return error_set(reterr, ERROR_INVALID,
                "not an archive of images: it has neither manifest.json nor index.json (a root "
                "file system is taken by import)");
}

void load_done(Load *l) {
        hashmap_free_with(l->files, load_file_free);
        for (size_t i = 0; i < _LOAD_DOCUMENT_MAX; i++)
                free(l->documents[i].text);
        platform_done(&l->platform);
}

int task_load_run(TaskContext *c, Error *reterr) {
        _cleanup_(load_done) Load l = { .context = c };
        int r;

        for (size_t i = 0; i < _LOAD_DOCUMENT_MAX; i++)
                l.documents[i].name = document_names[i];

        r = platform_wanted(c->spec.platform, &l.platform, reterr);
        if (r >= 0)
                r = load_read(&l, reterr);
        if (r >= 0)
                r = load_dispatch(&l, reterr);
        if (r < 0)
                return r;

        if (c->result.n_images == 0)
                return error_set(reterr, ERROR_INVALID, "the archive holds no image");

        r = storage_sync(c->storage);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to sync the images");
        return 0;
}
