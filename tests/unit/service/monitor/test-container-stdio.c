/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "service/monitor/container-stdio.h"

/* A sink that can be full: takes n messages, then says so once, and so on. */
typedef struct Sink {
        Buffer text;
        unsigned n_messages;
        unsigned full_after; /* 0: never */
        bool was_full;
} Sink;

static Sink sink;

static int sink_write(void *state, const LogMessage *m) {
        if (sink.full_after && (sink.n_messages + 1) % sink.full_after == 0 && !sink.was_full) {
                sink.was_full = true;
                return -EAGAIN;
        }
        sink.was_full = false;
        sink.n_messages++;
        assert_ok(buffer_printf(&sink.text, "%c%s", m->stream == LOG_STREAM_STDERR ? 'e' : 'o',
                m->partial ? "+" : ""));
        assert_ok(buffer_append(&sink.text, m->data, m->size));
        assert_true(m->size <= LOG_MESSAGE_MAX);
        assert_true(m->partial == (m->data[m->size - 1] != '\n'));
        return 0;
}

static void sink_close(void *state) {
}

static const LogDriver sink_driver = { .name = "sink", .write = sink_write, .close = sink_close };

typedef struct Fixture {
        Poller poller;
        Stdio stdio;
        int fds[3];
        unsigned n_drained;
} Fixture;

static void on_drained(void *userdata) {
        Fixture *f = userdata;

        f->n_drained++;
        poller_stop(&f->poller);
}

static void fixture_init(Fixture *f, unsigned full_after) {
        MonitorSpec spec = { .id = (char *) "x", .log_driver = (char *) "none" };

        sink = (Sink) { .full_after = full_after };
        *f = (Fixture) {};
        assert_ok(poller_init(&f->poller));
        assert_ok(stdio_init(&f->stdio, &f->poller, &spec, NULL));
        f->stdio.driver = &sink_driver;
        assert_ok(stdio_open(&f->stdio, false, false, false, f->fds));
}

static void fixture_done(Fixture *f) {
        fd_close_many(f->fds, 3);
        stdio_done(&f->stdio);
        poller_done(&f->poller);
        buffer_done(&sink.text);
}

static void drain(Fixture *f) {
        stdio_drain(&f->stdio, 5000000, on_drained, f);
        assert_ok(poller_run(&f->poller));
        assert_int_equal(f->n_drained, 1);
}

static void test_lines(void **state) {
        Fixture f;

        fixture_init(&f, 0);
        assert_ok(stdio_start(&f.stdio));
        assert_ok(fd_write_string(f.fds[1], "a\n\nb\nrest"));
        assert_ok(fd_write_string(f.fds[2], "err\n"));
        drain(&f);
        assert_string_equal(buffer_string(&sink.text), "oa\no\nob\no+resteerr\n");
        fixture_done(&f);
}

static void test_full_sink(void **state) {
        Fixture f;

        for (unsigned full_after = 1; full_after < 5; full_after++) {
                fixture_init(&f, full_after);
                assert_ok(stdio_start(&f.stdio));
                assert_ok(fd_write_string(f.fds[1], "a\nb\nc\nd\ne\nrest"));
                drain(&f);
                assert_string_equal(buffer_string(&sink.text), "oa\nob\noc\nod\noe\no+rest");
                fixture_done(&f);
        }
}

static void test_long_line(void **state) {
        char *line = malloc(50001);
        Fixture f;

        assert_non_null(line);
        memset(line, 'x', 50000);
        line[50000] = '\n';
        fixture_init(&f, 3);
        assert_ok(stdio_start(&f.stdio));
        assert_ok(fd_write_full(f.fds[1], line, 50001));
        drain(&f);
        assert_int_equal(sink.n_messages, 4);
        assert_int_equal(buffer_size(&sink.text), 50001 + 3 * 2 + 1); /* "o+" three times, "o" */
        fixture_done(&f);
        free(line);
}

/* The container has ended, its pipe is held by somebody else. */
static void test_pipe_that_stays_open(void **state) {
        Fixture f;
        int other;

        fixture_init(&f, 0);
        other = fd_dup(f.fds[1]);
        assert_ok(stdio_start(&f.stdio));
        assert_ok(fd_write_string(f.fds[1], "x"));
        fd_close_many(f.fds, 3);
        drain(&f);
        assert_string_equal(buffer_string(&sink.text), "o+x");
        fd_close(other);
        fixture_done(&f);
}

static void test_words_of_a_failed_start(void **state) {
        char *text;
        Fixture f;

        fixture_init(&f, 0);
        assert_null(stdio_take_text(&f.stdio));
        assert_ok(fd_write_string(f.fds[2], "runtime: no\n"));
        text = stdio_take_text(&f.stdio);
        assert_string_equal(text, "runtime: no");
        free(text);
        assert_int_equal(sink.n_messages, 0);
        fixture_done(&f);
}

static void test_stdin(void **state) {
        MonitorSpec spec = { .id = (char *) "x", .log_driver = (char *) "none" };
        Fixture f;
        char c;

        fixture_init(&f, 0);
        assert_int_equal(read(f.fds[0], &c, 1), 0); /* nobody will ever write */
        fixture_done(&f);

        f = (Fixture) {};
        assert_ok(poller_init(&f.poller));
        assert_ok(stdio_init(&f.stdio, &f.poller, &spec, NULL));
        assert_ok(stdio_open(&f.stdio, true, false, false, f.fds));
        assert_int_equal(fd_wait(f.fds[0], 1 /* POLLIN */, 10000), 0); /* open, and empty */
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_full_sink),
                cmocka_unit_test(test_long_line),
                cmocka_unit_test(test_pipe_that_stays_open),
                cmocka_unit_test(test_words_of_a_failed_start),
                cmocka_unit_test(test_stdin),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
