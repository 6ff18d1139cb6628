/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/image/image.h"
#include "engine/view/image-view.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static const char config[] =
        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2023-11-14T22:13:20Z\","
        "\"config\":{\"Cmd\":[\"sh\"],\"Labels\":{\"a\":\"b\"}},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:"
        "1111111111111111111111111111111111111111111111111111111111111111\"]},"
        "\"history\":[{\"created_by\":\"ADD "
        "file\"},{\"created_by\":\"CMD\",\"empty_layer\":true}]}";

static void make(Image **ret) {
        uint64_t size = 1234;

        assert_ok(image_new(
                "sha256:2222222222222222222222222222222222222222222222222222222222222222", ret));
        assert_ok(image_config_read(config, strlen(config), &(*ret)->config, NULL));
        (*ret)->n_layers = 1;
        (*ret)->layer_sizes = alloc_copy(&size, sizeof(size));
        (*ret)->size = size;
        (*ret)->created_ns = INT64_C(1700000000) * NSEC_PER_SEC;
        (*ret)->tagged_ns = CLOCK_NEVER;
        assert_ok(strv_add(&(*ret)->repo_tags, "busybox:latest"));
}

static void test_row(void **state) {
        _cleanup_(image_freep) Image *i = NULL;
        _cleanup_(json_unrefp) Json *new = NULL, *old = NULL;

        make(&i);
        assert_ok(image_view_row(i, 1051, &new));
        assert_int_equal(json_get_int64(new, "Created", 0), 1700000000);
        assert_int_equal(json_get_int64(new, "Size", 0), 1234);
        assert_int_equal(json_get_int64(new, "Containers", -2), 0);
        assert_null(json_get(new, "VirtualSize"));
        assert_int_equal(json_count(json_get(new, "RepoTags")), 1);
        assert_int_equal(json_type_of(json_get(new, "RepoDigests")), JSON_TYPE_LIST);

        strv_free(TAKE_PTR(i->repo_tags));
        assert_ok(image_view_row(i, 1042, &old));
        assert_string_equal(json_to_text(json_at(json_get(old, "RepoTags"), 0)), "<none>:<none>");
        assert_int_equal(json_get_int64(old, "VirtualSize", 0), 1234);
        assert_int_equal(json_get_int64(old, "Containers", 0), -1);
}

static void test_history(void **state) {
        _cleanup_(image_freep) Image *i = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;

        make(&i);
        assert_ok(image_view_history(i, 1051, &v));
        assert_int_equal(json_count(v), 2);
        assert_string_equal(json_get_text(json_at(v, 0), "CreatedBy"), "CMD"); /* newest first */
        assert_string_equal(json_get_text(json_at(v, 0), "Id"), i->id);
        assert_int_equal(json_get_int64(json_at(v, 0), "Size", -1), 0);
        assert_string_equal(json_get_text(json_at(v, 1), "Id"), "<missing>");
        assert_int_equal(json_get_int64(json_at(v, 1), "Size", -1), 1234);
        assert_true(json_is_null(json_get(json_at(v, 1), "Tags")));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_row),
                cmocka_unit_test(test_history),
        };

        return cmocka_run_group_tests_name("engine/view/image-view", tests, NULL, NULL);
}
