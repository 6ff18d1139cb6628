/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commit: what a container has changed becomes a layer on top of its image's, and both an image. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/content/blobs.h"
#include "engine/storage/apply.h"
#include "engine/storage/diff.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage.h"
#include "lib/archive/compress.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/oci/image-spec.h"
#include "service/worker/image-write.h"
#include "service/worker/import-changes.h"
#include "service/worker/platform.h"
#include "service/worker/task.h"

#define EMPTY_ARCHIVE_SIZE 1024U /* the two blocks at the end of a tar */

typedef struct Commit {
        TaskContext *context;
        BlobWriter *writer;
        ImageConfig config;
        char **chain; /* of the image below, lowest first */
        char diff_id[DIGEST_TEXT_SIZE];
        uint64_t size;
        bool no_layer; /* nothing has changed, and then there shall be none */
} Commit;

static void commit_done(Commit *k) {
        blob_writer_free(k->writer);
        image_config_done(&k->config);
        strv_free(k->chain);
}

/* The config of the image below, or a new one. */
static int commit_read_base(Commit *k, Error *reterr) {
        TaskContext *c = k->context;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (str_empty(c->spec.image)) {
                _cleanup_(platform_done) Platform p = {};

                image_config_init(&k->config);
                r = platform_wanted(NULL, &p, reterr);
                if (r < 0)
                        return r;
                return str_copy(&k->config.os, p.os) < 0 ||
                                       str_copy(&k->config.architecture, p.architecture) < 0 ||
                                       str_copy(&k->config.variant, p.variant) < 0 ||
                                       str_copy(&k->config.rootfs.type, "layers") < 0
                             ? -ENOMEM
                             : 0;
        }

        r = blobs_read(c->blobs, c->spec.image, &text, &size, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot read image %s", c->spec.image);
        r = image_config_read(text, size, &k->config, reterr);
        if (r < 0)
                return r;
        return layer_chain_ids(k->config.rootfs.diff_ids, &k->chain);
}

/* What the container is configured as, and what a person wants different. */
static int commit_read_wishes(Commit *k, Error *reterr) {
        _cleanup_(image_run_config_done) ImageRunConfig wish = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        TaskContext *c = k->context;
        int r;

        image_run_config_init(&wish);
        if (!str_empty(c->spec.config)) {
                r = json_parse(c->spec.config, strlen(c->spec.config), JSON_SIZE_MAX, &v, reterr);
                if (r >= 0)
                        r = json_read(v, image_run_config_fields, &wish, reterr);
                if (r < 0)
                        return r;
        }
        r = import_changes_apply(&wish, c->spec.changes, reterr);
        if (r < 0)
                return r;

        image_run_config_done(&k->config.config);
        k->config.config = wish;
        image_run_config_init(&wish);
        return 0;
}

static int commit_write(void *userdata, const void *data, size_t size) {
        Commit *k = userdata;

        if (task_cancelled(k->context))
                return -ECANCELED;
        return blob_writer_write(k->writer, data, size);
}

static int commit_archive(Commit *k, Error *reterr) {
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        TaskContext *c = k->context;
        int r;

        r = blob_writer_new(c->blobs, &k->writer);
        if (r >= 0)
                r = tar_writer_new(&(const TarWriterOptions) { .sink = { commit_write, k },
                                           .proc_fd = c->proc_fd },
                        &t);
        if (r >= 0)
                r = storage_diff_tar(c->storage, c->spec.layer_id, t, reterr);
        if (r >= 0)
                r = tar_writer_finish(t, reterr);
        if (r < 0)
                return r;

        k->no_layer = c->spec.no_empty_layer && blob_writer_size(k->writer) <= EMPTY_ARCHIVE_SIZE;
        if (k->no_layer)
                return 0;
        k->size = blob_writer_size(k->writer);
        (void) strcpy(k->diff_id, blob_writer_digest(k->writer));
        return blob_writer_commit(k->writer, NULL, NULL, reterr);
}

static int commit_layer(Commit *k, Error *reterr) {
        _cleanup_(layer_build_freep) LayerBuild *build = NULL;
        _cleanup_(freep) char *chain_id = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        TaskContext *c = k->context;
        size_t n = strv_length(k->chain);
        char *parent = n > 0 ? k->chain[n - 1] : NULL;
        Layer record;
        int r;

        r = layer_chain_id(parent, k->diff_id, &chain_id);
        if (r < 0)
                return r;
        record = (Layer) {
                .chain_id = chain_id, .parent = parent, .diff_id = k->diff_id, .blob = k->diff_id
        };

        r = layer_is_whole(c->storage, chain_id);
        if (r == 0) {
                fd = blobs_open_fd(c->blobs, k->diff_id, NULL);
                r = fd < 0 ? fd : layer_build_new(c->storage, parent, &build, reterr);
                if (r >= 0)
                        r = layer_build_apply(
                                build, &(const ApplyOptions) { .blob_fd = fd }, reterr);
                if (r >= 0)
                        r = layer_build_commit(build, &record, reterr);
        }
        if (r >= 0)
                r = strv_add(&k->chain, chain_id);
        return r < 0 ? r : strv_add(&k->config.rootfs.diff_ids, k->diff_id);
}

static int commit_config(Commit *k, char ret[static DIGEST_TEXT_SIZE]) {
        _cleanup_(freep) char *text = NULL;
        ImageConfig *config = &k->config;
        TaskContext *c = k->context;
        char now[CLOCK_TEXT_SIZE];
        ImageHistory *h;
        int r;

        (void) clock_format(clock_realtime_ns(), now);
        h = reallocarray(config->history, config->n_history + 1, sizeof(*h));
        if (!h)
                return -ENOMEM;
        config->history = h;
        h += config->n_history++;
        *h = (ImageHistory) { .empty_layer = k->no_layer };

        if (str_copy(&h->created, now) < 0 || str_copy(&h->author, c->spec.author) < 0 ||
                str_copy(&h->comment, c->spec.message) < 0 ||
                str_copy(&h->created_by, c->spec.name) < 0 || str_copy(&config->created, now) < 0 ||
                str_copy(&config->author, c->spec.author) < 0 ||
                str_copy(&config->comment, c->spec.message) < 0 ||
                str_copy(&config->container, c->spec.layer_id) < 0)
                return -ENOMEM;

        r = image_config_write(config, &text);
        return r < 0 ? r : blobs_put(c->blobs, text, strlen(text), ret);
}

/* The blob that a layer was unpacked from, as a manifest names it. */
static int commit_blob(Commit *k, const char *chain_id, Layer *l, ImageBlob *ret, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char head[COMPRESSION_MAGIC_SIZE];
        ssize_t n;
        int r;

        r = layer_load(k->context->storage, chain_id, l);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot read layer %s", chain_id);
        fd = blobs_open_fd(k->context->blobs, l->blob, &ret->size);
        if (fd < 0)
                return error_set_errno(reterr, fd, "Cannot read blob %s", l->blob);
        n = pread(fd, head, sizeof(head), 0);
        if (n < 0)
                return -errno;
        ret->digest = l->blob;
        ret->compression = compression_detect(head, (size_t) n);
        return 0;
}

static int commit_manifest(
        Commit *k, const char *config, char ret[static DIGEST_TEXT_SIZE], Error *reterr) {
        size_t n = strv_length(k->chain), n_read;
        _cleanup_(freep) ImageBlob *blobs = new0(ImageBlob, n);
        _cleanup_(freep) Layer *layers = new0(Layer, n);
        int r = 0;

        if (!blobs || !layers)
                return -ENOMEM;

        for (n_read = 0; r >= 0 && n_read < n; n_read++)
                r = commit_blob(k, k->chain[n_read], layers + n_read, blobs + n_read, reterr);
        if (r >= 0)
                r = image_write_manifest(k->context->blobs, config, blobs, n, ret, reterr);

        for (size_t i = 0; i < n_read; i++)
                layer_done(layers + i);
        return r;
}

int task_commit_run(TaskContext *c, Error *reterr) {
        char config[DIGEST_TEXT_SIZE], manifest[DIGEST_TEXT_SIZE];
        _cleanup_(commit_done) Commit k = { .context = c };
        int r;

        r = commit_read_base(&k, reterr);
        if (r >= 0)
                r = commit_read_wishes(&k, reterr);
        if (r >= 0)
                r = commit_archive(&k, reterr);
        if (r >= 0)
                r = task_progress(c, /* urgent= */ true, TASK_ROW_ARCHIVED, "", 0, 0);
        if (r >= 0 && !k.no_layer)
                r = commit_layer(&k, reterr);
        if (r >= 0)
                r = commit_config(&k, config);
        if (r >= 0)
                r = commit_manifest(&k, config, manifest, reterr);
        if (r >= 0)
                r = task_add_image(c, config, manifest, c->spec.tags);
        if (r >= 0)
                r = storage_sync(c->storage);
        return r;
}
