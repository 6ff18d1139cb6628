/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>
#include <sys/stat.h>

#include "engine/log/gzip.h"
#include "engine/log/rotate.h"

#define LINES 20000

static int file_of(unsigned n) {
        int fd = fd_memfd("gzip");

        assert_true(fd >= 0);
        for (unsigned i = 0; i < n; i++) {
                char line[32];

                (void) snprintf(line, sizeof(line), "line %u\n", i);
                assert_ok(fd_write_full(fd, line, strlen(line)));
        }
        return fd;
}

static void test_there_and_back(void **state) {
        _cleanup_(gzip_reader_freep) GzipReader *g = NULL;
        int plain = file_of(LINES), packed = fd_memfd("packed");
        char from[4000], to[4000];
        uint64_t origin = 0, offset = 0;
        struct stat st, shown;
        size_t n;

        assert_ok(gzip_pack(plain, packed));
        assert_true(gzip_is(packed));
        assert_false(gzip_is(plain));
        assert_ok(fstat(plain, &st));
        assert_ok(gzip_origin(packed, &origin));
        assert_int_equal(origin, st.st_ino);
        assert_int_equal(gzip_origin(plain, &origin), -ENODATA);
        assert_ok(rotate_identity(packed, &shown));
        assert_int_equal(shown.st_ino, st.st_ino);

        assert_ok(gzip_reader_new(packed, &g));
        for (;;) {
                assert_ok(gzip_reader_next(g, to, sizeof(to), &n));
                if (n == 0)
                        break;
                assert_int_equal(pread(plain, from, n, (off_t) offset), (ssize_t) n);
                assert_memory_equal(from, to, n);
                offset += n;
        }
        assert_int_equal(offset, st.st_size);
        fd_close(plain);
        fd_close(packed);
}

/* What is damaged or cut off is an error or an end, never anything else. */
static void test_damaged(void **state) {
        int plain = file_of(100), packed = fd_memfd("packed");
        struct stat st;

        assert_ok(gzip_pack(plain, packed));
        assert_ok(fstat(packed, &st));
        for (off_t i = 0; i < st.st_size; i++) {
                _cleanup_(gzip_reader_freep) GzipReader *g = NULL;
                int copy = fd_memfd("copy"), r;
                uint64_t origin;
                char block[500];
                size_t n = 1;

                assert_ok(gzip_pack(plain, copy));
                assert_ok(i % 2 ? ftruncate(copy, i) : (int) pwrite(copy, "\xff", 1, i) - 1);
                (void) gzip_origin(copy, &origin);
                assert_ok(gzip_reader_new(copy, &g));
                do
                        r = gzip_reader_next(g, block, sizeof(block), &n);
                while (r >= 0 && n > 0);
                assert_true(r == 0 || r == -EBADMSG);
                fd_close(copy);
        }
        fd_close(plain);
        fd_close(packed);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
