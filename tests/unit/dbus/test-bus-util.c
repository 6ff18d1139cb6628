/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dbus/bus-util.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static void test_paths(void **state) {
        static const struct {
                const char *id, *path;
        } rows[] = {
                { "0123abcd", "/x/0123abcd" },
                { "my.volume-1_a", "/x/my_2evolume_2d1_5fa" },
                { "ü/", "/x/_c3_bc_2f" },
                { "", "/x/_" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(freep) char *path = NULL, *id = NULL;

                assert_int_equal(bus_path_make("/x", rows[i].id, &path), 0);
                assert_string_equal(path, rows[i].path);
                assert_true(sd_bus_object_path_is_valid(path));
                assert_int_equal(bus_path_parse(path, "/x", &id), 1);
                assert_string_equal(id, rows[i].id);
        }
}

static void test_wrong_paths(void **state) {
        static const char *const paths[] = { "/x", "/x/", "/y/a", "/xa", "/x/a/b", "/x/_4",
                "/x/_zz", "/x/_00", "/x/_61" };

        /* The last one is another spelling of "a": one object has one path. */
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                char *id = NULL;

                assert_int_equal(bus_path_parse(paths[i], "/x", &id), 0);
                assert_null(id);
        }
}

static void test_errors(void **state) {
        _cleanup_(sd_bus_error_free) sd_bus_error a = SD_BUS_ERROR_NULL, b = SD_BUS_ERROR_NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        bus_error_set_prefix("org.stauer.Test1");
        r = error_set(&e, ERROR_NOT_FOUND, "No such thing: %s", "x");
        assert_int_equal(bus_error(&a, r, &e), -ENOENT);
        assert_string_equal(a.name, "org.stauer.Test1.Error.NotFound");
        assert_string_equal(a.message, "No such thing: x");

        assert_int_equal(bus_error(&b, -EEXIST, NULL), -EEXIST);
        assert_string_equal(b.name, "org.stauer.Test1.Error.Exists");
        assert_non_null(b.message);

        for (ErrorKind kind = 0; kind < _ERROR_KIND_MAX; kind++)
                assert_non_null(bus_error_kind_name(kind));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_wrong_paths),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
