/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/core/hub.h"
#include "engine/view/event-view.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/json/json.h"

#define S(s) ((char *) (s))

static Event die = {
        .n_ref = 1,
        .type = S("container"),
        .action = S("die"),
        .id = S("0123456789ab"),
        .time_nsec = 1700000000000000005,
        .attributes = (char *[]) { S("colour=red=hot"), S("image=busybox:1"), S("name=web"), NULL },
};

static void test_document(void **state) {
        _cleanup_(json_unrefp) Json *old = NULL, *new = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_ok(event_view(&die, 1051, &old));
        assert_ok(json_print(old, JSON_COMPACT, &text));
        assert_string_equal(text,
                "{\"status\":\"die\",\"id\":\"0123456789ab\",\"from\":\"busybox:1\",\"Type\":"
                "\"container\",\"Action\":\"die\","
                "\"Actor\":{\"ID\":\"0123456789ab\",\"Attributes\":{\"colour\":\"red=hot\","
                "\"image\":\"busybox:1\",\"name\":\"web\"}},"
                "\"scope\":\"local\",\"time\":1700000000,\"timeNano\":1700000000000000005}");
        assert_ok(event_view(&die, 1052, &new));
        assert_null(json_get(new, "status"));
}

static bool matches(const char *key, const char *value) {
        _cleanup_(filter_freep) Filter *f = NULL;

        assert_ok(filter_new(&f));
        assert_ok(filter_add(f, key, value));
        return event_matches(&die, f);
}

static void test_filters(void **state) {
        assert_true(event_matches(&die, NULL));
        assert_true(matches("event", "die"));
        assert_false(matches("event", "start"));
        assert_true(matches("type", "container"));
        assert_false(matches("type", "image"));
        assert_true(matches("container", "web"));
        assert_true(matches("container", "01234"));
        assert_false(matches("container", "we"));
        assert_true(matches("image", "busybox"));
        assert_true(matches("image", "busybox:1"));
        assert_false(matches("image", "busyb"));
        assert_false(matches("network", "web"));
        assert_true(matches("label", "colour"));
        assert_true(matches("label", "colour=red=hot"));
        assert_false(matches("label", "colour=blue"));
        assert_true(matches("scope", "local"));
}

static void test_prefixes(void **state) {
        Event e = die;
        _cleanup_(filter_freep) Filter *f = NULL;

        e.action = S("exec_create: sh -c x");
        assert_ok(filter_new(&f));
        assert_ok(filter_add(f, "event", "exec_create"));
        assert_true(event_matches(&e, f));
        e.action = S("exec_created");
        assert_false(event_matches(&e, f));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_document),
                cmocka_unit_test(test_filters),
                cmocka_unit_test(test_prefixes),
        };

        return cmocka_run_group_tests_name("engine/view/event-view", tests, NULL, NULL);
}
