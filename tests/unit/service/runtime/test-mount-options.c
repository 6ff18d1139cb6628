/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/mount-options.h"

#include <string.h>
#include <sys/mount.h>

#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "tests/unit/test.h"

static void test_docker_defaults(void **state) {
        _cleanup_(mount_options_done) MountOptions o = {};
        char *words[] = { "nosuid", "strictatime", "mode=755", "size=65536k", NULL };

        assert_ok(mount_options_parse(words, &o, NULL));
        assert_int_equal(o.set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
        assert_int_equal(o.clear, MOUNT_ATTR__ATIME);
        assert_int_equal(strv_length(o.data), 2);
        assert_string_equal(o.data[0], "mode=755");
        assert_string_equal(o.data[1], "size=65536k");
        assert_false(o.bind);
}

static void test_bind(void **state) {
        _cleanup_(mount_options_done) MountOptions o = {};
        char *words[] = { "rbind", "ro", "rprivate", NULL };

        assert_ok(mount_options_parse(words, &o, NULL));
        assert_true(o.bind);
        assert_true(o.recursive);
        assert_int_equal(o.set, MOUNT_ATTR_RDONLY);
        assert_int_equal(o.recursive_set, 0);
        assert_int_equal(o.propagation, MS_PRIVATE);
        assert_true(o.propagation_recursive);
        assert_null(o.data);
}

static void test_later_word_wins(void **state) {
        _cleanup_(mount_options_done) MountOptions o = {};
        char *words[] = { "ro", "noexec", "rw", "exec", "noatime", "relatime", "shared", "rslave",
                NULL };

        assert_ok(mount_options_parse(words, &o, NULL));
        assert_int_equal(o.set, 0);
        assert_int_equal(o.clear, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME);
        assert_int_equal(o.propagation, MS_SLAVE);
        assert_true(o.propagation_recursive);
}

static void test_recursive_attributes(void **state) {
        _cleanup_(mount_options_done) MountOptions o = {};
        char *words[] = { "rbind", "rro", "rnosuid", "rdev", NULL };

        assert_ok(mount_options_parse(words, &o, NULL));
        assert_int_equal(o.recursive_set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
        assert_int_equal(o.recursive_clear, MOUNT_ATTR_NODEV);
        assert_int_equal(o.set, 0);
}

/* Binary search relies on it, and `features` shows it. */
static void test_table_is_sorted(void **state) {
        const char *const *names = mount_options_names();

        for (size_t i = 0; names[i]; i++) {
                char *words[] = { (char *) names[i], NULL };
                _cleanup_(mount_options_done) MountOptions o = {};

                if (i > 0)
                        assert_true(strcmp(names[i - 1], names[i]) < 0);
                assert_ok(mount_options_parse(words, &o, NULL));
                if (o.data) /* a flag of the file system: handed on under its own name */
                        assert_string_equal(o.data[0], names[i]);
        }
}

static void assert_same(const MountOptions *a, const MountOptions *b) {
        assert_int_equal(a->set, b->set);
        assert_int_equal(a->clear, b->clear);
        assert_int_equal(a->recursive_set, b->recursive_set);
        assert_int_equal(a->recursive_clear, b->recursive_clear);
        assert_int_equal(a->propagation, b->propagation);
        assert_int_equal(a->propagation_recursive, b->propagation_recursive);
        assert_int_equal(a->bind, b->bind);
        assert_int_equal(a->recursive, b->recursive);
        assert_int_equal(a->remount, b->remount);
        assert_int_equal(a->copy_up, b->copy_up);
        assert_int_equal(a->id_map, b->id_map);
        assert_true(strv_length(a->data) == strv_length(b->data));
        for (size_t i = 0; i < strv_length(a->data); i++)
                assert_string_equal(a->data[i], b->data[i]);
}

/* Every pair of words of the table, to strings and back. */
static void test_round_trip(void **state) {
        const char *const *names = mount_options_names();

        for (size_t i = 0; names[i]; i++)
                for (size_t k = 0; names[k]; k++) {
                        char *words[] = { (char *) names[i], (char *) names[k], "mode=755", NULL };
                        _cleanup_(mount_options_done) MountOptions once = {}, twice = {};
                        _cleanup_(strv_freep) char **formatted = NULL;

                        assert_ok(mount_options_parse(words, &once, NULL));
                        assert_ok(mount_options_format(&once, &formatted));
                        assert_ok(mount_options_parse(formatted, &twice, NULL));
                        assert_same(&once, &twice);
                }
}

static void test_limits(void **state) {
        _cleanup_(mount_options_done) MountOptions o = {};
        _cleanup_(error_done) Error e = {};
        char *many[MOUNT_OPTIONS_MAX + 2];

        for (size_t i = 0; i <= MOUNT_OPTIONS_MAX; i++)
                many[i] = "ro";
        many[MOUNT_OPTIONS_MAX + 1] = NULL;
        assert_int_equal(mount_options_parse(many, &o, &e), -EFBIG);
        assert_string_equal(e.text, "too many mount options");

        assert_ok(mount_options_parse(NULL, &o, NULL));
        assert_int_equal(o.set, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_docker_defaults),
                cmocka_unit_test(test_bind),
                cmocka_unit_test(test_later_word_wins),
                cmocka_unit_test(test_recursive_attributes),
                cmocka_unit_test(test_table_is_sorted),
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
