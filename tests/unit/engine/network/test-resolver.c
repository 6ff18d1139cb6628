/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "engine/network/dns-message.h"
#include "engine/network/resolver.h"
#include "lib/base/clock.h"
#include "lib/event/fd-store.h"
#include "lib/event/loop.h"

#define A_WEB    "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3web\0\0\1\0\1"
#define AAAA_WEB "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3web\0\0\x1c\0\1"
#define MX_WEB   "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3web\0\0\x0f\0\1"
#define PTR_WEB                              \
        "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\1" \
        "2\1"                                \
        "0\1"                                \
        "0\2"                                \
        "10\7in-addr\4arpa\0\0\x0c\0\1"
#define A_OTHER "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\5other\0\0\1\0\1"

/* A container's seat on the loopback, and a client. */
typedef struct Bench {
        sd_event *event;
        Resolver *resolver;
        struct sockaddr_in udp, tcp;
        int client;
        uint8_t answer[4096];
        size_t size;
} Bench;

static int bound(int type, struct sockaddr_in *ret) {
        socklen_t size = sizeof(*ret);
        int fd;

        *ret = (struct sockaddr_in) { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        assert_return_code(bind(fd, (void *) ret, size), errno);
        assert_return_code(getsockname(fd, (void *) ret, &size), errno);
        if (type == SOCK_STREAM)
                assert_return_code(listen(fd, 64), errno);
        return fd;
}

static int setup(void **state) {
        Bench *b = calloc(1, sizeof(*b));

        assert_non_null(b);
        assert_ok(loop_new(/* watchdog= */ false, &b->event));
        assert_ok(resolver_new(b->event, NULL, "/nonexistent/resolv.conf", &b->resolver));
        assert_ok(resolver_serve(b->resolver, "app", bound(SOCK_DGRAM, &b->udp),
                bound(SOCK_STREAM, &b->tcp), NULL, NULL));
        assert_true(resolver_serves(b->resolver, "app"));
        b->client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_return_code(connect(b->client, (void *) &b->udp, sizeof(b->udp)), errno);
        *state = b;
        return 0;
}

static int teardown(void **state) {
        Bench *b = *state;

        fd_close(b->client);
        resolver_free(b->resolver);
        loop_free(b->event);
        free(b);
        return 0;
}

static void add(Bench *b, const char *container, const char *address, bool internal) {
        ResolverLeg leg = { .endpoint_id = container,
                .container_id = container,
                .container_name = container,
                .network_id = "n",
                .network_name = "net",
                .internal = internal };

        assert_int_equal(inet_pton(AF_INET, address, &leg.address4), 1);
        assert_ok(resolver_add_leg(b->resolver, &leg));
}

static DnsCode ask(Bench *b, const char *message, size_t size) {
        ssize_t n = -1;

        assert_true(send(b->client, message, size, 0) == (ssize_t) size);
        while (n < 0) {
                assert_ok(sd_event_run(b->event, 10000));
                n = recv(b->client, b->answer, sizeof(b->answer), MSG_DONTWAIT);
        }
        assert_int_equal(dns_id(b->answer), 0x1234);
        b->size = (size_t) n;
        return (DnsCode) (b->answer[3] & 15);
}
#define ASK(b, message) ask(b, message, sizeof(message) - 1)
#define N_ANSWERS(b)    ((b)->answer[7])

static void test_own_names(void **state) {
        Bench *b = *state;

        add(b, "app", "10.0.0.1", /* internal= */ true);
        add(b, "web", "10.0.0.2", /* internal= */ true);
        assert_int_equal(ASK(b, A_WEB), DNS_NO_ERROR);
        assert_int_equal(N_ANSWERS(b), 1);
        assert_memory_equal(b->answer + b->size - 10, "\0\0\2\x58\0\4\x0a\0\0\2", 10);
        /* known, but nothing of that kind: nobody else is asked */
        assert_int_equal(ASK(b, AAAA_WEB), DNS_NO_ERROR);
        assert_int_equal(N_ANSWERS(b), 0);
        assert_int_equal(ASK(b, MX_WEB), DNS_NO_ERROR);
        assert_int_equal(N_ANSWERS(b), 0);
        assert_int_equal(ASK(b, PTR_WEB), DNS_NO_ERROR);
        assert_memory_equal(b->answer + b->size - 9, "\3web\3net", 9);
        /* an internal network asks nobody */
        assert_int_equal(ASK(b, A_OTHER), DNS_SERVER_FAILURE);
        assert_int_equal(
                ASK(b, "\x12\x34\x10\x00\0\1\0\0\0\0\0\0\3web\0\0\1\0\1"), DNS_NOT_IMPLEMENTED);

        resolver_remove_leg(b->resolver, "web");
        assert_int_equal(ASK(b, A_WEB), DNS_SERVER_FAILURE);
}

/* Questions in a row over one connection, in pieces; and one that is none. */
static void test_tcp(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;
        Bench *b = *state;
        static const char two[] = "\0\x15" A_WEB "\0\x17" A_OTHER;
        uint8_t answer[512];
        size_t came = 0;

        add(b, "app", "10.0.0.1", /* internal= */ true);
        add(b, "web", "10.0.0.2", /* internal= */ true);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_return_code(connect(fd, (void *) &b->tcp, sizeof(b->tcp)), errno);
        assert_true(send(fd, two, 5, 0) == 5);
        assert_ok(sd_event_run(b->event, 100000));
        assert_ok(sd_event_run(b->event, 100000));
        assert_true(send(fd, two + 5, sizeof(two) - 1 - 5, 0) == sizeof(two) - 1 - 5);
        while (came < 2 + 21 + 16 + 2 + 23) {
                ssize_t n = recv(fd, answer + came, sizeof(answer) - came, MSG_DONTWAIT);

                assert_true(n > 0 || (n < 0 && errno == EAGAIN));
                came += n > 0 ? (size_t) n : 0;
                assert_ok(sd_event_run(b->event, 10000));
        }
        assert_int_equal(dns_id(answer), 21 + 16);
        assert_int_equal(answer[2 + 3] & 15, DNS_NO_ERROR);
        assert_int_equal(answer[2 + 37 + 2 + 3] & 15, DNS_SERVER_FAILURE);

        assert_true(send(fd, "\0\1x", 3, 0) == 3);
        while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) < 0 && errno == EAGAIN)
                assert_ok(sd_event_run(b->event, 10000));
}

static void test_too_many_clients(void **state) {
        Bench *b = *state;
        int fds[40];
        unsigned n_closed = 0;
        uint64_t end;
        char c;

        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                assert_return_code(connect(fds[i], (void *) &b->tcp, sizeof(b->tcp)), errno);
        }
        for (end = clock_monotonic_us() + 5 * USEC_PER_SEC;
                n_closed < 8 && clock_monotonic_us() < end;) {
                n_closed = 0;
                assert_ok(sd_event_run(b->event, 10000));
                for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                        n_closed += recv(fds[i], &c, 1, MSG_DONTWAIT) == 0;
        }
        assert_int_equal(n_closed, 8);
        fd_close_many(fds, ARRAY_SIZE(fds));
}

/* A flood is cut off by the rate, and the loop serves others meanwhile. */
static void test_flood(void **state) {
        Bench *b = *state;
        unsigned n_answers = 0, n_other = 0;
        uint8_t answer[512];
        uint64_t end;

        add(b, "app", "10.0.0.1", /* internal= */ true);
        add(b, "web", "10.0.0.2", /* internal= */ true);
        for (end = clock_monotonic_us() + 300 * USEC_PER_MSEC; clock_monotonic_us() < end;) {
                for (unsigned i = 0; i < 20; i++)
                        (void) send(b->client, A_WEB, sizeof(A_WEB) - 1, MSG_DONTWAIT);
                assert_ok(sd_event_run(b->event, 0));
                n_other++;
                while (recv(b->client, answer, sizeof(answer), MSG_DONTWAIT) > 0)
                        n_answers++;
        }
        assert_true(n_answers > 0 && n_answers <= 5000);
        assert_true(n_other > 0);
}

/* The sockets of the process before us are served again. */
static void test_kept(void **state) {
        Bench *b = *state;
        _cleanup_(fd_store_freep) FdStore *store = NULL;
        _cleanup_(resolver_freep) Resolver *r = NULL;
        struct sockaddr_in udp, tcp;
        int udp_fd, tcp_fd;

        assert_return_code(unsetenv("NOTIFY_SOCKET"), errno);
        assert_ok(fd_store_new(b->event, &store));
        assert_ok(fd_store_inherit(store, "n1", bound(SOCK_STREAM, &tcp)));
        assert_ok(fd_store_inherit(store, "n1", bound(SOCK_DGRAM, &udp)));
        assert_ok(fd_store_inherit(store, "n2", bound(SOCK_DGRAM, &udp)));
        assert_ok(resolver_new(b->event, store, NULL, &r));
        resolver_take_kept(r, "n0", &udp_fd, &tcp_fd);
        assert_int_equal(udp_fd, -EBADF);
        resolver_take_kept(r, "n2", &udp_fd, &tcp_fd); /* half of it is nothing */
        assert_int_equal(udp_fd, -EBADF);
        assert_false(fd_store_has(store, "n2"));
        resolver_take_kept(r, "n1", &udp_fd, &tcp_fd);
        assert_true(udp_fd >= 0 && tcp_fd >= 0);
        assert_ok(resolver_serve(r, "c", udp_fd, tcp_fd, "n1", NULL));
        assert_true(fd_store_has(store, "n1"));
        resolver_leave(r, "c");
        assert_false(fd_store_has(store, "n1"));
        assert_false(resolver_serves(r, "c"));
        resolver_leave(r, "c");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_own_names),
                TEST(test_tcp),
                TEST(test_too_many_clients),
                TEST(test_flood),
                TEST(test_kept),
        };

        return cmocka_run_group_tests_name("engine/network/resolver", tests, NULL, NULL);
}
