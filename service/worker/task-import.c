/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the tar of a root file system becomes an image of one layer. */
#include <errno.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/storage/apply.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/image-spec.h"
#include "service/worker/image-write.h"
#include "service/worker/import-changes.h"
#include "service/worker/intake.h"
#include "service/worker/platform.h"
#include "service/worker/task.h"

static int import_read(TaskContext *c, Intake *ret, Error *reterr) {
        const IntakeOptions options = { .label = "", .keep_usual = true, .must_be_tar = true };
        _cleanup_(fd_source_done) FdSource input = {};
        ByteSource source;
        int r;

        r = fd_source_init(&input, c->fds[0]);
        if (r < 0)
                return r;
        input.cancel_fd = c->cancel_fd;
        source = fd_source(&input);

        r = intake_run(c, &source, &options, ret, reterr);
        if (r < 0)
                return r;

        if (error_is_set(&ret->unpack_error)) {
                r = error_kind_to_errno(ret->unpack_error.kind);
                error_move(reterr, &ret->unpack_error);
                return r;
        }
        return 0;
}

/* A driver that copies had to wait for the blob; it is unpacked now. */
static int import_layer(TaskContext *c, Intake *i, Error *reterr) {
        Layer record = { .chain_id = i->diff_id, .diff_id = i->diff_id, .blob = i->digest };
        _cleanup_(layer_build_freep) LayerBuild *build = TAKE_PTR(i->build);
        int r;

        r = layer_is_whole(c->storage, i->diff_id);
        if (r != 0)
                return r < 0 ? r : 0;

        if (!build) {
                _cleanup_(fd_closep) int fd = blobs_open_fd(c->blobs, i->digest, NULL);

                if (fd < 0)
                        return fd;
                r = layer_build_new(c->storage, NULL, &build, reterr);
                if (r >= 0)
                        r = layer_build_apply(
                                build, &(const ApplyOptions) { .blob_fd = fd }, reterr);
                if (r < 0)
                        return r;
        }

        return layer_build_commit(build, &record, reterr);
}

static int import_config(
        const TaskContext *c, const Platform *p, const char *diff_id, char **ret, Error *reterr) {
        _cleanup_(image_config_done) ImageConfig config = {};
        char now[CLOCK_TEXT_SIZE];
        int r;

        image_config_init(&config);
        (void) clock_format(clock_realtime_ns(), now);

        r = import_changes_apply(&config.config, c->spec.changes, reterr);
        if (r < 0)
                return r;

        config.history = new0(ImageHistory, 1);
        if (!config.history)
                return -ENOMEM;
        config.n_history = 1;

        if (str_copy(&config.created, now) < 0 || str_copy(&config.history[0].created, now) < 0 ||
                str_copy(&config.history[0].comment, c->spec.message) < 0 ||
                str_copy(&config.comment, c->spec.message) < 0 || str_copy(&config.os, p->os) < 0 ||
                str_copy(&config.architecture, p->architecture) < 0 ||
                str_copy(&config.variant, p->variant) < 0 ||
                str_copy(&config.rootfs.type, "layers") < 0 ||
                strv_add(&config.rootfs.diff_ids, diff_id) < 0)
                return -ENOMEM;

        return image_config_write(&config, ret);
}

int task_import_run(TaskContext *c, Error *reterr) {
        char config_digest[DIGEST_TEXT_SIZE], manifest_digest[DIGEST_TEXT_SIZE];
        _cleanup_(platform_done) Platform platform = {};
        _cleanup_(image_run_config_done) ImageRunConfig checked = {};
        _cleanup_(intake_done) Intake i = {};
        _cleanup_(freep) char *config = NULL;
        int r;

        /* What a person wrote is judged before the long work. */
        r = platform_wanted(c->spec.platform, &platform, reterr);
        if (r < 0)
                return r;
        image_run_config_init(&checked);
        r = import_changes_apply(&checked, c->spec.changes, reterr);
        if (r < 0)
                return r;

        r = import_read(c, &i, reterr);
        if (r >= 0)
                r = import_layer(c, &i, reterr);
        if (r >= 0)
                r = import_config(c, &platform, i.diff_id, &config, reterr);
        if (r >= 0)
                r = blobs_put(c->blobs, config, strlen(config), config_digest);
        if (r >= 0)
                r = image_write_manifest(c->blobs, config_digest,
                        &(const ImageBlob) { i.digest, i.size, i.compression }, 1, manifest_digest,
                        reterr);
        if (r >= 0)
                r = task_add_image(c, config_digest, manifest_digest, c->spec.tags);
        if (r >= 0)
                r = storage_sync(c->storage);
        return r;
}
