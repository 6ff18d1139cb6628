/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "lib/base/clock.h"
#include "service/monitor/poller.h"

typedef struct Fixture {
        Poller poller;
        Watch a, b;
        Timer early, late;
        int pipe[2];
        unsigned n_a, n_b;
        char order[8];
        size_t n_order;
        uint64_t set_anew;
} Fixture;

static void on_late(void *userdata) {
        Fixture *f = userdata;

        f->order[f->n_order++] = 'l';
        poller_stop(&f->poller);
}

static void on_early(void *userdata) {
        Fixture *f = userdata;

        f->order[f->n_order++] = 'e';
        if (f->n_order < 3)
                poller_timer(&f->poller, &f->early, 1000, on_early, f);
        else {
                f->set_anew = clock_monotonic_us();
                poller_timer(&f->poller, &f->late, 30000, on_late, f);
        }
}

static void test_timers(void **state) {
        Fixture f = {};

        assert_ok(poller_init(&f.poller));
        poller_timer(&f.poller, &f.late, 3600 * USEC_PER_SEC, on_late, &f);
        poller_timer(&f.poller, &f.early, 1000, on_early, &f);
        assert_ok(poller_run(&f.poller));
        assert_string_equal(f.order, "eeel");
        assert_true(clock_monotonic_us() - f.set_anew >= 30000);
        poller_timer_stop(&f.poller, &f.early);
        poller_done(&f.poller);
}

static void on_b(void *userdata, uint32_t events) {
        Fixture *f = userdata;

        f->n_b++;
        poller_unwatch(&f->poller, &f->b);
        poller_unwatch(&f->poller, &f->b);
        poller_stop(&f->poller);
}

/* Takes the other one out, which is ready, too. */
static void on_a(void *userdata, uint32_t events) {
        Fixture *f = userdata;

        f->n_a++;
        poller_unwatch(&f->poller, &f->a);
        assert_ok(poller_watch(&f->poller, &f->b, f->pipe[0], EPOLLIN, on_b, f));
}

static void test_watches(void **state) {
        Fixture f = {};

        assert_ok(poller_init(&f.poller));
        assert_ok(fd_pipe(f.pipe, 0));
        assert_ok(fd_write_string(f.pipe[1], "x"));
        assert_ok(poller_watch(&f.poller, &f.a, f.pipe[0], EPOLLIN, on_a, &f));
        assert_ok(poller_run(&f.poller));
        assert_int_equal(f.n_a, 1);
        assert_int_equal(f.n_b, 1);
        fd_close_many(f.pipe, 2);
        poller_done(&f.poller);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_timers),
                cmocka_unit_test(test_watches) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
