/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/archive/tar-extract.h"
#include "lib/base/alloc.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "tests/unit/lib/archive/tar-make.h"

static int extract_with(void **state, Buffer *b, const TarExtractOps *ops, void *userdata,
        TarPass pass, const TarLimits *limits, TarExtractResult *ret, Error *reterr) {
        _cleanup_(fd_closep) int fd = test_folder_open(state);
        MemorySource memory = { .data = buffer_head(b), .size = buffer_size(b), .step = 700 };
        ByteSource source = memory_source(&memory);

        return tar_extract(&(const TarExtract) { .root_fd = fd,
                                   .ops = ops,
                                   .userdata = userdata,
                                   .pass = pass,
                                   .limits = limits },
                &source, ret, reterr);
}

static int extract(void **state, Buffer *b, TarExtractResult *ret, Error *reterr) {
        return extract_with(state, b, NULL, NULL, TAR_PASS_ALL, NULL, ret, reterr);
}

static void look(void **state, const char *name, struct stat *st) {
        _cleanup_(fd_closep) int fd = test_folder_open(state);

        if (fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
                fail_msg("%s: %m", name);
}

static void test_kinds(void **state) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        TarExtractResult result;
        struct stat st, other;
        char target[64] = "";

        tar_make(&b, "./", '5', NULL, 0711, NULL);
        tar_make(&b, "d/", '5', NULL, 0555, NULL); /* without w: its content comes later */
        tar_make(&b, "./d/f", '0', NULL, 0640, "hello");
        tar_make(&b, "d/s", '2', "/nowhere", 0777, NULL);
        tar_make(&b, "h", '1', "d/f", 0640, NULL);
        tar_make(&b, "suid", '0', NULL, 04755, "x");
        tar_make(&b, "closed", '0', NULL, 0, "y");
        tar_make(&b, "pipe", '6', NULL, 0600, NULL);
        tar_make(&b, "a/b/c", '0', NULL, 0644, "deep");
        tar_make_end(&b);
        assert_ok(extract(state, &b, &result, NULL));

        assert_int_equal(result.n_entries, 9);
        assert_int_equal(result.bytes, 5 + 1 + 1 + 4);
        assert_true(result.has_root);
        look(state, ".", &st);
        assert_int_equal(st.st_mode & 07777, 0711);
        assert_int_equal(st.st_mtime, 1000000000);
        look(state, "d", &st);
        assert_int_equal(st.st_mode, S_IFDIR | 0555);
        assert_int_equal(st.st_mtime, 1000000000);
        look(state, "d/f", &st);
        assert_int_equal(st.st_mode, S_IFREG | 0640);
        assert_int_equal(st.st_size, 5);
        look(state, "h", &other);
        assert_int_equal(st.st_ino, other.st_ino);
        look(state, "suid", &st);
        assert_int_equal(st.st_mode & 07777, 04755);
        look(state, "closed", &st);
        assert_int_equal(st.st_mode & 07777, 0);
        look(state, "pipe", &st);
        assert_true(S_ISFIFO(st.st_mode));
        look(state, "a/b", &st);
        assert_int_equal(st.st_mode, S_IFDIR | 0755);

        fd = test_folder_open(state);
        assert_true(readlinkat(fd, "d/s", target, sizeof(target) - 1) > 0);
        assert_string_equal(target, "/nowhere");
}

static void test_later_wins(void **state) {
        _cleanup_(buffer_done) Buffer b = {};
        struct stat st;

        tar_make(&b, "x", '0', NULL, 0644, "one");
        tar_make(&b, "x/", '5', NULL, 0700, NULL);
        tar_make(&b, "x/y", '0', NULL, 0644, "two");
        tar_make(&b, "x/", '5', NULL, 0750, NULL); /* the same folder: stays, other mode */
        tar_make(&b, "z/", '5', NULL, 0750, NULL);
        tar_make(&b, "z/q", '0', NULL, 0644, "q");
        tar_make(&b, "z", '0', NULL, 0604, "file");
        tar_make_end(&b);
        assert_ok(extract(state, &b, NULL, NULL));

        look(state, "x", &st);
        assert_int_equal(st.st_mode, S_IFDIR | 0750);
        look(state, "x/y", &st);
        assert_int_equal(st.st_size, 3);
        look(state, "z", &st);
        assert_int_equal(st.st_mode, S_IFREG | 0604);
}

static void test_refused(void **state) {
        static const struct {
                const char *name;
                char kind;
                const char *link;
                ErrorKind error;
        } rows[] = {
                { "../x", '0', NULL, ERROR_INVALID },
                { "a/../../x", '0', NULL, ERROR_INVALID },
                { "..", '5', NULL, ERROR_INVALID },
                { "h", '1', "../x", ERROR_INVALID },
                { "h", '1', "/etc/passwd", ERROR_INVALID },
                { "h", '1', "h", ERROR_INVALID },
                { "c", '3', NULL, ERROR_INVALID }, /* character 0:0 */
                { ".wh.", '0', NULL, ERROR_INVALID },
                { ".wh..", '0', NULL, ERROR_INVALID },
                { "d/.wh...", '0', NULL, ERROR_INVALID },
                { ".wh.a/b", '0', NULL, ERROR_INVALID },
                { "/", '2', "x", ERROR_INVALID },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(buffer_done) Buffer b = {};
                _cleanup_(error_done) Error e = {};

                tar_make(&b, rows[i].name, rows[i].kind, rows[i].link, 0644, NULL);
                tar_make_end(&b);
                if (extract(state, &b, NULL, &e) >= 0)
                        fail_msg("%s was taken", rows[i].name);
                assert_int_equal(e.kind, rows[i].error);
                assert_non_null(e.text);
        }
}

static void test_links_stay_inside(void **state) {
        _cleanup_(buffer_done) Buffer b = {}, c = {};
        _cleanup_(error_done) Error e = {};
        struct stat st;

        tar_make(&b, "inner/", '5', NULL, 0755, NULL);
        tar_make(&b, "a", '2', "/inner", 0777, NULL);
        tar_make(&b, "up", '2', "../../../../inner", 0777, NULL);
        tar_make(&b, "a/one", '0', NULL, 0644, "1");
        tar_make(&b, "up/two", '0', NULL, 0644, "2");
        tar_make_end(&b);
        assert_ok(extract(state, &b, NULL, NULL));
        look(state, "inner/one", &st);
        look(state, "inner/two", &st);

        tar_make(&c, "t", '2', "/tmp", 0777, NULL);
        tar_make(&c, "t/x", '0', NULL, 0644, "1");
        tar_make_end(&c);
        assert_true(extract(state, &c, NULL, &e) < 0);
        assert_int_equal(e.kind, ERROR_INVALID);
}

/* What the callbacks were asked. */
static int note(void *userdata, const char *what, const char *name) {
        return strv_addf(userdata, "%s %s", what, name);
}

static int on_whiteout(void *userdata, int dir_fd, const char *name, Error *reterr) {
        return note(userdata, "whiteout", name);
}

static int on_opaque(void *userdata, int dir_fd, const char *path, Error *reterr) {
        return note(userdata, "opaque", path);
}

static int on_implied(void *userdata, int dir_fd, const char *path, Error *reterr) {
        return note(userdata, "implied", path);
}

static void test_whiteouts(void **state) {
        static const TarExtractOps ops = { on_whiteout, on_opaque, on_implied };
        _cleanup_(strv_freep) char **seen = NULL;
        _cleanup_(freep) char *all = NULL;
        _cleanup_(buffer_done) Buffer b = {};
        struct stat st;

        tar_make(&b, "d/", '5', NULL, 0755, NULL);
        tar_make(&b, "d/.wh.gone", '0', NULL, 0644, NULL);
        tar_make(&b, "d/.wh..wh..opq", '0', NULL, 0644, NULL);
        tar_make(&b, ".wh..wh.aufs", '0', NULL, 0644, NULL);
        tar_make(&b, ".wh..wh.plnk/1.2", '0', NULL, 0644, NULL);
        tar_make(&b, "n/m/.wh.x", '0', NULL, 0644, NULL);
        tar_make(&b, "not.wh.this", '0', NULL, 0644, "1");
        tar_make_end(&b);

        assert_ok(extract_with(state, &b, &ops, &seen, TAR_PASS_ALL, NULL, NULL, NULL));
        all = strv_join(seen, "; ");
        assert_string_equal(all, "whiteout gone; opaque d; implied n; implied n/m; whiteout x");
        look(state, "not.wh.this", &st);
}

static void test_passes(void **state) {
        static const TarExtractOps ops = { on_whiteout, on_opaque, on_implied };
        _cleanup_(strv_freep) char **seen = NULL;
        _cleanup_(fd_closep) int fd = test_folder_open(state);
        _cleanup_(buffer_done) Buffer b = {};
        struct stat st;

        tar_make(&b, "f", '0', NULL, 0644, "1");
        tar_make(&b, ".wh.f", '0', NULL, 0644, NULL);
        tar_make(&b, "missing/.wh.f", '0', NULL, 0644, NULL); /* nothing there: nothing to hide */
        tar_make_end(&b);

        assert_ok(extract_with(state, &b, &ops, &seen, TAR_PASS_WHITEOUTS, NULL, NULL, NULL));
        assert_int_equal(strv_length(seen), 1);
        assert_true(fstatat(fd, "f", &st, 0) < 0);
        assert_ok(extract_with(state, &b, &ops, &seen, TAR_PASS_REST, NULL, NULL, NULL));
        assert_int_equal(strv_length(seen), 1);
        assert_ok(fstatat(fd, "f", &st, 0));
}

static void test_limits(void **state) {
        static const struct {
                TarLimits limits;
                ErrorKind error;
        } rows[] = {
                { { .entries = 1,
                          .bytes = 100,
                          .file_size = 100,
                          .path = 99,
                          .depth = 9,
                          .directories = 9999 },
                        ERROR_TOO_LARGE },
                { { .entries = 9,
                          .bytes = 5,
                          .file_size = 100,
                          .path = 99,
                          .depth = 9,
                          .directories = 9999 },
                        ERROR_TOO_LARGE },
                { { .entries = 9,
                          .bytes = 100,
                          .file_size = 3,
                          .path = 99,
                          .depth = 9,
                          .directories = 9999 },
                        ERROR_TOO_LARGE },
                { { .entries = 9,
                          .bytes = 100,
                          .file_size = 100,
                          .path = 3,
                          .depth = 9,
                          .directories = 9999 },
                        ERROR_TOO_LARGE },
                { { .entries = 9,
                          .bytes = 100,
                          .file_size = 100,
                          .path = 99,
                          .depth = 1,
                          .directories = 9999 },
                        ERROR_TOO_LARGE },
                { { .entries = 9,
                          .bytes = 100,
                          .file_size = 100,
                          .path = 99,
                          .depth = 9,
                          .directories = 9 },
                        ERROR_TOO_LARGE },
                { { .entries = 9,
                          .bytes = 100,
                          .file_size = 100,
                          .path = 99,
                          .depth = 9,
                          .directories = 9999,
                          .free_bytes = UINT64_MAX },
                        ERROR_NO_SPACE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(buffer_done) Buffer b = {};
                _cleanup_(error_done) Error e = {};

                tar_make(&b, "dd/", '5', NULL, 0755, NULL);
                tar_make(&b, "dd/e", '0', NULL, 0644, "123");
                tar_make(&b, "dd/f", '0', NULL, 0644, "1234");
                tar_make_end(&b);
                if (extract_with(state, &b, NULL, NULL, TAR_PASS_ALL, &rows[i].limits, NULL, &e) >=
                        0)
                        fail_msg("row %zu was taken", i);
                assert_int_equal(e.kind, rows[i].error);
        }
}

/* Every shorter beginning is an error or a smaller archive, never more. */
static void test_truncated(void **state) {
        _cleanup_(buffer_done) Buffer b = {};

        tar_make(&b, "d/", '5', NULL, 0755, NULL);
        tar_make(&b, "d/f", '0', NULL, 0644, "some content");
        tar_make(&b, "h", '1', "d/f", 0644, NULL);
        tar_make_end(&b);

        for (size_t n = 0; n < buffer_size(&b); n += 37) {
                _cleanup_(buffer_done) Buffer part = {};

                assert_ok(buffer_append(&part, buffer_head(&b), n));
                (void) extract(state, &part, NULL, NULL);
        }
}

#define CASE(function) \
        cmocka_unit_test_setup_teardown(function, test_folder_setup, test_folder_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                CASE(test_kinds),
                CASE(test_later_wins),
                CASE(test_refused),
                CASE(test_links_stay_inside),
                CASE(test_whiteouts),
                CASE(test_passes),
                CASE(test_limits),
                CASE(test_truncated),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
