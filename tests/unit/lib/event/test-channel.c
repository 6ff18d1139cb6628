/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/channel.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/event/loop.h"
#include "lib/json/json.h"
#include "tests/unit/test.h"

static Json *record_of_size(size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);
        Json *v;

        memset(text, 'x', size);
        text[size] = 0;
        assert_ok(json_new_object(&v));
        assert_ok(json_set_text(v, "text", text));
        return v;
}

static Json *record_numbered(int64_t n) {
        Json *v;

        assert_ok(json_new_object(&v));
        assert_ok(json_set_int64(v, "n", n));
        return v;
}

static size_t count_fds(void) {
        size_t n = 0;

        for (int fd = 0; fd < 200; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* Small ones inline, large ones through a memfd: nobody sees a difference. */
static void test_blocking(void **state) {
        static const size_t sizes[] = { 0, 1000, 100000, CHANNEL_INLINE_MAX - 11,
                CHANNEL_INLINE_MAX - 10, 1 << 20, CHANNEL_RECORD_MAX - 11 };
        size_t before = count_fds();
        int pair[2];

        assert_ok(channel_pair(pair));
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                _cleanup_(json_unrefp) Json *out = record_of_size(sizes[i]), *in = NULL;
                int fds[CHANNEL_FDS_MAX], two[2] = { 0, 2 };
                size_t n;

                assert_ok(channel_send(pair[0], out, two, i % 3));
                assert_int_equal(channel_receive(pair[1], &in, fds, &n), 1);
                assert_string_equal(json_get_text(in, "text"), json_get_text(out, "text"));
                assert_int_equal(n, i % 3);
                fd_close_many(fds, n);
        }
        {
                _cleanup_(json_unrefp) Json *out = record_of_size(CHANNEL_RECORD_MAX), *in = NULL;

                assert_int_equal(channel_send(pair[0], out, NULL, 0), -EMSGSIZE);
                pair[0] = fd_close(pair[0]);
                assert_int_equal(channel_receive(pair[1], &in, NULL, NULL), 0);
        }
        (void) fd_close(pair[1]);
        assert_int_equal(count_fds(), before);
}

static void check_refused(const void *data, size_t size, const int *fds, size_t n_fds, int error) {
        size_t before = count_fds();
        Json *in = NULL;
        int pair[2];

        assert_ok(channel_pair(pair));
        assert_ok(fd_send(pair[0], data, size, fds, n_fds, 0));
        assert_int_equal(channel_receive(pair[1], &in, NULL, NULL), error);
        assert_null(in);
        fd_close_many(pair, 2);
        assert_int_equal(count_fds(), before);
}

static void test_hostile(void **state) {
        _cleanup_(fd_closep) int sealed = fd_memfd_sealed("t", "{}", 2), loose = fd_memfd("t");
        _cleanup_(freep) char *large = malloc(CHANNEL_INLINE_MAX + 2);
        char memory[9] = "M";
        uint64_t size = 2;
        int many[17];

        memset(large, ' ', CHANNEL_INLINE_MAX + 2);
        large[0] = 'J';
        for (size_t i = 0; i < ARRAY_SIZE(many); i++)
                many[i] = sealed;

        check_refused("X{}", 3, NULL, 0, -EPROTO);
        check_refused("J{", 2, NULL, 0, -EBADMSG);
        check_refused("J", 1, NULL, 0, -EBADMSG);
        check_refused("J{}", 3, &sealed, 1, -EPROTO); /* fds that nobody asked for */
        check_refused("J{}", 3, many, 17, -EPROTO);
        check_refused(large, CHANNEL_INLINE_MAX + 2, NULL, 0, -EPROTO);
        check_refused("M", 1, &sealed, 1, -EPROTO);
        memcpy(memory + 1, &size, 8);
        check_refused(memory, 9, NULL, 0, -EPROTO);
        check_refused(memory, 9, many, 2, -EPROTO);
        assert_ok(fd_write_string(loose, "{}"));
        check_refused(memory, 9, &loose, 1, -EBADMSG); /* could still change */
        size = 3;
        memcpy(memory + 1, &size, 8);
        check_refused(memory, 9, &sealed, 1, -EBADMSG);
        size = UINT64_MAX;
        memcpy(memory + 1, &size, 8);
        check_refused(memory, 9, &sealed, 1, -EBADMSG);
}

typedef struct Seen Seen;

struct Seen {
        int64_t next;
        unsigned n_fds;
        int hangup; /* 1: not yet */
        int64_t fail_at;
        int64_t free_at;
        bool free_at_hangup;
        Channel *channel;
};

static int on_record(Channel *c, Json *record, int *fds, size_t n_fds, void *userdata) {
        Seen *seen = userdata;
        int64_t n = json_get_int64(record, "n", -1);

        assert_int_equal(n, seen->next);
        seen->next++;
        seen->n_fds += (unsigned) n_fds;
        if (n == seen->free_at)
                seen->channel = channel_free(c);
        return n == seen->fail_at ? -EBADMSG : 0;
}

static void on_hangup(Channel *c, int r, void *userdata) {
        Seen *seen = userdata;

        assert_int_equal(seen->hangup, 1);
        seen->hangup = r;
        if (seen->free_at_hangup)
                seen->channel = channel_free(c);
}

static void run_until_idle(sd_event *e) {
        while (sd_event_run(e, 0) > 0)
                ;
}

static void open_channel(sd_event *e, Seen *seen, int *ret_other) {
        int pair[2];

        *seen = (Seen) { .hangup = 1, .fail_at = -2, .free_at = -2 };
        assert_ok(channel_pair(pair));
        assert_ok(channel_new(e, pair[0], "test", on_record, on_hangup, seen, &seen->channel));
        *ret_other = pair[1];
}

static void send_numbered(int fd, int64_t from, int64_t to) {
        for (int64_t n = from; n < to; n++) {
                _cleanup_(json_unrefp) Json *v = record_numbered(n);
                int null = STDERR_FILENO;

                assert_ok(channel_send(fd, v, &null, n % 2));
        }
}

static void test_loop_receive(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        size_t before = count_fds();
        int other;
        Seen s;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        open_channel(e, &s, &other);
        send_numbered(other, 0, 100);
        (void) fd_close(other); /* all records first, then the hang-up */
        run_until_idle(e);
        assert_int_equal(s.next, 100);
        assert_int_equal(s.n_fds, 50);
        assert_int_equal(s.hangup, 0);
        assert_int_equal(channel_queue(s.channel, NULL, NULL, 0), -EPIPE);
        channel_free(s.channel);
        e = sd_event_unref(e);
        assert_int_equal(count_fds(), before);
}

static void test_pause(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        int other;
        Seen s;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        open_channel(e, &s, &other);
        assert_ok(channel_pause(s.channel, true));
        send_numbered(other, 0, 30);
        run_until_idle(e);
        assert_int_equal(s.next, 0);
        (void) fd_close(other);
        run_until_idle(e); /* a hang-up while paused does not spin */
        assert_int_equal(s.hangup, 1);
        assert_ok(channel_pause(s.channel, false));
        run_until_idle(e);
        assert_int_equal(s.next, 30);
        assert_int_equal(s.hangup, 0);
        channel_free(s.channel);
}

static void test_free_inside(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        int other;
        Seen s;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        open_channel(e, &s, &other);
        s.free_at = 3;
        send_numbered(other, 0, 10);
        run_until_idle(e);
        assert_int_equal(s.next, 4);
        (void) fd_close(other);

        open_channel(e, &s, &other);
        s.fail_at = 2;
        s.free_at_hangup = true;
        send_numbered(other, 0, 10);
        run_until_idle(e);
        assert_int_equal(s.next, 3);
        assert_int_equal(s.hangup, -EBADMSG);
        (void) fd_close(other);

        open_channel(e, &s, &other);
        s.free_at = 5;
        send_numbered(other, 0, 10);
        assert_int_equal(channel_drain(s.channel), 0);
        (void) fd_close(other);

        open_channel(e, &s, &other);
        send_numbered(other, 0, 20);
        assert_int_equal(channel_drain(s.channel), 1);
        assert_int_equal(s.next, 20);
        channel_free(s.channel);
        (void) fd_close(other);

        open_channel(e, &s, &other);
        assert_ok(fd_send(other, "garbage", 7, NULL, 0, 0));
        run_until_idle(e);
        assert_int_equal(s.hangup, -EPROTO);
        channel_free(s.channel);
        (void) fd_close(other);
}

/* The other side does not read: records wait in order, up to the limit; then it reads. */
static void test_queue(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        size_t before = count_fds();
        int64_t sent = 0, got = 0;
        int other, r, null = STDERR_FILENO;
        Seen s;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        open_channel(e, &s, &other);
        for (;; sent++) {
                _cleanup_(json_unrefp) Json *v = record_numbered(sent), *body = NULL;

                body = record_of_size(50000);
                assert_ok(json_set(v, "body", body));
                r = channel_queue(s.channel, v, &null, sent % 10 == 0);
                if (r < 0)
                        break;
        }
        assert_int_equal(r, -ENOBUFS);
        assert_true(sent > 60);
        assert_true(channel_queued(s.channel) <= CHANNEL_QUEUE_MAX);

        assert_ok(fd_set_nonblock(other, true));
        while (got < sent) {
                _cleanup_(json_unrefp) Json *v = NULL;
                int fds[CHANNEL_FDS_MAX];
                size_t n;

                r = channel_receive(other, &v, fds, &n);
                if (r == -EAGAIN) {
                        assert_ok(sd_event_run(e, 0));
                        continue;
                }
                assert_int_equal(r, 1);
                assert_int_equal(json_get_int64(v, "n", -1), got);
                assert_int_equal(n, got % 10 == 0);
                fd_close_many(fds, n);
                got++;
        }
        assert_int_equal(channel_queued(s.channel), 0);
        run_until_idle(e);

        /* And one that never reads and goes: what waits is dropped with the channel. */
        for (unsigned i = 0; i < 20; i++) {
                _cleanup_(json_unrefp) Json *v = record_of_size(50000);

                assert_ok(channel_queue(s.channel, v, &null, 1));
        }
        (void) fd_close(other);
        run_until_idle(e);
        assert_int_equal(s.hangup, 0);
        channel_free(s.channel);
        e = sd_event_unref(e);
        assert_int_equal(count_fds(), before);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_blocking),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_loop_receive),
                cmocka_unit_test(test_pause),
                cmocka_unit_test(test_free_inside),
                cmocka_unit_test(test_queue),
        };

        return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
