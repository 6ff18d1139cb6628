/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/network/networks.h"

static void test_find(void **state) {
        _cleanup_(networks_freep) Networks *s = NULL;
        _cleanup_(error_done) Error e = {};
        Network *n, *same;
        char prefix[6];

        assert_ok(networks_new(&s));
        assert_ok(networks_find(s, "host", &n, NULL));
        (void) snprintf(prefix, sizeof(prefix), "%s", n->id);
        assert_ok(networks_find(s, n->id, &same, NULL));
        assert_ptr_equal(n, same);
        assert_ok(networks_find(s, prefix, &same, NULL));
        assert_ptr_equal(n, same);
        assert_int_equal(networks_find(s, "", &n, &e), -ENOENT);
        error_done(&e);
        assert_int_equal(networks_find(s, "x", &n, &e), -ENOENT);
        assert_string_equal(e.text, "network x not found");
        assert_non_null(networks_next(s, NULL));
        assert_null(networks_next(s, networks_next(s, networks_next(s, NULL))));
}

static void test_modes(void **state) {
        static const char *const later[] = { "", "default", "bridge", "container:x" };
        _cleanup_(networks_freep) Networks *s = NULL;
        _cleanup_(network_leg_done) NetworkLeg leg = {};
        Network *n;

        assert_ok(networks_new(&s));
        for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
                _cleanup_(error_done) Error e = {};

                assert_int_equal(networks_find_mode(s, later[i], &n, &e), -EOPNOTSUPP);
                assert_non_null(strstr(e.text, "use \"none\" or \"host\""));
        }
        /* Another word for the host's network would not be seen by what asks whether that is allowed. */
        assert_ok(networks_find(s, "0352", &n, NULL));
        assert_int_equal(networks_find_mode(s, "0352", &n, NULL), -EINVAL);
        assert_int_equal(networks_find_mode(s, n->id, &n, NULL), -EINVAL);
        assert_ok(networks_find_mode(s, "host", &n, NULL));
        assert_ok(network_join(n, "c", &leg, NULL));
        assert_true(leg.host);
        network_leave(n, "c");
        assert_ok(networks_find_mode(s, "none", &n, NULL));
        assert_ok(network_join(n, "c", &leg, NULL));
        assert_false(leg.host);
        assert_null(leg.netns);
        network_leave(n, "c");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_modes),
        };

        return cmocka_run_group_tests_name("engine/network/networks", tests, NULL, NULL);
}
