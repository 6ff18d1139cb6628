/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/userns.h"

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/oci/runtime-spec.h"
#include "tests/unit/test.h"

static void test_format(void **state) {
        const RuntimeIdMapping maps[] = { { 0, 100000, 65536 }, { 65536, 1000, 1 } };
        _cleanup_(freep) char *text = NULL;

        assert_ok(id_map_format("linux.uidMappings", maps, 2, &text, NULL));
        assert_string_equal(text, "0 100000 65536\n65536 1000 1\n");
}

static void test_mistakes(void **state) {
        const RuntimeIdMapping empty = { 0, 0, 0 }, wraps = { 4294967295U, 0, 1 },
                               far = { 0, 4294967290U, 10 };
        const RuntimeIdMapping inside[] = { { 0, 1000, 10 }, { 9, 5000, 10 } };
        const RuntimeIdMapping outside[] = { { 0, 1000, 10 }, { 20, 1009, 10 } };
        _cleanup_(freep) char *text = NULL;
        _cleanup_(error_done) Error e = {};

        assert_int_equal(id_map_format("m", &empty, 1, &text, NULL), -EINVAL);
        assert_int_equal(id_map_format("m", &wraps, 1, &text, NULL), -EINVAL);
        assert_int_equal(id_map_format("m", &far, 1, &text, NULL), -EINVAL);
        assert_int_equal(id_map_format("m", NULL, 0, &text, NULL), -EINVAL);
        assert_int_equal(id_map_format("linux.uidMappings", inside, 2, &text, &e), -EINVAL);
        assert_string_equal(e.text, "linux.uidMappings: mappings overlap");
        assert_int_equal(id_map_format("m", outside, 2, &text, NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
