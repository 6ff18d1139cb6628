/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/storage/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/storage/driver.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage-internal.h"
#include "lib/archive/compress.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

struct LayerBuild {
        Storage *storage;
        char *folder; /* in tmp; NULL once it has its real name */
        int dir_fd;
        ApplyResult result;
};

bool storage_unpacks_alone(const Storage *s) {
        return FLAGS_SET(s->driver->flags, STORAGE_UNPACK_ALONE);
}

int layer_build_new(Storage *s, const char *parent, LayerBuild **ret, Error *reterr) {
        _cleanup_(layer_build_freep) LayerBuild *b = NULL;
        const char *below = NULL;
        int r;

        assert(s);
        assert(ret);

        if (parent) {
                below = storage_layer_digits(parent);
                if (!below)
                        return -EINVAL;
        }

        b = new0(LayerBuild, 1);
        if (!b)
                return -ENOMEM;
        b->storage = s;
        b->dir_fd = -EBADF;

        r = storage_folder_make(s, &b->folder);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to make a folder for a layer");

        b->dir_fd = file_open_dir(s->tmp_fd, b->folder);
        r = b->dir_fd < 0
                  ? b->dir_fd
                  : s->driver->create(s->state, b->dir_fd, below, /* writable= */ false, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to make a layer");

        *ret = TAKE_PTR(b);
        return 0;
}

LayerBuild *layer_build_free(LayerBuild *b) {
        if (!b)
                return NULL;

        fd_close(b->dir_fd);
        if (b->folder)
                (void) file_remove_tree(b->storage->tmp_fd, b->folder);
        free(b->folder);
        apply_result_done(&b->result);
        return mfree(b);
}

/* The common way, for drivers that keep whole trees: a whiteout removes. Whiteouts go first, in a pass of their own: they are about
 * the layers below, whatever the order in the archive. */
static int common_whiteout(void *userdata, int dir_fd, const char *name, Error *reterr) {
        return tar_remove_name(dir_fd, name, reterr);
}

static int common_opaque(void *userdata, int dir_fd, const char *path, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd < 0 ? -errno : file_remove_contents(fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot empty \"%s\"", path);
        return 0;
}

static int common_pass(int diff_fd, const ApplyOptions *options, TarPass pass,
        TarExtractResult *ret, Error *reterr) {
        static const TarExtractOps ops = { .whiteout = common_whiteout, .opaque = common_opaque };
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(fd_source_done) FdSource file = {};
        ByteSource raw, plain;
        int r;

        if (lseek(options->blob_fd, 0, SEEK_SET) < 0)
                return -errno;
        r = fd_source_init(&file, options->blob_fd);
        if (r < 0)
                return r;
        raw = fd_source(&file);
        r = decompressor_new(&raw, &d);
        if (r < 0)
                return r;
        plain = decompressor_source(d);

        return tar_extract(
                &(const TarExtract) {
                        .root_fd = diff_fd, .limits = options->limits, .ops = &ops, .pass = pass },
                &plain, ret, reterr);
}

static int common_apply(int diff_fd, const ApplyOptions *options, ApplyResult *ret, Error *reterr) {
        int r;

        assert(options->blob_fd >= 0);

        r = common_pass(diff_fd, options, TAR_PASS_WHITEOUTS, NULL, reterr);
        if (r < 0)
                return r;
        return common_pass(diff_fd, options, TAR_PASS_REST, &ret->tar, reterr);
}

int layer_build_apply(LayerBuild *b, const ApplyOptions *options, Error *reterr) {
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(fd_source_done) FdSource file = {};
        _cleanup_(fd_closep) int diff = -EBADF;
        ApplyOptions o = *options;
        ByteSource raw, plain;
        int r;

        assert(b);

        diff = file_open_dir(b->dir_fd, LAYER_DIFF);
        if (diff < 0)
                return diff;

        if (!b->storage->driver->unpack)
                return common_apply(diff, options, &b->result, reterr);

        if (!o.source) {
                if (lseek(o.blob_fd, 0, SEEK_SET) < 0)
                        return -errno;
                r = fd_source_init(&file, o.blob_fd);
                if (r < 0)
                        return r;
                raw = fd_source(&file);
                r = decompressor_new(&raw, &d);
                if (r < 0)
                        return r;
                plain = decompressor_source(d);
                o.source = &plain;
        }

        return tar_extract(
                &(const TarExtract) {
                        .root_fd = diff,
                        .limits = o.limits,
                        .ops = b->storage->driver->unpack,
                        .userdata = &b->result,
                        .pass = TAR_PASS_ALL,
                },
                o.source, &b->result.tar, reterr);
}

const ApplyResult *layer_build_result(const LayerBuild *b) {
        return &b->result;
}

/* Folders that the archive did not name take after the layers below, now that it is known which these are. */
static int layer_build_adopt(LayerBuild *b, const char *parent) {
        _cleanup_(strv_freep) char **chain = NULL, **root = NULL;
        _cleanup_(fd_closep) int diff = -EBADF;
        Storage *s = b->storage;
        int r;

        if (!parent || !s->driver->adopt)
                return 0;

        diff = file_open_dir(b->dir_fd, LAYER_DIFF);
        if (diff < 0)
                return diff;
        r = storage_chain(s, storage_layer_digits(parent), &chain);
        if (r < 0)
                return r;

        if (!b->result.tar.has_root) {
                root = strv_new("");
                if (!root)
                        return -ENOMEM;
                r = s->driver->adopt(s->state, diff, chain, root);
                if (r < 0)
                        return r;
        }

        return s->driver->adopt(s->state, diff, chain, b->result.implied);
}

/* Containers may stand on the layer that is there, so it stays; a record that the disk has damaged is written anew. */
static int layer_build_meet(Storage *s, const char *digits, const Layer *record) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = layer_is_whole(s, record->chain_id);
        if (r != 0)
                return r < 0 ? r : 0;

        fd = file_open_dir(s->layers_fd, digits);
        return fd < 0 ? fd : layer_save_at(fd, record);
}

int layer_build_commit(LayerBuild *b, Layer *record, Error *reterr) {
        const char *digits, *below = NULL;
        Storage *s = b->storage;
        int r;

        assert(b->folder);
        assert(record);

        digits = storage_layer_digits(record->chain_id);
        if (!digits)
                return -EINVAL;
        if (record->parent) {
                below = storage_layer_digits(record->parent);
                if (!below)
                        return -EINVAL;
        }

        record->version = LAYER_VERSION;
        record->size = b->result.tar.bytes;

        r = layer_build_adopt(b, record->parent);
        if (r >= 0)
                r = layer_save_at(b->dir_fd, record);
        if (r >= 0)
                r = storage_folder_publish(
                        s, b->folder, digits, b->result.opaque_root ? NULL : below);
        if (r == -EEXIST) /* another worker was faster; its layer is the same */
                return layer_build_meet(s, digits, record);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to keep layer %s", record->chain_id);

        b->folder = mfree(b->folder);
        return 0;
}

int storage_sync(Storage *s) {
        return syncfs(s->root_fd) < 0 ? -errno : 0;
}
