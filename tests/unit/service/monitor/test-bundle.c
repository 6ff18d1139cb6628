/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/json/json.h"
#include "service/monitor/bundle.h"

static UserIdentity web = {
        .uid = 33, .gid = 44, .groups = (gid_t[]) { 44, 55 }, .n_groups = 2, .home = (char *) "/srv"
};

static char *make(void **state, const char *config, const char *cgroup) {
        _cleanup_(json_unrefp) Json *v = NULL, *again = NULL;
        _cleanup_(bundle_done) Bundle b = {};
        int fd = test_folder_open(state);
        char *text;
        size_t size;

        assert_ok(json_parse(config, strlen(config), JSON_SIZE_MAX, &v, NULL));
        assert_ok(bundle_make(v, &web, &b, NULL));
        assert_ok(bundle_write(&b, cgroup, fd));
        assert_ok(file_read_at(fd, "config.json", 10000, &text, &size));
        assert_ok(json_parse(text, size, JSON_SIZE_MAX, &again, NULL));
        fd_close(fd);
        return text;
}

static void check(void **state, const char *config, const char *cgroup, const char *expected) {
        _cleanup_(freep) char *text = make(state, config, cgroup);

        assert_string_equal(text, expected);
}

static void test_bundle(void **state) {
        check(state,
                "{\"process\":{\"user\":{\"umask\":18},\"env\":[\"A=b\"]},\"linux\":{"
                "\"cgroupsPath\":\"old\",\"x\":1}}",
                "/a/\"b",
                "{\"linux\":{\"cgroupsPath\":\"/a/"
                "\\\"b\",\"x\":1},\"process\":{\"user\":{\"umask\":18,\"uid\":33,\"gid\":44,"
                "\"additionalGids\":[44,55]},\"env\":[\"A=b\",\"HOME=/"
                "srv\"]},\"root\":{\"path\":\"rootfs\"}}");
        check(state, "{}", NULL,
                "{\"linux\":{},\"process\":{\"user\":{\"uid\":33,\"gid\":44,\"additionalGids\":[44,"
                "55]},\"env\":[\"HOME=/srv\"]},"
                "\"root\":{\"path\":\"rootfs\"}}");
        check(state,
                "{\"root\":{\"path\":\"/\",\"readonly\":true},\"process\":{\"env\":[\"HOME=/"
                "mine\"]},\"linux\":{\"a\":{}}}",
                "/c",
                "{\"linux\":{\"cgroupsPath\":\"/"
                "c\",\"a\":{}},\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"process\":{"
                "\"env\":[\"HOME=/mine\"],"
                "\"user\":{\"uid\":33,\"gid\":44,\"additionalGids\":[44,55]}}}");
        check(state, "{\"process\":{\"env\":[\"HOME=\",\"HOMES=1\"]}}", NULL,
                "{\"linux\":{},\"process\":{\"env\":[\"HOMES=1\",\"HOME=/"
                "srv\"],\"user\":{\"uid\":33,\"gid\":44,\"additionalGids\":[44,55]}},"
                "\"root\":{\"path\":\"rootfs\"}}");
}

static void test_not_an_object(void **state) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(bundle_done) Bundle b = {};

        assert_ok(json_new_text("x", &v));
        assert_int_equal(bundle_make(v, &web, &b, NULL), -EINVAL);
        assert_int_equal(bundle_make(NULL, &web, &b, NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_bundle, test_folder_setup, test_folder_teardown),
                cmocka_unit_test(test_not_an_object),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
