/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/copy-path.h"

#include "cli/copy.h"
#include "lib/base/alloc.h"
#include "tests/unit/test.h"

static void word(const char *text, const char *container, const char *path) {
        _cleanup_(freep) char *c = NULL, *p = NULL;

        assert_ok(copy_split_word(text, &c, &p));
        if (container)
                assert_string_equal(c, container);
        else
                assert_null(c);
        assert_string_equal(p, path);
}

static void test_words(void **state) {
        word("c:/x", "c", "/x");
        word("c:x:y", "c", "x:y");
        word("c:", "c", "");
        word(":x", "", "x");
        word("x", NULL, "x");
        word("/a:b", NULL, "/a:b");
        word("./a:b", NULL, "./a:b");
        word("..:b", NULL, "..:b");
        word("-", NULL, "-");
}

static void path(const char *text, const char *folder, const char *name) {
        _cleanup_(freep) char *f = NULL, *n = NULL;

        assert_ok(copy_split_path(text, &f, &n));
        assert_string_equal(f, folder);
        assert_string_equal(n, name);
}

static void test_paths(void **state) {
        path("/a/b", "/a", "b");
        path("/a/b/", "/a", "b");
        path("/a/b/.", "/a/b", ".");
        path("/a", "/", "a");
        path("/", "/", "/");
        path("/.", "/", ".");
        path("a", ".", "a");
        path("a/../b//c", "b", "c");
        path("/a/..", "/", "/");
        path("", ".", ".");
}

static void plan(CopySource source, CopyTarget target, const char *folder, const char *base,
        const char *name) {
        _cleanup_(copy_plan_done) CopyPlan p = {};
        _cleanup_(error_done) Error e = {};
        int r;

        r = copy_plan(&source, &target, &p, &e);
        if (!folder) {
                assert_true(r < 0);
                assert_string_equal(e.text, base);
                return;
        }
        assert_ok(r);
        assert_string_equal(p.folder, folder);
        assert_string_equal(p.base, base);
        assert_string_equal(p.name, name);
}

static void test_plans(void **state) {
        const CopySource file = { "/s/f" }, folder = { "/s/d", true }, content = { "/s/d/.", true },
                         root = { "/", true }, followed = { "/s/real", true, "link" };
        const CopyTarget in = { "/t", true, true }, old = { "/t/old", true }, new = { "/t/new" },
                         asserted = { "/t/new/" };

        plan(file, in, "/t", "f", "f");
        plan(file, old, "/t", "f", "old");
        plan(file, new, "/t", "f", "new");
        plan(file, asserted, NULL, "no such directory", NULL);
        plan(folder, in, "/t", "d", "d");
        plan(folder, old, NULL, "cannot copy directory", NULL);
        plan(folder, new, "/t", "d", "new");
        plan(folder, asserted, "/t", "d", "new");
        plan(content, in, "/t", "", "");
        plan(content, new, "/t", "", "new");
        plan(root, in, "/t", "", "");
        plan(root, new, "/t", "", "new");
        plan(followed, in, "/t", "real", "link");
        plan(followed, new, "/t", "real", "new");
}

static void follow(const char *from, const char *target, const char *to) {
        _cleanup_(freep) char *p = NULL;

        assert_ok(copy_follow(from, target, &p));
        assert_string_equal(p, to);
}

static void rename_(const char *wish, const char *resolved, const char *to, const char *name) {
        _cleanup_(freep) char *p = NULL, *n = NULL;

        assert_ok(copy_rename(wish, resolved, &p, &n));
        assert_string_equal(p, to);
        if (name)
                assert_string_equal(n, name);
        else
                assert_null(n);
}

static void test_links(void **state) {
        follow("/a/link", "b", "/a/b");
        follow("/a/link", "../b", "/b");
        follow("/a/link", "/x//y", "/x/y");
        rename_("/a/link", "/a/b", "/a/b", "link");
        rename_("/a/link/", "/a/b", "/a/b/", "link");
        rename_("/a/link/.", "/a/b", "/a/b/.", NULL);
        rename_("/a/b", "/c/b", "/c/b", NULL);
}

static void test_stat(void **state) {
        CopyStat s = {};

        /* {"name":"d","size":4096,"mode":2147484141,"mtime":"…","linkTarget":""} */
        assert_ok(copy_stat_parse(
                "eyJuYW1lIjoiZCIsIm1vZGUiOjIxNDc0ODQxNDEsImxpbmtUYXJnZXQiOiIifQ==", &s));
        assert_true(s.is_folder && !s.is_link && !s.is_device);
        assert_string_equal(s.link, "");
        copy_stat_done(&s);
        /* {"mode":134218239,"linkTarget":"/x"} */
        assert_ok(copy_stat_parse("eyJtb2RlIjoxMzQyMTgyMzksImxpbmtUYXJnZXQiOiIveCJ9", &s));
        assert_true(s.is_link && !s.is_folder);
        assert_string_equal(s.link, "/x");
        copy_stat_done(&s);
        assert_int_equal(copy_stat_parse(NULL, &s), -EBADMSG);
        assert_int_equal(copy_stat_parse("*", &s), -EBADMSG);
        assert_int_equal(copy_stat_parse("", &s), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_plans),
                cmocka_unit_test(test_links),
                cmocka_unit_test(test_stat),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
