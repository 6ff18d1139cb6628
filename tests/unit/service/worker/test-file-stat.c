/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/file-stat.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "tests/unit/test.h"

static void test_mode(void **state) {
        assert_int_equal(file_stat_go_mode(S_IFREG | 0640), 0640);
        assert_int_equal(file_stat_go_mode(S_IFDIR | S_ISVTX | 01777), UINT32_C(0x80100000) | 0777);
        assert_int_equal(file_stat_go_mode(S_IFLNK | 0777), UINT32_C(0x08000000) | 0777);
        assert_int_equal(file_stat_go_mode(S_IFCHR | 0600), UINT32_C(0x04200000) | 0600);
        assert_int_equal(
                file_stat_go_mode(S_IFREG | S_ISUID | S_ISGID | 0755), UINT32_C(0x00c00000) | 0755);
}

static void resolved(int root_fd, const char *path, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_ok(file_stat_resolve(root_fd, path, &text));
        assert_string_equal(text, expected);
}

/* Every link is meant from the root that was given: no way leads above it. */
static void test_resolve(void **state) {
        _cleanup_(fd_closep) int fd = test_folder_open(state);
        char *text = NULL;

        assert_ok(mkdirat(fd, "a", 0755));
        assert_ok(symlinkat("/../../../etc/passwd", fd, "a/up"));
        assert_ok(symlinkat("../a/./up", fd, "a/more"));
        assert_ok(symlinkat("/loop", fd, "loop"));
        assert_ok(symlinkat(".", fd, "here"));
        resolved(fd, "/a/up", "/etc/passwd");
        resolved(fd, "a//more", "/etc/passwd");
        resolved(fd, "/here/../../a", "/a");
        resolved(fd, "/", "/");
        resolved(fd, "/nothing/here", "/nothing/here");
        assert_int_equal(file_stat_resolve(fd, "/loop", &text), -ELOOP);
}

static void test_format(void **state) {
        const struct stat st = { .st_mode = S_IFREG | 0600, .st_size = 3, .st_mtim = { 0, 5 } };
        _cleanup_(freep) char *text = NULL;

        assert_ok(file_stat_format("a\n\"b", &st, "", &text));
        assert_non_null(strstr(text, "\"a\\n\\\"b\""));
        assert_non_null(strstr(text, "\"size\":3"));
        assert_non_null(strstr(text, "1970-01-01T00:00:00.000000005Z"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mode),
                cmocka_unit_test_setup_teardown(
                        test_resolve, test_folder_setup, test_folder_teardown),
                cmocka_unit_test(test_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
