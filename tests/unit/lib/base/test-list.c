/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/list.h"

#include "tests/unit/test.h"

typedef struct Thing Thing;

struct Thing {
        int value;
        ListNode node;
};

static void test_list(void **state) {
        Thing a = { .value = 1 }, b = { .value = 2 }, c = { .value = 3 }, *t;
        List l = {};
        int sum = 0;

        assert_true(list_empty(&l));
        assert_null(list_first(&l, Thing, node));
        LIST_FOREACH (t, &l, node)
                fail();

        list_append(&l, &b.node);
        list_append(&l, &c.node);
        list_prepend(&l, &a.node);
        assert_ptr_equal(list_first(&l, Thing, node), &a);
        assert_ptr_equal(list_last(&l, Thing, node), &c);
        LIST_FOREACH (t, &l, node)
                sum = sum * 10 + t->value;
        assert_int_equal(sum, 123);

        LIST_FOREACH_SAFE (t, &l, node)
                if (t->value != 2)
                        list_remove(&t->node);
        assert_false(list_node_linked(&a.node));
        assert_ptr_equal(list_first(&l, Thing, node), &b);
        list_remove(&a.node);
        list_remove(&b.node);
        assert_true(list_empty(&l));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
        };

        return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
