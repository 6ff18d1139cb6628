/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files in the store to an image: the config is checked, each layer becomes visible under its chain id, a manifest is written
 * if the archive had none. Nothing refers to any of it before the daemon has the result. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/content/blobs.h"
#include "engine/storage/apply.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage.h"
#include "lib/archive/compress.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/worker/image-write.h"
#include "service/worker/load.h"
#include "service/worker/task.h"

static int load_config(Load *l, const LoadImage *image, ImageConfig *ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        size_t size, n;
        int r;

        r = blobs_read(l->context->blobs, image->config_digest, &text, &size, reterr);
        if (r == -EFBIG)
                return error_set(reterr, ERROR_TOO_LARGE, "config is larger than 4 MiB");
        if (r >= 0)
                r = image_config_read(text, size, ret, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "config");

        if (!str_empty(ret->os) && !streq(ret->os, "linux"))
                return error_set(reterr, ERROR_INVALID,
                        "image operating system \"%s\" cannot be used on this platform", ret->os);

        n = strv_length(ret->rootfs.diff_ids);
        if (n != image->n_layers)
                return error_set(reterr, ERROR_INVALID,
                        "config names %zu layers, the archive brings %zu", n, image->n_layers);
        if (n > STORAGE_LAYERS_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "image has %zu layers, more than %u", n,
                        STORAGE_LAYERS_MAX);

        return 0;
}

/* The diff id of a blob that was not looked at when it passed (it was in the store already). */
static int load_measure(Load *l, Intake *i, Error *reterr) {
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(fd_source_done) FdSource file = {};
        _cleanup_(digest_freep) Digest *digest = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        const void *data;
        ByteSource raw;
        size_t size;
        int r;

        fd = blobs_open_fd(l->context->blobs, i->digest, NULL);
        if (fd < 0)
                return error_set_errno(reterr, fd, "blob %s", i->digest);
        r = fd_source_init(&file, fd);
        if (r < 0)
                return r;
        file.cancel_fd = l->context->cancel_fd;
        raw = fd_source(&file);
        r = decompressor_new(&raw, &d);
        if (r >= 0)
                r = decompressor_kind(d, &i->compression);
        if (r >= 0)
                r = digest_new(DIGEST_SHA256, &digest);
        while (r >= 0 && (r = decompressor_next(d, &data, &size)) > 0)
                digest_update(digest, data, size);
        if (r == -EBADMSG || r == -EFBIG || r == -EOPNOTSUPP)
                return error_set(
                        reterr, ERROR_INVALID, "layer %s: compressed data is damaged", i->digest);
        if (r < 0)
                return r;

        i->is_tar = true;
        (void) digest_text(digest, i->diff_id);
        return 0;
}

static int load_unpack_blob(
        Load *l, const Intake *i, const char *parent, LayerBuild **ret, Error *reterr) {
        _cleanup_(layer_build_freep) LayerBuild *build = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        fd = blobs_open_fd(l->context->blobs, i->digest, NULL);
        if (fd < 0)
                return error_set_errno(reterr, fd, "blob %s", i->digest);

        r = layer_build_new(l->context->storage, parent, &build, reterr);
        if (r >= 0)
                r = layer_build_apply(build, &(const ApplyOptions) { .blob_fd = fd }, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(build);
        return 0;
}

/* 1: the very same blob has been unpacked as this layer before. */
static int load_layer_is_there(
        Load *l, const Intake *i, const char *chain_id, const char *diff_id) {
        _cleanup_(layer_done) Layer record = {};
        int r;

        r = layer_load(l->context->storage, chain_id, &record);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return str_equal(record.blob, i->digest) && str_equal(record.diff_id, diff_id);
}

/* chain_id and parent are text of ours; diff_id is what the config says and the content must be. */
int load_layer(Load *l, LoadFile *f, const char *chain_id, const char *parent, const char *diff_id,
        Error *reterr) {
        Layer record = { .chain_id = (char *) chain_id,
                .parent = (char *) parent,
                .diff_id = (char *) diff_id };
        _cleanup_(layer_build_freep) LayerBuild *build = NULL;
        Intake *i = &f->intake;
        int r;

        if (error_is_set(&i->unpack_error)) {
                r = error_kind_to_errno(i->unpack_error.kind);
                (void) error_copy(reterr, &i->unpack_error);
                return r;
        }

        r = load_layer_is_there(l, i, chain_id, diff_id);
        if (r != 0)
                return r < 0 ? r : 0;

        if (!i->diff_id[0] && f->known) {
                r = load_measure(l, i, reterr);
                if (r < 0)
                        return r;
        }
        if (!i->is_tar)
                return error_set(reterr, ERROR_INVALID, "not a tar archive");
        if (!streq(i->diff_id, diff_id))
                return error_set(reterr, ERROR_INVALID,
                        "content does not match the config: expected %s, got %s", diff_id,
                        i->diff_id);

        r = layer_is_whole(l->context->storage, chain_id);
        if (r != 0)
                return r < 0 ? r : 0;

        /* A blob may be a layer of several images, or twice of one: unpacked once more then. */
        build = TAKE_PTR(i->build);
        if (!build) {
                r = load_unpack_blob(l, i, parent, &build, reterr);
                if (r < 0)
                        return r;
        }

        record.blob = i->digest;
        return layer_build_commit(build, &record, reterr);
}

static int load_write_manifest(
        Load *l, const LoadImage *image, char ret[static DIGEST_TEXT_SIZE], Error *reterr) {
        _cleanup_(freep) ImageBlob *layers = NULL;

        layers = new0(ImageBlob, image->n_layers + 1);
        if (!layers)
                return -ENOMEM;

        for (size_t i = 0; i < image->n_layers; i++) {
                const Intake *x = &image->layers[i]->intake;

                layers[i] = (ImageBlob) { x->digest, x->size, x->compression };
        }

        return image_write_manifest(
                l->context->blobs, image->config_digest, layers, image->n_layers, ret, reterr);
}

int load_image(Load *l, const LoadImage *image, Error *reterr) {
        _cleanup_(image_config_done) ImageConfig config = {};
        _cleanup_(strv_freep) char **chain_ids = NULL;
        char manifest[DIGEST_TEXT_SIZE];
        int r;

        image_config_init(&config);
        r = load_config(l, image, &config, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", image->name);

        r = layer_chain_ids(config.rootfs.diff_ids, &chain_ids);
        if (r < 0)
                return r;

        for (size_t i = 0; i < image->n_layers; i++) {
                r = load_layer(l, image->layers[i], chain_ids[i], i > 0 ? chain_ids[i - 1] : NULL,
                        config.rootfs.diff_ids[i], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s: layer %zu of %zu (%s)", image->name,
                                i + 1, image->n_layers, image->layers[i]->path);
        }

        if (!image->manifest_digest) {
                r = load_write_manifest(l, image, manifest, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", image->name);
        }

        return task_add_image(
                l->context, image->config_digest, image->manifest_digest ?: manifest, image->tags);
}
