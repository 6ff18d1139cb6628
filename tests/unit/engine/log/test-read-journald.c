/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Needs a journald that takes records and root to read them: skipped elsewhere, run in the sandbox by tests/system/test_monitor.py. */

#include "tests/unit/test.h"

#include <string.h>

#include "engine/log/reader.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

typedef struct Fixture {
        char id[IDENT_SIZE];
        sd_event *event;
        void *log;
        LogReader *reader;
        Buffer text;
        bool ended;
} Fixture;

static void on_message(const LogMessage *m, void *userdata) {
        Fixture *f = userdata;

        assert_ok(buffer_append(&f->text, m->data, m->size));
        assert_string_equal(m->attrs[0], "COM_TEAM=blue");
}

static void on_end(int r, void *userdata) {
        Fixture *f = userdata;

        assert_int_equal(r, 0);
        f->ended = true;
}

static void say(Fixture *f, LogStream stream, uint64_t time, const char *text) {
        LogMessage m = { .stream = stream,
                .data = text,
                .size = strlen(text),
                .time_nsec = time,
                .partial = !strchr(text, '\n') };

        while (log_driver_journald.write(f->log, &m) == -EAGAIN)
                usleep(1000);
}

static void start(Fixture *f, const LogReadOptions *o) {
        LogTarget t = { .id = f->id };

        f->reader = log_reader_free(f->reader);
        f->ended = false;
        buffer_reset(&f->text);
        assert_ok(log_reader_new("journald", &t, o, &f->reader, NULL));
        assert_ok(log_reader_start(f->reader, f->event, on_message, on_end, f));
}

static void run_until(Fixture *f, const char *text) {
        uint64_t deadline = clock_monotonic_us() + 10 * USEC_PER_SEC;

        while (text ? !streq(buffer_string(&f->text), text) : !f->ended) {
                assert_true(clock_monotonic_us() < deadline);
                assert_ok(sd_event_run(f->event, 100000));
        }
}

static void check(Fixture *f, const LogReadOptions *o, const char *text) {
        start(f, o);
        run_until(f, NULL);
        assert_string_equal(buffer_string(&f->text), text);
}

static void test_journald(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        char *fields[] = { (char *) "com.team=blue", NULL };
        uint64_t now = (uint64_t) clock_realtime_ns() / 1000 * 1000;
        LogTarget t;
        Fixture f = {};
        int why;

        ident_random(f.id);
        t = (LogTarget) { .id = f.id, .name = "test", .image = "none", .fields = fields };
        assert_ok(loop_new(false, &f.event));
        assert_ok(log_driver_journald.open(&t, &f.log));
        say(&f, LOG_STREAM_STDOUT, now, "a\n");
        if (log_driver_journald.n_lost(f.log, &why) > 0 || geteuid() != 0) {
                log_driver_journald.close(f.log);
                loop_free(f.event);
                skip();
        }
        say(&f, LOG_STREAM_STDERR, now + 1, "b\n");
        say(&f, LOG_STREAM_STDOUT, now + 2, "c");
        say(&f, LOG_STREAM_STDOUT, now + 2, "d\n");

        /* at once after the last line, and complete */
        check(&f, &o, "a\nb\ncd\n");
        for (o.tail = 0; o.tail <= 5; o.tail++)
                check(&f, &o,
                        (const char *[]) {
                                "", "d\n", "cd\n", "b\ncd\n", "a\nb\ncd\n", "a\nb\ncd\n" }[o.tail]);

        o = LOG_READ_OPTIONS_ALL;
        o.since_nsec = now + 1;
        check(&f, &o, "b\ncd\n");
        o.until_nsec = now + 1;
        check(&f, &o, "b\n");
        o = LOG_READ_OPTIONS_ALL;
        o.with_stdout = false;
        check(&f, &o, "b\n");

        o = LOG_READ_OPTIONS_ALL;
        o.follow = true;
        o.tail = 1;
        start(&f, &o);
        run_until(&f, "d\n");
        say(&f, LOG_STREAM_STDOUT, now + 3, "e\n");
        run_until(&f, "d\ne\n");
        for (int i = 0; i < 100; i++)
                say(&f, LOG_STREAM_STDOUT, now + 4, ".\n");
        log_reader_finish(f.reader);
        run_until(&f, NULL);
        assert_int_equal(buffer_size(&f.text), 4 + 200);

        /* tail=0 shows only what is new, also of an empty log */
        o.tail = 0;
        start(&f, &o);
        for (int i = 0; i < 5; i++)
                assert_ok(sd_event_run(f.event, 10000));
        say(&f, LOG_STREAM_STDOUT, now + 5, "new\n");
        run_until(&f, "new\n");
        f.reader = log_reader_free(f.reader);
        log_driver_journald.close(f.log);

        ident_random(f.id);
        assert_ok(log_driver_journald.open(&t, &f.log));
        for (o.tail = -1; o.tail <= 1; o.tail++) {
                log_driver_journald.close(f.log);
                ident_random(f.id);
                assert_ok(log_driver_journald.open(&t, &f.log));
                start(&f, &o);
                for (int i = 0; i < 5; i++)
                        assert_ok(sd_event_run(f.event, 10000));
                say(&f, LOG_STREAM_STDOUT, now + 6, "first\n");
                run_until(&f, "first\n");
        }

        f.reader = log_reader_free(f.reader);
        log_driver_journald.close(f.log);
        buffer_done(&f.text);
        loop_free(f.event);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_journald) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
