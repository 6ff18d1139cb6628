/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/monitor/apparmor.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/json/json.h"
#include "tests/unit/test.h"

static void test_list(void **state) {
        static const char list[] = "lsb_release (enforce)\nmy-docker-default (enforce)\n"
                                   "docker-default-old (complain)\n";

        assert_false(apparmor_list_has(list, "docker-default"));
        assert_false(apparmor_list_has("", "docker-default"));
        assert_false(apparmor_list_has("docker-default", "docker-default"));
        assert_true(
                apparmor_list_has("a (enforce)\ndocker-default (complain)\n", "docker-default"));
        assert_true(apparmor_list_has("docker-default (enforce)", "docker-default"));
}

/* Only for the one profile that is ours to load. */
static void test_others(void **state) {
        static const char *const texts[] = { "{}", "{\"process\":{}}",
                "{\"process\":{\"apparmorProfile\":\"mine\"}}",
                "{\"process\":{\"apparmorProfile\":7}}" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(json_unrefp) Json *v = NULL;

                assert_ok(json_parse(texts[i], strlen(texts[i]), 4096, &v, NULL));
                assert_ok(apparmor_prepare(v, NULL));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_others),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
