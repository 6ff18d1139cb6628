/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/users.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "tests/unit/test.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "\n# comment:x:3:3::/:\n"
                             "  web:x:1000:1001:Web:/srv/web:/bin/false\n"
                             "123:x:77:78::/home/number:\n"
                             "evil:x:-1:0::/:\n"
                             "evil2:x::0::/:\n"
                             "evil3:x:4294967295:0::/:\n"
                             "evil4:x:0x0:0::/:\n"
                             "evil5\n"
                             "big:x:4294967294:4294967294::/:\n"
                             "web:x:5:5:second one:/:\n"
                             "nohome:x:9:9\n";
static const char group[] = "root:x:0:\n"
                            "wheel:x:10:root,web\n"
                            "staff:x:50:webber,web\n"
                            "twice:x:50:web\n"
                            "own:x:1001:web\n"
                            "other:x:60:webb,we,b,\n"
                            "456:x:90:\n"
                            "bad:x:-5:web\n"
                            "short:x\n";

static void check(const char *text, uid_t uid, gid_t gid, const char *groups, const char *home) {
        _cleanup_(user_identity_done) UserIdentity u = {};
        _cleanup_(strv_freep) char **l = NULL;
        _cleanup_(freep) char *joined = NULL;

        assert_int_equal(users_resolve_text(passwd, group, text, NULL, &u, NULL), 0);
        assert_true(u.uid == uid);
        assert_true(u.gid == gid);
        assert_string_equal(u.home, home);
        for (size_t i = 0; i < u.n_groups; i++)
                assert_ok(strv_addf(&l, "%u", u.groups[i]));
        joined = strv_join(l, " ");
        assert_string_equal(joined, groups);
}

static void test_docker(void **state) {
        check("", 0, 0, "0 10", "/root");
        check("root", 0, 0, "0 10", "/root");
        check("0", 0, 0, "0 10", "/root");
        check("web", 1000, 1001, "1001 10 50", "/srv/web");
        check("1000", 1000, 1001, "1001 10 50", "/srv/web");
        check("1000:", 1000, 1001, "1001 10 50", "/srv/web");
        check("web:staff", 1000, 50, "50", "/srv/web");
        check("web:1001", 1000, 1001, "1001", "/srv/web");
        check("web:999", 1000, 999, "999", "/srv/web");
        check("999:999", 999, 999, "999", "/");
        check("999", 999, 0, "0", "/");
        check(":staff", 0, 50, "50", "/root");
        check("nohome", 9, 9, "9", "/");
        check("big", 4294967294U, 4294967294U, "4294967294", "/");
        check("4294967294:0", 4294967294U, 0, "0", "/");
}

/* Numeric means the id, also when somebody has digits as name. */
static void test_numeric_names(void **state) {
        check("123", 123, 0, "0", "/");
        check("77", 77, 78, "78", "/home/number");
        check("0:456", 0, 456, "456", "/root");
}

static void test_refused(void **state) {
        static const struct {
                const char *text;
                int error;
        } rows[] = {
                { "-1", -ENOENT },
                { "+0", -ENOENT },
                { " 0", -ENOENT },
                { "0 ", -ENOENT },
                { "0x0", -ENOENT },
                { "1e3", -ENOENT },
                { "\xd9\xa1\xd9\xa2", -ENOENT },
                { "nobody", -ENOENT },
                { "4294967295", -EINVAL },
                { "4294967296", -EINVAL },
                { "99999999999999999999", -EINVAL },
                { "evil", -ENOENT },
                { "evil2", -ENOENT },
                { "evil3", -ENOENT },
                { "evil4", -ENOENT },
                { "evil5", -ENOENT },
                { "web:nogroup", -ENOENT },
                { "web:-1", -ENOENT },
                { "web:4294967295", -EINVAL },
                { "web:bad", -ENOENT },
                { "web:a:b", -ENOENT },
                { "web\n", -ENOENT },
                { "we", -ENOENT },
                { "webx", -ENOENT },
                { "WEB", -ENOENT },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(freep) char *text = NULL;
                UserIdentity u = {};

                assert_int_equal(users_resolve_text(passwd, group, rows[i].text, NULL, &u, &text),
                        rows[i].error);
                assert_non_null(text);
                assert_null(u.groups);
        }
}

static void test_text(void **state) {
        _cleanup_(freep) char *a = NULL, *b = NULL;
        UserIdentity u = {};

        assert_int_equal(users_resolve_text(passwd, group, "no\033body", NULL, &u, &a), -ENOENT);
        assert_string_equal(
                a, "unable to find user no\\x1bbody: no matching entries in passwd file");
        assert_int_equal(users_resolve_text(passwd, group, "web:x", NULL, &u, &b), -ENOENT);
        assert_string_equal(b, "unable to find group x: no matching entries in group file");
}

static void test_additional(void **state) {
        _cleanup_(strv_freep) char **more = strv_new("other", "4711", "staff"),
                                   **wrong = strv_new("none");
        _cleanup_(user_identity_done) UserIdentity u = {}, none = {};

        assert_ok(users_resolve_text(passwd, group, "web", more, &u, NULL));
        assert_int_equal(u.n_groups, 5);
        assert_int_equal(u.groups[3], 60);
        assert_int_equal(u.groups[4], 4711);
        assert_int_equal(users_resolve_text(passwd, group, "web", wrong, &none, NULL), -ENOENT);
}

static void test_many_groups(void **state) {
        _cleanup_(freep) char *text = NULL;
        UserIdentity u = {};
        size_t n = 0;

        text = malloc(USERS_FILE_MAX);
        for (unsigned i = 1; i < 2000; i++)
                n += (size_t) snprintf(text + n, USERS_FILE_MAX - n, "g%u:x:%u:web\n", i, i);
        assert_int_equal(users_resolve_text(passwd, text, "web", NULL, &u, NULL), -E2BIG);
}

static void test_files(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state),
                                 etc = file_mkdir_open(root, "etc", 0755), big = -EBADF;
        _cleanup_(user_identity_done) UserIdentity u = {}, v = {};
        _cleanup_(freep) char *text = NULL;
        gid_t gid;

        /* No files at all: numbers work, names do not. */
        assert_ok(users_resolve(root, "5:6", NULL, &u, NULL));
        assert_int_equal(u.uid, 5);
        assert_int_equal(users_resolve(root, "web", NULL, &v, &text), -ENOENT);
        assert_ok(file_write_atomic_string(etc, "passwd", passwd, 0644, 0));
        assert_ok(file_write_atomic_string(etc, "group", group, 0644, 0));
        assert_ok(users_resolve(root, "web", NULL, &v, NULL));
        assert_string_equal(v.name, "web");
        assert_ok(users_find_group(root, "staff", &gid));
        assert_int_equal(gid, 50);
        assert_int_equal(users_find_group(root, "none", &gid), -ENOENT);

        /* T-passwd: whatever is there instead, we neither hang nor swallow it. */
        user_identity_done(&v);
        assert_int_equal(unlinkat(etc, "passwd", 0), 0);
        assert_int_equal(symlinkat("/etc/group", etc, "passwd"), 0);
        assert_int_equal(users_resolve(root, "web", NULL, &v, NULL), -ELOOP);
        assert_int_equal(unlinkat(etc, "passwd", 0), 0);
        assert_int_equal(mkfifoat(etc, "passwd", 0644), 0);
        assert_int_equal(users_resolve(root, "web", NULL, &v, NULL), -EBADFD);
        assert_int_equal(unlinkat(etc, "passwd", 0), 0);
        big = openat(etc, "passwd", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(ftruncate(big, INT64_C(2) << 30), 0);
        assert_int_equal(users_resolve(root, "web", NULL, &v, NULL), -EFBIG);
        assert_int_equal(ftruncate(big, 1 << 20), 0);
        assert_int_equal(users_resolve(root, "web", NULL, &v, NULL), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_docker),
                cmocka_unit_test(test_numeric_names),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_additional),
                cmocka_unit_test(test_many_groups),
                cmocka_unit_test_setup_teardown(
                        test_files, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
