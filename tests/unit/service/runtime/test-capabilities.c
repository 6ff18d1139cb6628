/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/capabilities.h"

#include <linux/capability.h>

#include "lib/base/error.h"
#include "lib/oci/runtime-spec.h"
#include "tests/unit/test.h"

#define BIT(c) (UINT64_C(1) << (c))

static void test_names(void **state) {
        assert_int_equal(capability_from_name("CAP_CHOWN"), CAP_CHOWN);
        assert_int_equal(capability_from_name("cap_net_raw"), CAP_NET_RAW);
        assert_int_equal(capability_from_name("SYS_ADMIN"), CAP_SYS_ADMIN);
        assert_int_equal(capability_from_name("CAP_CHECKPOINT_RESTORE"), CAP_CHECKPOINT_RESTORE);
        assert_int_equal(capability_from_name("CAP_"), -EINVAL);
        assert_int_equal(capability_from_name(""), -EINVAL);
        assert_int_equal(capability_from_name("CAP_CAP_CHOWN"), -EINVAL);

        for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
                assert_int_equal(capability_from_name(capability_to_name(i)), i);
        assert_null(capability_to_name(64));
}

static void test_parse(void **state) {
        char *set[] = { "CAP_CHOWN", "CAP_KILL", NULL };
        RuntimeCapabilities c = { .bounding = set, .permitted = set, .effective = set };
        CapabilitySets s;

        assert_ok(capabilities_parse(&c, &s, NULL));
        assert_int_equal(s.bounding, BIT(CAP_CHOWN) | BIT(CAP_KILL));
        assert_int_equal(s.permitted, s.bounding);
        assert_int_equal(s.inheritable, 0);
        assert_int_equal(s.ambient, 0);

        assert_ok(capabilities_parse(NULL, &s, NULL));
        assert_int_equal(s.bounding | s.effective | s.permitted, 0);
}

static void test_mistakes(void **state) {
        char *good[] = { "CAP_CHOWN", NULL }, *bad[] = { "CAP_CHWON", NULL };
        RuntimeCapabilities unknown = { .bounding = bad };
        RuntimeCapabilities effective = { .effective = good };
        RuntimeCapabilities ambient = { .permitted = good, .ambient = good };
        _cleanup_(error_done) Error e = {};
        CapabilitySets s;

        assert_int_equal(capabilities_parse(&unknown, &s, &e), -EINVAL);
        assert_string_equal(e.text, "unknown capability \"CAP_CHWON\"");
        assert_int_equal(capabilities_parse(&effective, &s, NULL), -EINVAL);
        assert_int_equal(capabilities_parse(&ambient, &s, NULL), -EINVAL);
}

static void test_limit(void **state) {
        CapabilitySets s = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };

        capabilities_limit(&s, BIT(CAP_KILL));
        assert_int_equal(s.bounding, BIT(CAP_KILL));
        assert_int_equal(s.effective, BIT(CAP_KILL));
        assert_int_equal(s.ambient, BIT(CAP_KILL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
