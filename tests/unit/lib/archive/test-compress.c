/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "lib/archive/compress.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"

#define SIZE ((size_t) 300000)

/* data as one compressed stream */
static size_t squeeze(
        int (*filter)(struct archive *), const void *data, size_t size, char *out, size_t room) {
        struct archive *a = archive_write_new();
        struct archive_entry *e = archive_entry_new();
        size_t used = 0;

        assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
        assert_int_equal(filter(a), ARCHIVE_OK);
        assert_int_equal(archive_write_set_bytes_per_block(a, 0), ARCHIVE_OK);
        assert_int_equal(archive_write_open_memory(a, out, room, &used), ARCHIVE_OK);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_pathname(e, "x");
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, data, size), (int) size);
        archive_entry_free(e);
        assert_int_equal(archive_write_free(a), ARCHIVE_OK);
        return used;
}

/* What comes out of data, given in pieces of step bytes. */
static int expand(const void *data, size_t size, size_t step, Compression *ret_kind, Buffer *ret) {
        MemorySource memory = { .data = data, .size = size, .step = step };
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        ByteSource source = memory_source(&memory);
        const void *piece;
        size_t n;
        int r;

        assert_ok(decompressor_new(&source, &d));
        r = decompressor_kind(d, ret_kind);
        if (r < 0)
                return r;
        while ((r = decompressor_next(d, &piece, &n)) > 0) {
                assert_true(n > 0);
                assert_ok(buffer_append(ret, piece, n));
        }
        if (r == 0) /* the end stays the end */
                assert_int_equal(decompressor_next(d, &piece, &n), 0);
        return r;
}

static void test_kinds(void **state) {
        static const struct {
                Compression kind;
                int (*filter)(struct archive *);
        } rows[] = {
                { COMPRESSION_GZIP, archive_write_add_filter_gzip },
                { COMPRESSION_ZSTD, archive_write_add_filter_zstd },
                { COMPRESSION_XZ, archive_write_add_filter_xz },
                { COMPRESSION_BZIP2, archive_write_add_filter_bzip2 },
                { COMPRESSION_NONE, archive_write_add_filter_none },
        };
        static const size_t steps[] = { 0, 1, 5, 6, 4096 };
        _cleanup_(freep) char *data = new (char, SIZE), *squeezed = new (char, SIZE * 2);

        for (size_t i = 0; i < SIZE; i++)
                data[i] = (char) (i * i >> 7);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                size_t n = squeeze(rows[i].filter, data, SIZE, squeezed, SIZE * 2);

                for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
                        _cleanup_(buffer_done) Buffer b = {};
                        Compression kind;

                        assert_int_equal(expand(squeezed, n, steps[k], &kind, &b), 0);
                        assert_int_equal(kind, rows[i].kind);
                        assert_int_equal(buffer_size(&b), SIZE);
                        assert_memory_equal(buffer_head(&b), data, SIZE);
                }

                if (rows[i].kind != COMPRESSION_NONE) {
                        _cleanup_(buffer_done) Buffer b = {};
                        Compression kind;

                        assert_int_equal(expand(squeezed, n / 2, 0, &kind, &b), -EBADMSG);
                }
        }
}

static void test_short(void **state) {
        static const char *const texts[] = { "", "a", "ab", "\x1f", "abcde", "abcdef", "BZ" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(buffer_done) Buffer b = {};
                Compression kind;

                assert_int_equal(expand(texts[i], strlen(texts[i]), 1, &kind, &b), 0);
                assert_int_equal(kind, COMPRESSION_NONE);
                assert_string_equal(buffer_string(&b), texts[i]);
        }
}

static void test_garbage(void **state) {
        static const struct {
                const char *data;
                size_t size;
        } rows[] = {
                { "\x1f\x8b", 2 },
                { "\x1f\x8b\x08\0garbage that is no deflate stream", 34 },
                { "\x28\xb5\x2f\xfdgarbage garbage garbage", 27 },
                { "\xfd"
                  "7zXZ\0garbage garbage",
                        21 },
                { "BZh9garbage garbage", 19 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(buffer_done) Buffer b = {};
                Compression kind;

                assert_int_equal(expand(rows[i].data, rows[i].size, 0, &kind, &b), -EBADMSG);
        }
}

static int failing_next(void *userdata, const void **ret_data, size_t *ret_size) {
        int *left = userdata;

        if ((*left)-- == 0)
                return -EIO;
        *ret_data = "\x1f\x8b\x08\0\0\0\0\0";
        *ret_size = 8;
        return 1;
}

static void test_source_error(void **state) {
        for (int after = 0; after < 3; after++) {
                _cleanup_(decompressor_freep) Decompressor *d = NULL;
                int left = after;
                ByteSource source = { failing_next, &left };
                Compression kind;
                const void *data;
                size_t n;
                int r;

                assert_ok(decompressor_new(&source, &d));
                r = decompressor_kind(d, &kind);
                if (r >= 0)
                        r = decompressor_next(d, &data, &n);
                assert_true(r == -EIO || r == -EBADMSG);
                if (after == 0)
                        assert_int_equal(r, -EIO);
        }
}

/* The library gives out zeros faster than anybody can store them. */
static void test_bomb(void **state) {
        size_t piece = (size_t) 64 << 20, n;
        _cleanup_(freep) char *zeros = new0(char, piece), *squeezed = new (char, 1 << 20);
        _cleanup_(buffer_done) Buffer many = {};
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        MemorySource memory;
        ByteSource source;
        const void *data;
        uint64_t total = 0;
        int r;

        n = squeeze(archive_write_add_filter_zstd, zeros, piece, squeezed, 1 << 20);
        for (unsigned i = 0; i < 40; i++)
                assert_ok(buffer_append(&many, squeezed, n));

        memory = (MemorySource) { .data = buffer_head(&many), .size = buffer_size(&many) };
        source = memory_source(&memory);
        assert_ok(decompressor_new(&source, &d));
        while ((r = decompressor_next(d, &data, &n)) > 0)
                total += n;
        assert_int_equal(r, -EFBIG);
        assert_true(total <= COMPRESSION_FREE_BYTES + ((uint64_t) 1 << 20));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_short),
                cmocka_unit_test(test_garbage),
                cmocka_unit_test(test_source_error),
                cmocka_unit_test(test_bomb),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
