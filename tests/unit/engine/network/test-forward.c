/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>

#include "engine/network/forward.h"
#include "lib/base/clock.h"
#include "lib/event/loop.h"

#define MESSAGE "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3web\0\0\1\0\1"

/* A server on the loopback that answers as it is told. */
typedef struct Server {
        int fd;
        DnsCode code;
        bool silent;
        bool spoofs;
        unsigned n_asked;
        uint16_t last_id;
        Upstream address;
} Server;

static unsigned n_answers;
static uint8_t last_answer[512];
static size_t last_size;

static void on_done(const uint8_t *answer, size_t size, void *userdata) {
        n_answers++;
        last_size = size;
        assert_true(size <= sizeof(last_answer));
        memcpy(last_answer, answer, size);
        *(Forward **) userdata = NULL;
}

static size_t make_answer(const Server *v, uint8_t *message, size_t size) {
        message[2] |= 0x80;
        message[3] = (uint8_t) v->code;
        return size;
}

static int on_udp(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Server *v = userdata;
        struct sockaddr_in from;
        socklen_t from_size = sizeof(from);
        uint8_t message[512];
        ssize_t n;

        n = recvfrom(fd, message, sizeof(message), 0, (struct sockaddr *) &from, &from_size);
        assert_true(n > 0);
        v->n_asked++;
        v->last_id = dns_id(message);
        if (v->silent)
                return 0;
        n = (ssize_t) make_answer(v, message, (size_t) n);
        if (v->spoofs) { /* first what somebody would send who guesses */
                dns_set_id(message, (uint16_t) (v->last_id + 1));
                assert_true(sendto(fd, message, (size_t) n, 0, (void *) &from, from_size) == n);
                dns_set_id(message, v->last_id);
                message[14] ^= 1;
                assert_true(sendto(fd, message, (size_t) n, 0, (void *) &from, from_size) == n);
                message[14] ^= 1;
        }
        assert_true(sendto(fd, message, (size_t) n, 0, (void *) &from, from_size) == n);
        return 0;
}

/* Blocking: the question has been sent in one piece before this source has its turn. */
static int on_tcp(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        _cleanup_(fd_closep) int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        Server *v = userdata;
        uint8_t message[512];
        ssize_t n;

        assert_true(client >= 0);
        n = recv(client, message, sizeof(message), 0);
        assert_true(n > 2 && dns_id(message) == n - 2);
        v->n_asked++;
        if (v->silent)
                return 0;
        (void) make_answer(v, message + 2, (size_t) n - 2);
        assert_true(send(client, message, 1, 0) == 1); /* in two pieces */
        assert_true(send(client, message + 1, (size_t) n - 1, 0) == n - 1);
        return 0;
}

static void open_server(sd_event *e, int type, Server *v) {
        socklen_t size = sizeof(v->address.address.four);

        v->address = (Upstream) { .size = size };
        v->address.address.four = (struct sockaddr_in) { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        v->fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
        assert_true(v->fd >= 0);
        assert_return_code(bind(v->fd, &v->address.address.any, size), errno);
        assert_return_code(getsockname(v->fd, &v->address.address.any, &size), errno);
        if (type == SOCK_STREAM)
                assert_return_code(listen(v->fd, 4), errno);
        if (e)
                assert_ok(loop_io(e, v->fd, EPOLLIN, LOOP_IDLE, "server",
                        type == SOCK_STREAM ? on_tcp : on_udp, v, NULL));
}

static Upstreams servers_of(const Server *a, const Server *b) {
        Upstreams l = { .n = b ? 2 : 1 };

        l.items[0] = a->address;
        if (b)
                l.items[1] = b->address;
        return l;
}

/* Asks and waits for the answer: its code. */
static DnsCode ask(sd_event *e, Forwarder *f, const Upstreams *l, bool over_tcp) {
        _cleanup_(forward_freep) Forward *w = NULL;
        const unsigned before = n_answers;
        DnsQuestion q;

        assert_int_equal(dns_question_parse(MESSAGE, sizeof(MESSAGE) - 1, &q), 0);
        assert_ok(forward_new(f, l, &q, MESSAGE, sizeof(MESSAGE) - 1, over_tcp, on_done, &w, &w));
        assert_int_equal(n_answers, before);
        while (n_answers == before)
                assert_ok(sd_event_run(e, UINT64_MAX));
        assert_null(w);
        assert_int_equal(last_size, sizeof(MESSAGE) - 1);
        assert_int_equal(dns_id(last_answer), 0x1234);
        return (DnsCode) (last_answer[3] & 15);
}

static void test_udp(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(forwarder_freep) Forwarder *f = NULL;
        Server failing = { .code = DNS_SERVER_FAILURE }, good = { .spoofs = true }, closed = {};
        unsigned same = 0;
        Upstreams l;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(forwarder_new(e, &f));
        open_server(e, SOCK_DGRAM, &failing);
        open_server(e, SOCK_DGRAM, &good);
        open_server(NULL, SOCK_DGRAM, &closed);
        closed.fd = fd_close(closed.fd);

        l = servers_of(&good, NULL);
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(ask(e, f, &l, false), DNS_NO_ERROR);
                same += good.last_id == 0x1234;
        }
        assert_true(same < 3); /* the id is ours, not the client's */
        l = servers_of(&failing, &good);
        assert_int_equal(ask(e, f, &l, false), DNS_NO_ERROR);
        assert_int_equal(failing.n_asked, 1);
        l = servers_of(&closed, &good);
        assert_int_equal(ask(e, f, &l, false), DNS_NO_ERROR);
        l = servers_of(&failing, NULL);
        assert_int_equal(ask(e, f, &l, false), DNS_SERVER_FAILURE);
        l = servers_of(&closed, NULL);
        assert_int_equal(ask(e, f, &l, false), DNS_SERVER_FAILURE);
        l.n = 0;
        assert_int_equal(ask(e, f, &l, false), DNS_SERVER_FAILURE);
        fd_close(good.fd);
        fd_close(failing.fd);
}

/* One that is silent costs the first client some time, and the next one none. */
static void test_silent(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(forwarder_freep) Forwarder *f = NULL;
        Server silent = { .silent = true }, good = {};
        uint64_t begin;
        Upstreams l;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(forwarder_new(e, &f));
        open_server(e, SOCK_DGRAM, &silent);
        open_server(e, SOCK_DGRAM, &good);
        l = servers_of(&silent, &good);
        begin = clock_monotonic_us();
        assert_int_equal(ask(e, f, &l, false), DNS_NO_ERROR);
        assert_true(clock_monotonic_us() - begin >= FORWARD_WAIT_USEC);
        assert_int_equal(silent.n_asked, 1);
        assert_int_equal(ask(e, f, &l, false), DNS_NO_ERROR);
        assert_int_equal(silent.n_asked, 1);
        fd_close(good.fd);
        fd_close(silent.fd);
}

static void test_tcp(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(forwarder_freep) Forwarder *f = NULL;
        Server good = {}, rude = { .silent = true }, closed = {};
        Upstreams l;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(forwarder_new(e, &f));
        open_server(e, SOCK_STREAM, &good);
        open_server(e, SOCK_STREAM, &rude);
        open_server(NULL, SOCK_STREAM, &closed);
        closed.fd = fd_close(closed.fd);
        l = servers_of(&good, NULL);
        assert_int_equal(ask(e, f, &l, true), DNS_NO_ERROR);
        l = servers_of(&closed, &good);
        assert_int_equal(ask(e, f, &l, true), DNS_NO_ERROR);
        l = servers_of(&rude, &good);
        assert_int_equal(ask(e, f, &l, true), DNS_NO_ERROR);
        assert_int_equal(rude.n_asked, 1);
        l = servers_of(&rude, NULL);
        assert_int_equal(ask(e, f, &l, true), DNS_SERVER_FAILURE);
        fd_close(good.fd);
        fd_close(rude.fd);
}

/* There is an end to what is on its way; who gives up makes room. */
static void test_limit(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(forwarder_freep) Forwarder *f = NULL;
        Server silent = { .silent = true };
        static Forward *all[200];
        DnsQuestion q;
        Upstreams l;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(forwarder_new(e, &f));
        open_server(NULL, SOCK_DGRAM, &silent);
        l = servers_of(&silent, NULL);
        assert_int_equal(dns_question_parse(MESSAGE, sizeof(MESSAGE) - 1, &q), 0);
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                assert_ok(forward_new(
                        f, &l, &q, MESSAGE, sizeof(MESSAGE) - 1, false, on_done, all + i, all + i));
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                all[i] = forward_free(all[i]);
        fd_close(silent.fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_udp),
                cmocka_unit_test(test_silent),
                cmocka_unit_test(test_tcp),
                cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests_name("engine/network/forward", tests, NULL, NULL);
}
