/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "engine/content/blobs.h"
#include "lib/archive/tar-extract.h"
#include "lib/archive/tar-read.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "service/worker/task.h"

#define TAR_BLOCK       512U
#define WRITEBACK_BYTES (UINT64_C(8) << 20) /* the disk starts on a blob while we go on */

/* The pipe: input → raw (blob) → decompressor → plain (diff id) → head (is it a tar?) → unpacking. */
typedef struct Pipe {
        TaskContext *context;
        const IntakeOptions *options;
        const ByteSource *input;
        uint64_t n_input;
        int error; /* input or blob failed: the end of everything */

        BlobWriter *writer;
        bool writes_plain; /* the blob is made of what comes out of the decompressor */
        uint64_t written_back;

        Decompressor *decompressor;
        Digest *diff; /* NULL: the blob's digest is the diff id */

        char head[TAR_BLOCK];
        size_t n_head;
        bool head_given;
        const void *rest;
        size_t n_rest;
} Pipe;

void intake_done(Intake *i) {
        assert(i);

        i->build = layer_build_free(i->build);
        error_done(&i->unpack_error);
}

static void pipe_done(Pipe *p) {
        p->writer = blob_writer_free(p->writer);
        p->decompressor = decompressor_free(p->decompressor);
        p->diff = digest_free(p->diff);
}

/* As for what is unpacked: the last bytes belong to those who are running already. */
static int pipe_check_free(const Pipe *p) {
        struct statvfs st;

        if (fstatvfs(blob_writer_fd(p->writer), &st) < 0)
                return -errno;
        return (uint64_t) st.f_bavail * st.f_frsize < tar_limits_keep(&tar_limits_default, &st)
                     ? -ENOSPC
                     : 0;
}

static int pipe_write(Pipe *p, const void *data, size_t size) {
        uint64_t now;
        int r;

        r = blob_writer_write(p->writer, data, size);
        if (r < 0)
                return p->error = r;

        now = blob_writer_size(p->writer);
        if (now - p->written_back >= WRITEBACK_BYTES) {
                (void) sync_file_range(blob_writer_fd(p->writer), (off_t) p->written_back,
                        (off_t) (now - p->written_back), SYNC_FILE_RANGE_WRITE);
                p->written_back = now;
                r = pipe_check_free(p);
                if (r < 0)
                        return p->error = r;
        }
        return 0;
}

static int pipe_raw(void *userdata, const void **ret_data, size_t *ret_size) {
        Pipe *p = userdata;
        int r;

        r = byte_source_next(p->input, ret_data, ret_size);
        if (r < 0)
                p->error = r;
        if (r <= 0)
                return r;

        p->n_input += *ret_size;
        if (!p->writes_plain) {
                r = pipe_write(p, *ret_data, *ret_size);
                if (r < 0)
                        return r;
        }

        r = task_progress(p->context, /* urgent= */ false, p->options->label,
                p->options->status ?: "Loading layer", p->n_input, p->options->total);
        return r < 0 ? (p->error = r) : 1;
}

static int pipe_plain(Pipe *p, const void **ret_data, size_t *ret_size) {
        int r;

        r = decompressor_next(p->decompressor, ret_data, ret_size);
        if (r <= 0)
                return r;

        if (p->writes_plain) {
                r = pipe_write(p, *ret_data, *ret_size);
                if (r < 0)
                        return r;
        } else if (p->diff)
                digest_update(p->diff, *ret_data, *ret_size);

        return 1;
}

static int pipe_head(void *userdata, const void **ret_data, size_t *ret_size) {
        Pipe *p = userdata;

        if (p->n_head > 0 && !p->head_given) {
                p->head_given = true;
                *ret_data = p->head;
                *ret_size = p->n_head;
                return 1;
        }

        if (p->n_rest > 0) {
                *ret_data = p->rest;
                *ret_size = p->n_rest;
                p->n_rest = 0;
                return 1;
        }

        return pipe_plain(p, ret_data, ret_size);
}

/* Fills the head: the first block of the plain bytes, or all of them. */
static int pipe_fill_head(Pipe *p) {
        while (p->n_head < sizeof(p->head)) {
                const void *data;
                size_t size, n;
                int r;

                r = pipe_plain(p, &data, &size);
                if (r <= 0)
                        return r;

                n = MIN(size, sizeof(p->head) - p->n_head);
                memcpy(p->head + p->n_head, data, n);
                p->n_head += n;
                p->rest = (const char *) data + n;
                p->n_rest = size - n;
        }

        return 0;
}

/* A tar header carries the sum of its own bytes, its own field counted as spaces. A block of zeros is a tar's end. */
static bool head_is_tar(const char *head, size_t n) {
        unsigned sum = 0, said = 0;

        if (n < TAR_BLOCK)
                return false;

        for (size_t i = 0; i < TAR_BLOCK; i++)
                sum += i >= 148 && i < 156 ? ' ' : (unsigned char) head[i];
        if (sum == 8 * ' ')
                return true;

        for (size_t i = 148; i < 156; i++)
                if (head[i] >= '0' && head[i] <= '7')
                        said = said * 8 + (unsigned) (head[i] - '0');
        return sum == said;
}

static int pipe_open(Pipe *p, Compression *ret) {
        ByteSource raw = { pipe_raw, p };
        int r;

        r = blob_writer_new(p->context->blobs, &p->writer);
        if (r >= 0)
                r = decompressor_new(&raw, &p->decompressor);
        if (r >= 0)
                r = decompressor_kind(p->decompressor, ret);
        if (r < 0)
                return r;

        if (p->options->keep_usual && (*ret == COMPRESSION_XZ || *ret == COMPRESSION_BZIP2)) {
                p->writer = blob_writer_free(p->writer);
                p->written_back = 0;
                p->writes_plain = true;
                *ret = COMPRESSION_NONE;
                return blob_writer_new(p->context->blobs, &p->writer);
        }

        return *ret == COMPRESSION_NONE ? 0 : digest_new(DIGEST_SHA256, &p->diff);
}

static int pipe_unpack(Pipe *p, LayerBuild **ret, Error *reterr) {
        _cleanup_(layer_build_freep) LayerBuild *build = NULL;
        ByteSource head = { pipe_head, p };
        int r;

        r = layer_build_new(p->context->storage, NULL, &build, reterr);
        if (r < 0)
                return p->error = r;

        r = layer_build_apply(
                build, &(const ApplyOptions) { .source = &head, .blob_fd = -EBADF }, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(build);
        return 0;
}

/* Not the archive's fault: stop at once. */
static bool error_is_ours(int r) {
        return r == -ENOSPC || r == -EDQUOT || r == -ENOMEM || r == -EIO || r == -EROFS ||
               r == -EMFILE || r == -ECANCELED || r == -EPIPE;
}

static int pipe_run(Pipe *p, Intake *i, Error *reterr) {
        ByteSource head = { pipe_head, p }, raw = { pipe_raw, p };
        int r;

        r = pipe_open(p, &i->compression);
        if (r == -EOPNOTSUPP || r == -EBADMSG)
                (void) error_set(&i->unpack_error, ERROR_INVALID,
                        "compressed data is damaged or of an unknown kind");
        else if (r < 0)
                return r;
        else {
                r = pipe_fill_head(p);
                if (r >= 0) {
                        i->is_tar = p->options->must_be_tar || head_is_tar(p->head, p->n_head);
                        if (i->is_tar && storage_unpacks_alone(p->context->storage))
                                r = pipe_unpack(p, &i->build, &i->unpack_error);
                }
                /* The rest, padding too, belongs to the digests. */
                if (r >= 0)
                        r = byte_source_drain(&head);
                if (r == -EBADMSG && p->error >= 0)
                        (void) error_set(&i->unpack_error, ERROR_INVALID, "%s data is damaged",
                                compression_to_string(i->compression));
                else if (r == -EFBIG && p->error >= 0)
                        (void) error_set(&i->unpack_error, ERROR_TOO_LARGE,
                                "compressed data grows more than %llu times",
                                (unsigned long long) COMPRESSION_RATIO_MAX);
        }

        if (p->error < 0 || error_is_ours(r)) {
                if (error_is_set(&i->unpack_error))
                        error_move(reterr, &i->unpack_error);
                return p->error < 0 ? p->error : r;
        }
        if (r < 0 && !error_is_set(&i->unpack_error))
                (void) error_set_errno(&i->unpack_error, r, "cannot unpack");

        return byte_source_drain(&raw);
}

int intake_run(TaskContext *c, const ByteSource *input, const IntakeOptions *options, Intake *ret,
        Error *reterr) {
        _cleanup_(pipe_done) Pipe p = { .context = c, .options = options, .input = input };
        _cleanup_(intake_done) Intake i = {};
        int r;

        assert(c);
        assert(input);
        assert(options);
        assert(ret);

        r = pipe_run(&p, &i, reterr);
        if (r < 0)
                return r;

        i.size = blob_writer_size(p.writer);
        (void) strcpy(i.digest, blob_writer_digest(p.writer));
        if (i.is_tar && !error_is_set(&i.unpack_error)) {
                if (p.diff)
                        (void) digest_text(p.diff, i.diff_id);
                else
                        (void) strcpy(i.diff_id, i.digest);
        }

        r = blob_writer_commit(p.writer, options->expected, NULL, reterr);
        if (r < 0)
                return r;

        r = task_progress(c, /* urgent= */ true, options->label, options->status ?: "Loading layer",
                p.n_input, p.n_input);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(i);
        return 0;
}
