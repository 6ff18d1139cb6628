/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/core/pending.h"

typedef struct Answer {
        unsigned n;
        int r;
        void *result;
        char text[64];
} Answer;

static void on_answer(int r, void *result, const Error *e, void *userdata) {
        Answer *a = userdata;

        a->n++;
        a->r = r;
        a->result = result;
        (void) snprintf(a->text, sizeof(a->text), "%s", e && e->text ? e->text : "");
}

static void test_completes_once(void **state) {
        _cleanup_(pending_unrefp) Pending *p = NULL;
        Answer a = {};
        int thing;

        assert_ok(pending_new(on_answer, &a, &p));
        pending_complete(p, 0, &thing, NULL);
        assert_int_equal(a.n, 1);
        assert_int_equal(a.r, 0);
        assert_ptr_equal(a.result, &thing);
}

static void test_tells_why(void **state) {
        _cleanup_(pending_unrefp) Pending *p = NULL;
        _cleanup_(error_done) Error e = {};
        Answer a = {};

        assert_ok(pending_new(on_answer, &a, &p));
        pending_complete(p, error_set(&e, ERROR_CONFLICT, "busy"), NULL, &e);
        assert_int_equal(a.r, -EBUSY);
        assert_string_equal(a.text, "busy");
}

static void test_detached(void **state) {
        Pending *p;
        Answer a = {};

        assert_ok(pending_new(on_answer, &a, &p));
        pending_ref(p);
        pending_detach(p);
        pending_unref(p); /* the asker has gone */
        pending_complete(p, 0, NULL, NULL);
        pending_unref(p);
        assert_int_equal(a.n, 0);
}

/* As the callback of a call: the reference it holds goes with the answer. */
static void test_answer(void **state) {
        _cleanup_(pending_unrefp) Pending *p = NULL;
        _cleanup_(error_done) Error e = {};
        Answer a = {};

        assert_ok(pending_new(on_answer, &a, &p));
        pending_answer(error_set(&e, ERROR_CONFLICT, "busy"), &e, pending_ref(p));
        assert_int_equal(a.n, 1);
        assert_int_equal(a.r, -EBUSY);
        assert_null(a.result);
        assert_string_equal(a.text, "busy");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_completes_once),
                cmocka_unit_test(test_tells_why),
                cmocka_unit_test(test_detached),
                cmocka_unit_test(test_answer),
        };

        return cmocka_run_group_tests_name("engine/core/pending", tests, NULL, NULL);
}
