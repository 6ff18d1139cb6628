/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/log/reader.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

/* A log, its writer, and a reader that gathers what it yields. */
typedef struct Fixture {
        char *path;
        sd_event *event;
        void *log;
        LogReader *reader;
        Buffer text;
        char attr[32]; /* the first of the last message */
        unsigned n_messages;
        unsigned pause_after; /* 0: never */
        bool free_at_once;
        bool ended;
        int result;
} Fixture;

static void on_message(const LogMessage *m, void *userdata) {
        Fixture *f = userdata;

        assert_ok(buffer_append(&f->text, m->data, m->size));
        f->n_messages++;
        (void) snprintf(f->attr, sizeof(f->attr), "%s", m->attrs ? m->attrs[0] : "");
        if (f->pause_after && f->n_messages % f->pause_after == 0)
                log_reader_pause(f->reader);
        if (f->free_at_once)
                f->reader = log_reader_free(f->reader);
}

static void on_end(int r, void *userdata) {
        Fixture *f = userdata;

        assert_false(f->ended);
        f->ended = true;
        f->result = r;
}

static void open_writer(Fixture *f, char *const *opts) {
        LogTarget t = { .id = "x", .path = f->path, .opts = opts };

        assert_ok(log_driver_json_file.open(&t, &f->log));
}

static void say(Fixture *f, LogStream stream, uint64_t time, const char *text) {
        LogMessage m = { .stream = stream, .data = text, .size = strlen(text), .time_nsec = time };

        assert_int_equal(log_driver_json_file.write(f->log, &m), 0);
        assert_int_equal(log_driver_json_file.flush(f->log), 0);
}

static void fixture_init(Fixture *f, void **state, char *const *opts) {
        *f = (Fixture) {};
        assert_ok(str_printf(&f->path, "%s/log", (char *) *state));
        assert_ok(loop_new(false, &f->event));
        open_writer(f, opts);
}

static void fixture_done(Fixture *f) {
        f->reader = log_reader_free(f->reader);
        log_driver_json_file.close(f->log);
        f->event = loop_free(f->event);
        buffer_done(&f->text);
        free(f->path);
}

static void start(Fixture *f, const LogReadOptions *o) {
        LogTarget t = { .id = "x", .path = f->path };

        assert_ok(log_reader_new("json-file", &t, o, &f->reader, NULL));
        assert_ok(log_reader_start(f->reader, f->event, on_message, on_end, f));
        assert_int_equal(f->n_messages, 0);
}

/* Until nothing happens for a while. */
static void run(Fixture *f) {
        while (sd_event_run(f->event, 20000) > 0)
                ;
}

static void check(Fixture *f, const char *text, bool ended) {
        run(f);
        assert_string_equal(buffer_string(&f->text), text);
        assert_int_equal(f->ended, ended);
        assert_int_equal(f->result, 0);
}

static void again(Fixture *f, const LogReadOptions *o, const char *text) {
        f->reader = log_reader_free(f->reader);
        f->ended = false;
        f->n_messages = 0;
        buffer_reset(&f->text);
        start(f, o);
        check(f, text, true);
}

static void test_options(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, NULL);
        say(&f, LOG_STREAM_STDOUT, 10, "a\n");
        say(&f, LOG_STREAM_STDERR, 20, "b\n");
        say(&f, LOG_STREAM_STDOUT, 30, "c");
        say(&f, LOG_STREAM_STDOUT, 40, "d\n");
        again(&f, &o, "a\nb\ncd\n");

        o.with_stderr = false;
        again(&f, &o, "a\ncd\n");
        o.with_stdout = false;
        o.with_stderr = true;
        again(&f, &o, "b\n");

        o = LOG_READ_OPTIONS_ALL;
        o.since_nsec = 20;
        again(&f, &o, "b\ncd\n");
        o.until_nsec = 30;
        again(&f, &o, "b\nc");

        o = LOG_READ_OPTIONS_ALL;
        for (o.tail = 0; o.tail <= 5; o.tail++)
                again(&f, &o,
                        (const char *[]) {
                                "", "d\n", "cd\n", "b\ncd\n", "a\nb\ncd\n", "a\nb\ncd\n" }[o.tail]);
        fixture_done(&f);
}

static void test_no_log(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, NULL);
        assert_ok(unlink(f.path));
        again(&f, &o, "");

        /* it comes later */
        f.reader = log_reader_free(f.reader);
        f.ended = false;
        o.follow = true;
        start(&f, &o);
        check(&f, "", false);
        assert_ok(log_driver_json_file.reopen(f.log));
        say(&f, LOG_STREAM_STDOUT, 1, "late\n");
        check(&f, "late\n", false);
        fixture_done(&f);
}

static void test_follow(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, NULL);
        say(&f, LOG_STREAM_STDOUT, 1, "old\n");
        say(&f, LOG_STREAM_STDOUT, 1, "one\n");
        o.follow = true;
        o.tail = 1;
        start(&f, &o);
        check(&f, "one\n", false);
        say(&f, LOG_STREAM_STDOUT, 2, "two\n");
        check(&f, "one\ntwo\n", false);
        say(&f, LOG_STREAM_STDOUT, 3, "three\n");
        log_reader_finish(f.reader);
        check(&f, "one\ntwo\nthree\n", true);
        fixture_done(&f);
}

/* No gap and no repetition, whatever the reader's lag is. */
static void follow_rotations(void **state, unsigned lines_per_run, unsigned n_lines) {
        char *opts[] = { (char *) "max-size=2k", (char *) "max-file=50", NULL };
        _cleanup_(buffer_done) Buffer expected = {};
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, opts);
        o.follow = true;
        start(&f, &o);
        for (unsigned i = 0; i < n_lines; i++) {
                char line[32];

                (void) snprintf(line, sizeof(line), "line %u\n", i);
                assert_ok(buffer_append_string(&expected, line));
                say(&f, LOG_STREAM_STDOUT, i + 1, line);
                if (i % lines_per_run == 0)
                        (void) sd_event_run(f.event, 0);
        }
        log_reader_finish(f.reader);
        check(&f, buffer_string(&expected), true);
        fixture_done(&f);
}

static void test_follow_rotations(void **state) {
        follow_rotations(state, 1, 1000);
}

static void test_follow_rotations_slowly(void **state) {
        follow_rotations(state, 97, 1000);
}

static void test_single_file(void **state) {
        char *opts[] = { (char *) "max-size=1k", (char *) "max-file=1", NULL };
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, opts);
        o.follow = true;
        start(&f, &o);
        for (unsigned i = 0; i < 100; i++) {
                say(&f, LOG_STREAM_STDOUT, 1, "0123456789\n");
                run(&f);
        }
        assert_int_equal(f.n_messages, 100);
        fixture_done(&f);
}

static void test_truncated(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, NULL);
        say(&f, LOG_STREAM_STDOUT, 1, "before, and quite long\n");
        o.follow = true;
        start(&f, &o);
        check(&f, "before, and quite long\n", false);
        assert_ok(truncate(f.path, 0));
        say(&f, LOG_STREAM_STDOUT, 1, "after\n");
        check(&f, "before, and quite long\nafter\n", false);
        fixture_done(&f);
}

static void append(const Fixture *f, const char *data, size_t size) {
        int fd = open(f->path, O_WRONLY | O_APPEND | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_ok(fd_write_full(fd, data, size));
        fd_close(fd);
}

#define append_literal(f, text) append(f, text, sizeof(text) - 1)

static void test_malformed(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        char *huge = malloc(3 * 1024 * 1024);
        Fixture f;

        assert_non_null(huge);
        memset(huge, 'x', 3 * 1024 * 1024);
        fixture_init(&f, state, NULL);
        append_literal(&f, "\n\n{}\nnonsense\n\0\0\0\n");
        say(&f, LOG_STREAM_STDOUT, 1, "a\n");
        append(&f, huge, 3 * 1024 * 1024);
        append_literal(&f, "\n{\"log\":\"\n");
        say(&f, LOG_STREAM_STDOUT, 1, "b\n");
        append_literal(&f, "{\"log\":\"half a line");
        again(&f, &o, "a\nb\n");
        fixture_done(&f);
        free(huge);
}

static void test_pause(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, NULL);
        for (int i = 0; i < 1000; i++)
                say(&f, LOG_STREAM_STDOUT, 1, "x\n");
        f.pause_after = 10;
        start(&f, &o);
        for (unsigned i = 1; i <= 100; i++) {
                run(&f);
                assert_int_equal(f.n_messages, 10 * i);
                log_reader_resume(f.reader);
                log_reader_resume(f.reader);
        }
        run(&f);
        assert_true(f.ended);

        /* paused before it began */
        f.reader = log_reader_free(f.reader);
        f.n_messages = 0;
        f.ended = false;
        start(&f, &o);
        log_reader_pause(f.reader);
        run(&f);
        assert_int_equal(f.n_messages, 0);
        fixture_done(&f);
}

static void test_turns(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, NULL);
        for (int i = 0; i < 1000; i++)
                say(&f, LOG_STREAM_STDOUT, 1, "x\n");
        start(&f, &o);
        assert_true(sd_event_run(f.event, 0) > 0);
        assert_true(f.n_messages > 0 && f.n_messages < 1000); /* others have their turn */
        fixture_done(&f);
}

static void test_free_in_callback(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, NULL);
        say(&f, LOG_STREAM_STDOUT, 1, "a\n");
        say(&f, LOG_STREAM_STDOUT, 1, "b\n");
        f.free_at_once = true;
        start(&f, &o);
        check(&f, "a\n", false);
        fixture_done(&f);
}

static void test_attributes(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        Fixture f;

        fixture_init(&f, state, NULL);
        append_literal(&f,
                "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"attrs\":{\"k\":\"v\"},\"time\":\"2026-"
                "01-01T00:00:00Z\"}\n");
        again(&f, &o, "a\n");
        assert_string_equal(f.attr, "k=v");
        fixture_done(&f);
}

static void test_none(void **state) {
        LogReadOptions o = LOG_READ_OPTIONS_ALL;
        LogTarget t = { .id = "x" };
        _cleanup_(error_done) Error e = {};
        LogReader *reader = NULL;

        assert_true(log_reader_new("none", &t, &o, &reader, &e) < 0);
        assert_int_equal(e.kind, ERROR_NOT_IMPLEMENTED);
        assert_string_equal(e.text, "configured logging driver does not support reading");
        assert_false(logs_can_read("none"));
        assert_true(logs_can_read("journald"));
}

int main(void) {
#define WITH_FOLDER(test) \
        cmocka_unit_test_setup_teardown(test, test_folder_setup, test_folder_teardown)
        const struct CMUnitTest tests[] = {
                WITH_FOLDER(test_options),
                WITH_FOLDER(test_no_log),
                WITH_FOLDER(test_follow),
                WITH_FOLDER(test_follow_rotations),
                WITH_FOLDER(test_follow_rotations_slowly),
                WITH_FOLDER(test_single_file),
                WITH_FOLDER(test_truncated),
                WITH_FOLDER(test_malformed),
                WITH_FOLDER(test_pause),
                WITH_FOLDER(test_turns),
                WITH_FOLDER(test_free_in_callback),
                WITH_FOLDER(test_attributes),
                cmocka_unit_test(test_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
