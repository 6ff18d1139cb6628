/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/loop.h"

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "tests/unit/test.h"

static char order[64];

static int on_named(sd_event_source *s, void *userdata) {
        strcat(order, userdata);
        return 0;
}

static int on_end(sd_event_source *s, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(s), 7);
}

static void test_priorities(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        const char *description;
        sd_event_source *s;

        order[0] = 0;
        assert_ok(loop_new(/* watchdog= */ true, &e));
        assert_ok(loop_defer(e, LOOP_IDLE, "end", on_end, NULL, NULL));
        assert_ok(loop_defer(e, LOOP_STREAM, "d", on_named, (void *) "d", NULL));
        assert_ok(loop_defer(e, LOOP_BUS, "c", on_named, (void *) "c", NULL));
        assert_ok(loop_defer(e, LOOP_CHILD, "b", on_named, (void *) "b", NULL));
        assert_ok(loop_defer(e, LOOP_CHANNEL, "a", on_named, (void *) "a", &s));
        assert_ok(sd_event_source_get_description(s, &description));
        assert_string_equal(description, "a");
        assert_int_equal(sd_event_loop(e), 7);
        assert_string_equal(order, "abcd");
        assert_null(loop_source_free(s));
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        strcat(order, "u");
        return kill(getpid(), SIGTERM);
}

static int on_stop(int sig, void *userdata) {
        strcat(order, sig == SIGTERM ? "T" : "?");
        return (*(int *) userdata)++ == 0 ? kill(getpid(), SIGINT) : 1;
}

static void test_signals(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        int asked = 0;

        order[0] = 0;
        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(loop_on_stop(e, on_stop, &asked));
        assert_ok(loop_on_signal(e, SIGUSR1, "reload", on_signal, NULL, NULL));
        assert_int_equal(kill(getpid(), SIGUSR1), 0);
        assert_int_equal(sd_event_loop(e), 0);
        assert_string_equal(order, "uT?"); /* "not yet" the first time */
        assert_int_equal(asked, 2);
}

static int on_time(sd_event_source *s, uint64_t usec, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(s), 0);
}

static void test_timer(void **state) {
        _cleanup_(loop_source_freep) sd_event_source *timer = NULL;
        _cleanup_(loop_freep) sd_event *e = NULL;
        uint64_t start = clock_monotonic_us();

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_false(loop_timer_armed(timer));
        assert_ok(loop_timer_stop(timer));
        assert_ok(loop_timer(e, USEC_PER_HOUR, LOOP_TIMER, "t", on_time, NULL, &timer));
        assert_true(loop_timer_armed(timer));
        assert_ok(loop_timer_stop(timer));
        assert_false(loop_timer_armed(timer));
        assert_ok(loop_timer(e, 20 * USEC_PER_MSEC, LOOP_TIMER, "t", on_time, NULL, &timer));
        assert_int_equal(sd_event_loop(e), 0);
        assert_false(loop_timer_armed(timer));
        assert_true(clock_monotonic_us() - start >= 20 * USEC_PER_MSEC);
}

static int on_readable(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        sd_event_source **own = userdata;

        *own = loop_source_free(*own); /* inside of its own callback */
        strcat(order, "r");
        return 0;
}

static void test_io(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        sd_event_source *s = NULL;
        int p[2];

        order[0] = 0;
        assert_ok(fd_pipe(p, 0));
        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(loop_io(e, p[0], EPOLLIN, LOOP_STREAM, "pipe", on_readable, &s, &s));
        assert_ok(fd_write_string(p[1], "x"));
        assert_ok(sd_event_run(e, 0));
        assert_ok(sd_event_run(e, 0));
        assert_string_equal(order, "r");
        fd_close_many(p, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_priorities),
                cmocka_unit_test(test_signals),
                cmocka_unit_test(test_timer),
                cmocka_unit_test(test_io),
        };

        return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
