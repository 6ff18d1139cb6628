/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacking into a folder that lives, as cp does it: names are what was asked for, nothing leaves the folder, files are whole or not there. */
#include "tests/unit/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/archive/tar-extract.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/strv.h"
#include "tests/unit/lib/archive/tar-make.h"

static int into(void **state, Buffer *b, size_t cut, TarIntoTree how, TarExtractResult *ret,
        Error *reterr) {
        MemorySource memory = { .data = buffer_head(b), .size = buffer_size(b) - cut, .step = 700 };
        ByteSource source = memory_source(&memory);
        _cleanup_(fd_closep) int fd = -EBADF, root = test_folder_open(state);

        (void) mkdirat(root, "t", 0755);
        fd = openat(root, "t", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        how.strict = how.keep_kind = true;
        return tar_extract(
                &(const TarExtract) { .root_fd = fd, .into = &how }, &source, ret, reterr);
}

static char *names(void **state, const char *folder) {
        _cleanup_(fd_closep) int fd = test_folder_open(state);
        _cleanup_(strv_freep) char **found = NULL;

        assert_ok(file_list(fd, folder, /* hidden= */ true, &found));
        return strv_join(found, " ");
}
#define assert_names(state, folder, expected)                     \
        do {                                                      \
                _cleanup_(freep) char *n_ = names(state, folder); \
                assert_string_equal(n_, expected);                \
        } while (0)

static void test_renamed(void **state) {
        _cleanup_(buffer_done) Buffer b = {};

        tar_make(&b, "d/", '5', NULL, 0755, NULL);
        tar_make(&b, "d/f", '0', NULL, 0644, "x");
        tar_make(&b, "d/h", '1', "d/f", 0644, NULL);
        tar_make(&b, "d/d", '0', NULL, 0644, "y");
        tar_make_end(&b);
        assert_ok(into(state, &b, 0, (TarIntoTree) { .path = "new", .base = "d" }, NULL, NULL));
        assert_names(state, "t", "new");
        assert_names(state, "t/new", "d f h");

        assert_ok(into(state, &b, 0, (TarIntoTree) { .path = "all", .base = "" }, NULL, NULL));
        assert_names(state, "t/all", "d");
}

static void test_only_what_was_asked_for(void **state) {
        static const struct {
                const char *name;
                char kind;
                const char *link;
        } cases[] = {
                { "other", '0', NULL },
                { "filex", '0', NULL },
                { "file2/x", '0', NULL },
                { "/etc/passwd", '0', NULL },
                { "../file", '0', NULL },
                { "file/../../x", '0', NULL },
                { "file", '1', "other" },
                { "file", '1', "/etc/passwd" },
                { "", '5', NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(buffer_done) Buffer b = {};
                _cleanup_(error_done) Error e = {};

                tar_make(&b, cases[i].name, cases[i].kind, cases[i].link, 0644, NULL);
                tar_make_end(&b);
                assert_true(into(state, &b, 0, (TarIntoTree) { .path = "file", .base = "file" },
                                    NULL, &e) < 0);
                assert_int_equal(e.kind, ERROR_INVALID);
                assert_names(state, "t", "");
        }
}

static void test_links_are_not_followed(void **state) {
        static const char *const targets[] = { "../out", "/", "inside" };
        _cleanup_(fd_closep) int root = test_folder_open(state);

        assert_int_equal(0, mkdirat(root, "out", 0755));
        for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
                _cleanup_(buffer_done) Buffer b = {};

                tar_make(&b, "d/", '5', NULL, 0755, NULL);
                tar_make(&b, "d/inside/", '5', NULL, 0755, NULL);
                tar_make(&b, "d/link", '2', targets[i], 0777, NULL);
                tar_make(&b, "d/link/evil", '0', NULL, 0644, "x");
                tar_make_end(&b);
                assert_true(into(state, &b, 0, (TarIntoTree) { .path = "d", .base = "d" }, NULL,
                                    NULL) < 0);
                assert_names(state, "out", "");
                assert_names(state, "t/d/inside", "");
                assert_true(file_remove_tree(root, "t") > 0);
        }
}

/* What was there before the archive came. */
static void test_links_that_are_there(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(buffer_done) Buffer b = {}, over = {};
        struct stat st;

        assert_int_equal(0, mkdirat(root, "out", 0755));
        assert_int_equal(0, mkdirat(root, "t", 0755));
        assert_int_equal(0, symlinkat("../out", root, "t/d"));
        tar_make(&b, "d/evil", '0', NULL, 0644, "x");
        tar_make_end(&b);
        assert_true(into(state, &b, 0, (TarIntoTree) { .path = "d", .base = "d" }, NULL, NULL) < 0);
        assert_names(state, "out", "");

        tar_make(&over, "d", '0', NULL, 0644, "x"); /* takes the link's place */
        tar_make_end(&over);
        assert_ok(into(state, &over, 0, (TarIntoTree) { .path = "d", .base = "d" }, NULL, NULL));
        assert_int_equal(0, fstatat(root, "t/d", &st, AT_SYMLINK_NOFOLLOW));
        assert_true(S_ISREG(st.st_mode));
        assert_names(state, "out", "");
}

static void test_devices_are_left_out(void **state) {
        _cleanup_(buffer_done) Buffer b = {};
        TarExtractResult result;

        tar_make(&b, "d/null", '3', NULL, 0666, NULL);
        tar_make(&b, "d/disk", '4', NULL, 0666, NULL);
        tar_make(&b, "d/f", '0', NULL, 0666, NULL);
        tar_make_end(&b);
        assert_ok(into(state, &b, 0, (TarIntoTree) { .path = "d", .base = "d", .no_devices = true },
                &result, NULL));
        assert_int_equal(result.n_devices, 2);
        assert_names(state, "t/d", "f");
}

static void test_broken_off(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(freep) char *content = new0(char, 100001), *text = NULL;
        _cleanup_(buffer_done) Buffer b = {};

        memset(content, 'x', 100000);
        tar_make(&b, "first", '0', NULL, 0644, "whole");
        tar_make(&b, "old", '0', NULL, 0644, content);
        tar_make(&b, "new", '0', NULL, 0644, content);
        tar_make_end(&b);
        assert_int_equal(0, mkdirat(root, "t", 0755));
        assert_ok(file_write_atomic_string(root, "t/old", "before", 0644, 0));

        assert_true(into(state, &b, 150000, (TarIntoTree) { .path = "" }, NULL, NULL) < 0);
        assert_names(state, "t", "first old");
        assert_ok(file_read_at(root, "t/old", 100, &text, NULL));
        assert_string_equal(text, "before");
        assert_ok(into(state, &b, 0, (TarIntoTree) { .path = "" }, NULL, NULL));
        assert_names(state, "t", "first new old");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, test_folder_setup, test_folder_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                CASE(test_renamed),
                CASE(test_only_what_was_asked_for),
                CASE(test_links_are_not_followed),
                CASE(test_links_that_are_there),
                CASE(test_devices_are_left_out),
                CASE(test_broken_off),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
