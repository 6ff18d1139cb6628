/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/sysconfig.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static char folder[] = "/tmp/stauer-test-sysconfig-XXXXXX";
static char *path;

static const char suse[] = "\n## Path           : System/Management\n## Type : "
                           "string\n#\nDOCKER_OPTS=\"-s btrfs\"  \nexport X=1\n\n# end";

static int group_setup(void **state) {
        if (!mkdtemp(folder))
                return -1;
        return str_printf(&path, "%s/docker", folder);
}

static int group_teardown(void **state) {
        free(path);
        return file_remove_tree(AT_FDCWD, folder) < 0 ? -1 : 0;
}

static void write_file(const char *text) {
        _cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_string(fd, text), 0);
}

static void assert_file(const char *text) {
        _cleanup_(freep) char *got = NULL;

        assert_int_equal(file_read(path, 1 << 20, &got, NULL), 0);
        assert_string_equal(got, text);
}

static void assert_alone(void) {
        _cleanup_(strv_freep) char **names = NULL;

        assert_int_equal(file_list(AT_FDCWD, folder, /* hidden= */ true, &names), 0);
        if (strv_length(names) != 1)
                STRV_FOREACH (n, names)
                        print_message("left: %s\n", *n);
        assert_int_equal(strv_length(names), 1);
}

static Sysconfig *load(void) {
        _cleanup_(error_done) Error e = {};
        Sysconfig *s = NULL;
        int r;

        r = sysconfig_load(path, TEST_LENS_DIR, &s, &e);
        if (r < 0)
                print_message("%s\n", error_text(&e, r));
        assert_int_equal(r, 0);
        return s;
}

static void test_read(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        const SysconfigEntry *e;

        write_file(suse);
        s = load();
        assert_true(s->exists);
        assert_int_equal(strlen(s->etag), 64);
        e = sysconfig_find(s, "DOCKER_OPTS");
        assert_non_null(e);
        assert_string_equal(e->raw, "\"-s btrfs\"");
        assert_int_equal(e->line, 5);
        assert_null(sysconfig_find(s, "X"));
}

static void test_lines_and_duplicates(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        const SysconfigEntry *e;

        write_file("A=\"1\n2\"\nDOCKER_OPTS=x\n\nDOCKER_OPTS=a\\\nb\nB=1\n");
        s = load();
        e = sysconfig_find(s, "DOCKER_OPTS");
        assert_string_equal(e->raw, "a\\\nb");
        assert_int_equal(e->line, 5);
        assert_int_equal(sysconfig_find(s, "B")->line, 7);
}

static void test_missing(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        struct stat st;

        (void) unlink(path);
        s = load();
        assert_false(s->exists);
        assert_string_equal(s->etag, SYSCONFIG_ETAG_MISSING);
        assert_int_equal(sysconfig_set_raw(s, "DOCKER_OPTS", "\"-D\"", NULL), 1);
        assert_int_equal(sysconfig_save(s, NULL), 1);
        assert_file("DOCKER_OPTS=\"-D\"\n");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(strlen(s->etag), 64);
        assert_alone();
}

static void test_errors_name_the_line(void **state) {
        static const struct {
                const char *text, *sentence;
        } rows[] = {
                { "A=1\nB=\"open\nC=1\n", "line 2" },
                { "# x\n\nA='open\n", "line 3" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(error_done) Error e = {};
                Sysconfig *s = NULL;

                write_file(rows[i].text);
                assert_true(sysconfig_load(path, TEST_LENS_DIR, &s, &e) < 0);
                if (!strstr(error_text(&e, 0), rows[i].sentence))
                        print_message("%s\n", error_text(&e, 0));
                assert_non_null(strstr(error_text(&e, 0), rows[i].sentence));
                assert_non_null(strstr(error_text(&e, 0), path));
        }
}

static void test_no_text_file(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(error_done) Error e = {}, f = {};
        Sysconfig *s = NULL;

        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        assert_int_equal(write(fd, "A=1\0\n", 5), 5);
        assert_true(sysconfig_load(path, TEST_LENS_DIR, &s, &e) < 0);
        assert_non_null(strstr(error_text(&e, 0), "NUL"));

        assert_int_equal(ftruncate(fd, 2 << 20), 0);
        assert_true(sysconfig_load(path, TEST_LENS_DIR, &s, &f) < 0);
        assert_int_equal(f.kind, ERROR_TOO_LARGE);
        (void) unlink(path);
}

static void test_everything_else_survives(void **state) {
        static const char acl[] = "\x02\x00\x00\x00"                  /* version */
                                  "\x01\x00\x06\x00\xff\xff\xff\xff"  /* user::rw- */
                                  "\x02\x00\x04\x00\x39\x30\x00\x00"  /* user:12345:r-- */
                                  "\x04\x00\x00\x00\xff\xff\xff\xff"  /* group::--- */
                                  "\x10\x00\x04\x00\xff\xff\xff\xff"  /* mask::r-- */
                                  "\x20\x00\x00\x00\xff\xff\xff\xff"; /* other::--- */
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        bool has_acl, has_xattr;
        char value[64];
        struct stat before, after;

        write_file(suse);
        assert_int_equal(chmod(path, 0604), 0);
        if (geteuid() == 0)
                assert_int_equal(chown(path, 4242, 4343), 0);
        has_xattr = setxattr(path, "user.note", "mine", 4, 0) >= 0;
        has_acl = setxattr(path, "system.posix_acl_access", acl, sizeof(acl) - 1, 0) >= 0;
        if (!has_acl || !has_xattr)
                print_message("this file system keeps %s%s\n", has_acl ? "" : "no ACLs ",
                        has_xattr ? "" : "no user xattrs");
        assert_int_equal(stat(path, &before), 0);

        s = load();
        assert_int_equal(sysconfig_set_raw(s, "DOCKER_OPTS", "\"-s vfs\"", NULL), 1);
        assert_int_equal(sysconfig_save(s, NULL), 1);

        assert_file("\n## Path           : System/Management\n## Type : "
                    "string\n#\nDOCKER_OPTS=\"-s vfs\"  \nexport X=1\n\n# end");
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(before.st_mode, after.st_mode);
        assert_int_equal(before.st_uid, after.st_uid);
        assert_int_equal(before.st_gid, after.st_gid);
        if (has_xattr) {
                assert_int_equal(getxattr(path, "user.note", value, sizeof(value)), 4);
                assert_memory_equal(value, "mine", 4);
        }
        if (has_acl) {
                assert_int_equal(getxattr(path, "system.posix_acl_access", value, sizeof(value)),
                        sizeof(acl) - 1);
                assert_memory_equal(value, acl, sizeof(acl) - 1);
        }
        assert_alone();
}

static void test_concurrent_edit(void **state) {
        static const char *const others[] = { "DOCKER_OPTS=\"-s btrfs -D\"\n",
                "DOCKER_OPTS=\"-s btrfs\"\n" };

        /* The second one: the same bytes in a new file are no reason to refuse nothing: a rename by
         * an editor shows in the inode. */
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
                _cleanup_(error_done) Error e = {};

                (void) unlink(path);
                write_file("DOCKER_OPTS=\"-s btrfs\"\n");
                s = load();
                assert_int_equal(sysconfig_set_raw(s, "DOCKER_OPTS", "\"-s vfs\"", NULL), 1);
                assert_int_equal(file_write_atomic_string(AT_FDCWD, path, others[i], 0644, 0), 0);
                assert_int_equal(sysconfig_save(s, &e), -ESTALE);
                assert_int_equal(e.kind, ERROR_CHANGED);
                assert_file(others[i]);
                assert_alone();
        }
}

static void test_appeared_and_vanished(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL, *t = NULL;

        (void) unlink(path);
        s = load();
        assert_int_equal(sysconfig_set_raw(s, "DOCKER_OPTS", "\"-D\"", NULL), 1);
        write_file("A=1\n");
        assert_int_equal(sysconfig_save(s, NULL), -ESTALE);
        assert_file("A=1\n");

        t = load();
        assert_int_equal(sysconfig_set_raw(t, "DOCKER_OPTS", "\"-D\"", NULL), 1);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(sysconfig_save(t, NULL), -ESTALE);
        assert_int_equal(access(path, F_OK), -1);
}

static void test_symlink_stays(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        _cleanup_(freep) char *link = NULL;
        struct stat st;

        write_file("DOCKER_OPTS=\"\"\n");
        assert_int_equal(str_printf(&link, "%s/link", folder), 0);
        assert_int_equal(symlink("docker", link), 0);
        assert_int_equal(sysconfig_load(link, TEST_LENS_DIR, &s, NULL), 0);
        assert_int_equal(sysconfig_set_raw(s, "DOCKER_OPTS", "\"-D\"", NULL), 1);
        assert_int_equal(sysconfig_save(s, NULL), 1);
        assert_file("DOCKER_OPTS=\"-D\"\n");
        assert_int_equal(lstat(link, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_int_equal(unlink(link), 0);
}

static void test_impossible_value(void **state) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        _cleanup_(error_done) Error e = {};

        write_file("DOCKER_OPTS=\"\"\n");
        s = load();
        assert_true(sysconfig_set_raw(s, "DOCKER_OPTS", "\"open", &e) < 0);
        assert_file("DOCKER_OPTS=\"\"\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_lines_and_duplicates),
                cmocka_unit_test(test_missing),
                cmocka_unit_test(test_errors_name_the_line),
                cmocka_unit_test(test_no_text_file),
                cmocka_unit_test(test_everything_else_survives),
                cmocka_unit_test(test_concurrent_edit),
                cmocka_unit_test(test_appeared_and_vanished),
                cmocka_unit_test(test_symlink_stays),
                cmocka_unit_test(test_impossible_value),
        };

        return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
