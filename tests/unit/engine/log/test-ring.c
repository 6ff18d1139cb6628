/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/log/ring.h"
#include "lib/base/buffer.h"

static bool full;
static Buffer sink;

static int sink_write(void *state, const LogMessage *m) {
        assert_ptr_equal(state, &sink);
        return full ? -EAGAIN : buffer_append(&sink, m->data, m->size);
}

static const LogDriver driver = { .name = "sink", .write = sink_write };

static LogRing *make(const char *size) {
        char *opts[] = { (char *) "mode=non-blocking", (char *) size, NULL };
        LogRing *r;

        full = false;
        buffer_reset(&sink);
        assert_ok(log_ring_new(opts, &driver, &sink, &r));
        assert_non_null(r);
        return r;
}

static void say(LogRing *r, const char *text) {
        log_ring_write(r,
                &(LogMessage) { .stream = LOG_STREAM_STDERR, .data = text, .size = strlen(text) });
}

static void test_not_wanted(void **state) {
        char *opts[] = { (char *) "mode=blocking", NULL };
        LogRing *r;

        assert_ok(log_ring_new(opts, &driver, NULL, &r));
        assert_null(r);
        assert_ok(log_ring_new(NULL, &driver, NULL, &r));
        assert_null(r);
}

static void test_order(void **state) {
        _cleanup_(log_ring_freep) LogRing *r = make(NULL);

        say(r, "a\n");
        assert_string_equal(buffer_string(&sink), "a\n"); /* at once */
        full = true;
        say(r, "b\n");
        say(r, "c\n");
        assert_int_equal(log_ring_flush(r), -EAGAIN);
        full = false;
        say(r, "d\n"); /* not before b and c */
        assert_string_equal(buffer_string(&sink), "a\n");
        assert_ok(log_ring_flush(r));
        assert_string_equal(buffer_string(&sink), "a\nb\nc\nd\n");
        assert_int_equal(log_ring_n_dropped(r), 0);
        buffer_done(&sink);
}

static void test_drops_the_newest(void **state) {
        _cleanup_(log_ring_freep) LogRing *r = make("max-buffer-size=8");

        full = true;
        say(r, "longer than all\n"); /* alone it is kept */
        say(r, "b\n");
        assert_int_equal(log_ring_n_dropped(r), 1);
        full = false;
        assert_ok(log_ring_flush(r));
        full = true;
        say(r, "12345\n");
        say(r, "6\n");
        say(r, "7\n");
        assert_int_equal(log_ring_n_dropped(r), 2);
        full = false;
        assert_ok(log_ring_flush(r));
        say(r, "8\n");
        assert_string_equal(buffer_string(&sink), "longer than all\n12345\n6\n8\n");
        buffer_done(&sink);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_not_wanted),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_drops_the_newest),
        };
        return cmocka_run_group_tests_name("engine/log/ring", tests, NULL, NULL);
}
