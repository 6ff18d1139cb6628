/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/compress.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

struct Decompressor {
        ByteSource source;
        Compression kind;
        bool detected;
        bool ended;
        int error; /* first failure; stays */

        /* The first bytes, until COMPRESSION_MAGIC_SIZE of them are there. */
        char head[COMPRESSION_MAGIC_SIZE];
        size_t n_head;
        bool head_given;
        const void *rest; /* of the piece that completed the head */
        size_t n_rest;

        struct archive *archive;
        uint64_t n_in;
        uint64_t n_out;
};

static const char *const compression_table[_COMPRESSION_MAX] = {
        [COMPRESSION_NONE] = "none",
        [COMPRESSION_GZIP] = "gzip",
        [COMPRESSION_ZSTD] = "zstd",
        [COMPRESSION_XZ] = "xz",
        [COMPRESSION_BZIP2] = "bzip2",
};

const char *compression_to_string(Compression c) {
        return c >= 0 && c < _COMPRESSION_MAX ? compression_table[c] : NULL;
}

Compression compression_detect(const void *data, size_t size) {
        static const struct {
                Compression kind;
                const char *magic;
                size_t size;
        } magics[] = {
                { COMPRESSION_GZIP, "\x1f\x8b", 2 },
                { COMPRESSION_ZSTD, "\x28\xb5\x2f\xfd", 4 },
                { COMPRESSION_XZ,
                        "\xfd"
                        "7zXZ\0",
                        6 },
                { COMPRESSION_BZIP2, "BZh", 3 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
                if (size >= magics[i].size && memcmp(data, magics[i].magic, magics[i].size) == 0)
                        return magics[i].kind;

        return COMPRESSION_NONE;
}

int decompressor_new(const ByteSource *source, Decompressor **ret) {
        Decompressor *d;

        assert(source);
        assert(ret);

        d = new0(Decompressor, 1);
        if (!d)
                return -ENOMEM;

        d->source = *source;
        *ret = d;
        return 0;
}

Decompressor *decompressor_free(Decompressor *d) {
        if (!d)
                return NULL;

        if (d->archive)
                (void) archive_read_free(d->archive);
        return mfree(d);
}

/* The stream as it comes, the head that detection took included. */
static int decompressor_raw(Decompressor *d, const void **ret_data, size_t *ret_size) {
        int r;

        if (d->n_head > 0 && !d->head_given) {
                d->head_given = true;
                *ret_data = d->head;
                *ret_size = d->n_head;
                d->n_in += d->n_head;
                return 1;
        }

        if (d->n_rest > 0) {
                *ret_data = d->rest;
                *ret_size = d->n_rest;
                d->n_in += d->n_rest;
                d->n_rest = 0;
                return 1;
        }

        r = byte_source_next(&d->source, ret_data, ret_size);
        if (r < 0)
                d->error = r;
        else if (r > 0)
                d->n_in += *ret_size;
        return r;
}

static la_ssize_t decompressor_read(struct archive *a, void *userdata, const void **ret) {
        size_t size;
        int r;

        r = decompressor_raw(userdata, ret, &size);
        if (r < 0) {
                archive_set_error(a, -r, "source");
                return -1;
        }

        return r == 0 ? 0 : (la_ssize_t) size;
}

/* Anything but ARCHIVE_OK means that the library would run a program for this kind: refused. */
static int decompressor_open(Decompressor *d) {
        struct archive_entry *entry;
        int r;

        d->archive = archive_read_new();
        if (!d->archive)
                return -ENOMEM;

        switch (d->kind) {
        case COMPRESSION_GZIP:
                r = archive_read_support_filter_gzip(d->archive);
                break;
        case COMPRESSION_ZSTD:
                r = archive_read_support_filter_zstd(d->archive);
                break;
        case COMPRESSION_XZ:
                r = archive_read_support_filter_xz(d->archive);
                break;
        case COMPRESSION_BZIP2:
                r = archive_read_support_filter_bzip2(d->archive);
                break;
        default:
                assert_unreachable();
        }
        if (r != ARCHIVE_OK)
                return -EOPNOTSUPP;

        if (archive_read_support_format_raw(d->archive) != ARCHIVE_OK ||
                archive_read_support_format_empty(d->archive) != ARCHIVE_OK)
                return -EOPNOTSUPP;

        r = archive_read_open(d->archive, d, NULL, decompressor_read, NULL);
        if (r != ARCHIVE_OK)
                return d->error < 0 ? d->error : -EBADMSG;

        r = archive_read_next_header(d->archive, &entry);
        if (r == ARCHIVE_EOF) { /* compressed nothing */
                d->ended = true;
                return 0;
        }
        if (r != ARCHIVE_OK || archive_filter_code(d->archive, 0) == ARCHIVE_FILTER_NONE)
                return d->error < 0 ? d->error : -EBADMSG;

        return 0;
}

static int decompressor_detect(Decompressor *d) {
        int r;

        if (d->error < 0)
                return d->error;
        if (d->detected)
                return 0;

        while (d->n_head < sizeof(d->head)) {
                const void *data;
                size_t size, n;

                r = byte_source_next(&d->source, &data, &size);
                if (r < 0)
                        return d->error = r;
                if (r == 0)
                        break;

                n = MIN(size, sizeof(d->head) - d->n_head);
                memcpy(d->head + d->n_head, data, n);
                d->n_head += n;
                d->rest = (const char *) data + n;
                d->n_rest = size - n;
        }

        d->kind = compression_detect(d->head, d->n_head);
        d->detected = true;
        if (d->kind == COMPRESSION_NONE)
                return 0;

        r = decompressor_open(d);
        if (r < 0)
                return d->error = r;

        return 0;
}

int decompressor_kind(Decompressor *d, Compression *ret) {
        int r;

        assert(d);
        assert(ret);

        r = decompressor_detect(d);
        if (r < 0)
                return r;

        *ret = d->kind;
        return 0;
}

int decompressor_next(Decompressor *d, const void **ret_data, size_t *ret_size) {
        int r;

        assert(d);
        assert(ret_data);
        assert(ret_size);

        r = decompressor_detect(d);
        if (r < 0)
                return r;
        if (d->ended)
                return 0;
        if (d->kind == COMPRESSION_NONE)
                return decompressor_raw(d, ret_data, ret_size);

        for (;;) {
                la_int64_t offset;

                r = archive_read_data_block(d->archive, ret_data, ret_size, &offset);
                if (r == ARCHIVE_EOF) {
                        d->ended = true;
                        return 0;
                }
                if (r != ARCHIVE_OK)
                        return d->error = d->error < 0 ? d->error : -EBADMSG;
                if (*ret_size > 0)
                        break;
        }

        d->n_out += *ret_size;
        if (d->n_out > COMPRESSION_FREE_BYTES && d->n_out / COMPRESSION_RATIO_MAX > d->n_in)
                return d->error = -EFBIG;

        return 1;
}

static int decompressor_source_next(void *userdata, const void **ret_data, size_t *ret_size) {
        return decompressor_next(userdata, ret_data, ret_size);
}

ByteSource decompressor_source(Decompressor *d) {
        return (ByteSource) { decompressor_source_next, d };
}
