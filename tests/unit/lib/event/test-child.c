/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/child.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/event/channel.h"
#include "lib/event/loop.h"
#include "lib/json/json.h"
#include "tests/unit/test.h"

typedef struct Seen Seen;

struct Seen {
        sd_event *event;
        Child *child;
        unsigned n_records;
        bool exited;
        bool free_at_record;
        siginfo_t si;
};

static int on_record(Child *c, Json *record, int *fds, size_t n_fds, void *userdata) {
        Seen *s = userdata;

        assert_false(s->exited);
        assert_int_equal(json_get_int64(record, "n", -1), s->n_records);
        s->n_records++;
        if (s->free_at_record) {
                s->child = child_free(c);
                return sd_event_exit(s->event, 0);
        }
        return 0;
}

static void on_exit_seen(Child *c, const siginfo_t *si, void *userdata) {
        Seen *s = userdata;

        s->exited = true;
        s->si = *si;
        s->child = child_free(c);
        (void) sd_event_exit(s->event, 0);
}

static const ChildOps ops = {
        .name = "test-child", .on_record = on_record, .on_exit = on_exit_seen
};

static void start(Seen *s, const char *what, bool with_channel) {
        char *argv[] = { (char *) "child", (char *) what, NULL };
        ProcessSpec spec = { .path = "/proc/self/exe", .argv = argv, .env = environ };

        *s = (Seen) {};
        assert_ok(loop_new(/* watchdog= */ false, &s->event));
        assert_ok(child_spawn(s->event, &spec, with_channel, &ops, s, &s->child));
}

static void finish(Seen *s) {
        assert_ok(sd_event_loop(s->event));
        s->event = sd_event_unref(s->event);
}

/* Far more records than one burst, then an exit at once: all of them come first. */
static void test_records_before_exit(void **state) {
        for (unsigned i = 0; i < 20; i++) {
                Seen s;

                start(&s, "send 150", true);
                finish(&s);
                assert_true(s.exited);
                assert_int_equal(s.n_records, 150);
                assert_int_equal(s.si.si_code, CLD_EXITED);
                assert_int_equal(s.si.si_status, 5);
        }
}

static void test_echo(void **state) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Seen s;

        start(&s, "echo", true);
        assert_true(child_pid(s.child) > 0);
        assert_true(child_pidfd(s.child) >= 0);
        assert_ok(json_new_object(&v));
        assert_ok(json_set_int64(v, "n", 0));
        assert_ok(child_send(s.child, v, NULL, 0));
        finish(&s);
        assert_int_equal(s.n_records, 1);
        assert_int_equal(s.si.si_status, 0);
}

static void test_terminate(void **state) {
        uint64_t began = clock_monotonic_us();
        Seen s;

        start(&s, "wait", false);
        assert_int_equal(child_send(s.child, NULL, NULL, 0), -ENOTCONN);
        assert_ok(child_terminate(s.child, USEC_PER_HOUR));
        finish(&s);
        assert_int_equal(s.si.si_code, CLD_KILLED);
        assert_int_equal(s.si.si_status, SIGTERM);

        /* One that does not listen, after the grace time; the second call only shortens it. */
        start(&s, "stubborn 1", true);
        while (s.n_records == 0) /* it ignores SIGTERM by now */
                assert_ok(sd_event_run(s.event, UINT64_MAX));
        assert_ok(child_terminate(s.child, USEC_PER_HOUR));
        assert_ok(child_terminate(s.child, 20 * USEC_PER_MSEC));
        finish(&s);
        assert_int_equal(s.si.si_status, SIGKILL);
        assert_true(clock_monotonic_us() - began < 20 * USEC_PER_SEC);
}

static void test_free_early(void **state) {
        siginfo_t si = {};
        Seen s;

        /* In the middle, and from inside of a record: the child is killed and reaped. */
        start(&s, "wait", false);
        s.child = child_free(s.child);
        s.event = sd_event_unref(s.event);
        start(&s, "send 10", true);
        s.free_at_record = true;
        finish(&s);
        assert_int_equal(s.n_records, 1);
        assert_false(s.exited);
        assert_int_equal(waitid(P_ALL, 0, &si, WEXITED | WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

/* A process that is somebody else's child: its exit is seen, how it ended is not. */
static void test_adopt(void **state) {
        char *argv[] = { (char *) "sh", (char *) "-c", (char *) "sleep 0.05 & echo $!", NULL };
        ProcessSpec spec = { .path = "/bin/sh", .argv = argv };
        _cleanup_(freep) char *output = NULL;
        Seen s = {};
        pid_t pid;
        int pidfd;

        assert_ok(loop_new(/* watchdog= */ false, &s.event));
        assert_int_equal(process_run(&spec, 10 * USEC_PER_SEC, 100, &output), 0);
        assert_ok(parse_pid(str_chomp(output), &pid));
        pidfd = process_pidfd_open(pid);
        if (pidfd < 0) {
                sd_event_unref(s.event);
                skip(); /* gone already: a very slow machine */
        }
        assert_ok(child_adopt(s.event, pid, pidfd, -EBADF, &ops, &s, &s.child));
        finish(&s);
        assert_true(s.exited);
        assert_int_equal(s.si.si_code, 0);
}

/* What the child does: this program again, with words as argument. */
static int run_child(const char *what) {
        const char *number;
        unsigned n = 0;

        number = strchr(what, ' ');
        if (number && parse_unsigned(number + 1, &n) < 0)
                return 99;
        if (str_starts(what, "stubborn"))
                (void) signal_ignore(SIGTERM);

        for (unsigned i = 0; i < n; i++) {
                _cleanup_(json_unrefp) Json *v = NULL;

                if (json_new_object(&v) < 0 || json_set_int64(v, "n", i) < 0 ||
                        channel_send(CHILD_CHANNEL_FD, v, NULL, 0) < 0)
                        return 98;
        }

        if (str_starts(what, "send"))
                return 5;
        if (streq(what, "echo")) {
                _cleanup_(json_unrefp) Json *v = NULL;

                return channel_receive(CHILD_CHANNEL_FD, &v, NULL, NULL) == 1 &&
                                       channel_send(CHILD_CHANNEL_FD, v, NULL, 0) >= 0
                             ? 0
                             : 97;
        }
        for (;;)
                (void) pause();
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_records_before_exit),
                cmocka_unit_test(test_echo),
                cmocka_unit_test(test_terminate),
                cmocka_unit_test(test_free_early),
                cmocka_unit_test(test_adopt),
        };

        if (argc > 1)
                return run_child(argv[1]);

        return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
