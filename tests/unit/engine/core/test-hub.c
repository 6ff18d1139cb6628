/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/core/hub.h"

typedef struct Seen {
        Hub *hub;
        char actions[4096];
        uint64_t last_nsec;
        HubSubscription *mine;
        HubSubscription **other; /* ended at the first event */
} Seen;

static void on_event(const Event *e, void *userdata) {
        Seen *s = userdata;

        assert_true(e->time_nsec > s->last_nsec);
        s->last_nsec = e->time_nsec;
        (void) strncat(s->actions, e->action, sizeof(s->actions) - strlen(s->actions) - 1);
        if (s->other)
                *s->other = hub_subscription_free(*s->other);
}

static void test_publish(void **state) {
        _cleanup_(hub_freep) Hub *h = NULL;
        Seen a = {}, b = {};

        assert_ok(hub_new(&h));
        assert_ok(hub_subscribe(h, on_event, &a, &a.mine));
        assert_ok(hub_publish(h, "container", "a", "id", NULL));
        assert_ok(hub_subscribe(h, on_event, &b, &b.mine));
        assert_ok(hub_publish(h, "container", "b", NULL, (char *[]) { (char *) "k=v", NULL }));
        assert_string_equal(a.actions, "ab");
        assert_string_equal(b.actions, "b");
        assert_int_equal(hub_count_subscriptions(h), 2);
        hub_subscription_free(a.mine);
        hub_subscription_free(b.mine);
}

static void test_ends_another_meanwhile(void **state) {
        _cleanup_(hub_freep) Hub *h = NULL;
        Seen a = {}, b = {};

        assert_ok(hub_new(&h));
        assert_ok(hub_subscribe(h, on_event, &a, &a.mine));
        assert_ok(hub_subscribe(h, on_event, &b, &b.mine));
        a.other = &b.mine;
        assert_ok(hub_publish(h, "image", "x", NULL, NULL));
        assert_null(b.mine);
        assert_string_equal(b.actions, "");
        assert_int_equal(hub_count_subscriptions(h), 1);
        a.other = &a.mine; /* itself */
        assert_ok(hub_publish(h, "image", "y", NULL, NULL));
        assert_null(a.mine);
        assert_string_equal(a.actions, "xy");
        assert_int_equal(hub_count_subscriptions(h), 0);
}

static void publish_again(const Event *e, void *userdata) {
        Seen *s = userdata;

        (void) strncat(s->actions, e->action, sizeof(s->actions) - strlen(s->actions) - 1);
        if (strcmp(e->action, "a") == 0)
                assert_ok(hub_publish(s->hub, "image", "b", NULL, NULL));
}

static void test_publishes_inside(void **state) {
        _cleanup_(hub_freep) Hub *h = NULL;
        Seen a = {}, kept = {};

        assert_ok(hub_new(&h));
        a.hub = h;
        assert_ok(hub_subscribe(h, publish_again, &a, &a.mine));
        assert_ok(hub_publish(h, "image", "a", NULL, NULL));
        hub_subscription_free(a.mine);
        assert_string_equal(a.actions, "ab");
        hub_replay(h, 0, UINT64_MAX, on_event, &kept);
        assert_string_equal(kept.actions, "ab");
}

static void test_replay_and_ring(void **state) {
        _cleanup_(hub_freep) Hub *h = NULL;
        uint64_t first;
        Seen a = {};

        assert_ok(hub_new(&h));
        for (int i = 0; i < HUB_RING_MAX + 10; i++)
                assert_ok(hub_publish(h, "image", i < 12 ? "o" : "n", NULL, NULL));
        hub_replay(h, 0, UINT64_MAX, on_event, &a);
        assert_int_equal(strlen(a.actions), HUB_RING_MAX);
        assert_int_equal(strchr(a.actions, 'n') - a.actions, 2);

        first = a.last_nsec;
        memset(&a, 0, sizeof(a));
        hub_replay(h, first, UINT64_MAX, on_event, &a); /* since is inclusive */
        assert_int_equal(strlen(a.actions), 1);
        memset(&a, 0, sizeof(a));
        hub_replay(h, 0, first, on_event, &a); /* until is not */
        assert_int_equal(strlen(a.actions), HUB_RING_MAX - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_publish),
                cmocka_unit_test(test_ends_another_meanwhile),
                cmocka_unit_test(test_publishes_inside),
                cmocka_unit_test(test_replay_and_ring),
        };

        return cmocka_run_group_tests_name("engine/core/hub", tests, NULL, NULL);
}
