/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <string.h>

#include "engine/network/port-hold.h"
#include "engine/network/ports.h"
#include "lib/api/container-spec.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "tests/unit/test.h"

/* What is reserved for "IP,HOSTPORT,PORT" on loopback addresses, "; "-joined, or the error. */
static const char *reserve(Ports *p, const char *ip, const char *host_port, const char *port,
        PortMapping **ret, size_t *ret_n) {
        static char text[512];
        PortBinding binding = { .host_ip = (char *) ip, .host_port = (char *) host_port };
        PortBindings bindings = { .port = (char *) port, .bindings = &binding, .n_bindings = 1 };
        PortsWish wish = { .bindings = &bindings, .n_bindings = 1, .has4 = true, .has6 = true };
        char one[PORT_MAPPING_TEXT_SIZE];
        Error e = {};
        int r;

        *ret = NULL;
        *ret_n = 0;
        r = ports_reserve(p, &wish, ret, ret_n, &e);
        text[0] = 0;
        if (r < 0)
                (void) snprintf(text, sizeof(text), "%s", error_text(&e, r));
        for (size_t i = 0; i < *ret_n; i++)
                (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
                        i > 0 ? "; " : "", port_mapping_format(*ret + i, one));
        error_done(&e);
        return text;
}

static void test_text(void **state) {
        static const char *const good[] = { "0.0.0.0:8080->80/tcp", "127.0.0.1:53->53/udp",
                "[::]:1->65535/sctp", "[fd00::1]:65535->1/tcp", "0.0.0.0:0->80/tcp" };
        static const char *const bad[] = { "", "0.0.0.0", "0.0.0.0:80", "0.0.0.0:80->80",
                "0.0.0.0:80->0/tcp", "0.0.0.0:65536->80/tcp", "::80->80/tcp", "[::80->80/tcp",
                "[0.0.0.0]:80->80/tcp", "0.0.0.0:80->80/icmp", "0.0.0.0:-1->80/tcp", "[::]->80/tcp",
                "0.0.0.0:->80/tcp", "1.2.3.4.5:80->80/tcp" };
        char text[PORT_MAPPING_TEXT_SIZE];
        PortMapping m;

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                assert_int_equal(port_mapping_parse(good[i], &m), 0);
                assert_string_equal(port_mapping_format(&m, text), good[i]);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(port_mapping_parse(bad[i], &m), -EINVAL);
}

static void test_saved(void **state) {
        static const char list[] = "[\"0.0.0.0:8080->80/tcp\",\"[::]:8080->80/tcp\"]";
        _cleanup_(json_unrefp) Json *v = NULL, *again = NULL;
        PortMapping *m = NULL;
        char *text = NULL;
        Error e = {};
        size_t n = 0;

        assert_ok(json_parse(list, sizeof(list) - 1, JSON_SIZE_MAX, &v, NULL));
        assert_ok(port_mappings_read(v, &m, &n, NULL));
        assert_int_equal(n, 2);
        assert_ok(port_mappings_write(m, n, &again));
        assert_ok(json_print(again, JSON_COMPACT, &text));
        assert_string_equal(text, list);
        free(text);
        m = port_mappings_free(m);

        v = json_unref(v);
        assert_ok(json_parse("[\"x\"]", 5, JSON_SIZE_MAX, &v, NULL));
        assert_true(port_mappings_read(v, &m, &n, &e) < 0);
        assert_string_equal(e.text, "published port 0: \"x\"");
        error_done(&e);
}

static void test_check(void **state) {
        static const struct {
                const char *port, *host_ip, *host_port, *error;
        } rows[] = {
                { "80/tcp", "", "8080", NULL },
                { "80", "::1", "8080-8090", NULL },
                { "80/sctp", "10.0.0.1", "", NULL },
                { "80/icmp", "", "", "invalid port specification: \"80/icmp\"" },
                { "0/tcp", "", "", "invalid port specification: \"0/tcp\"" },
                { "80/tcp", "", "http", "invalid port specification: \"http\"" },
                { "80/tcp", "", "90-80", "invalid port specification: \"90-80\"" },
                { "80/tcp", "", "0-80", "invalid port specification: \"0-80\"" },
                { "80/tcp", "", "65536", "invalid port specification: \"65536\"" },
                { "80/tcp", "localhost", "80",
                        "invalid IP address in port binding: \"localhost\"" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                PortBinding b = { (char *) rows[i].host_ip, (char *) rows[i].host_port };
                PortBindings list = { (char *) rows[i].port, &b, 1 };
                PortsWish w = { .bindings = &list, .n_bindings = 1 };
                Error e = {};

                assert_int_equal(ports_check(&w, &e), rows[i].error ? -EINVAL : 0);
                if (rows[i].error)
                        assert_string_equal(e.text, rows[i].error);
                error_done(&e);
        }
}

static void test_taken(void **state) {
        PortMapping *a, *b, *c;
        size_t n_a, n_b, n_c;
        const char *text;
        char port[8], all[64], range[16];
        Ports *p = NULL;

        assert_ok(ports_new(&p));

        /* a free one is chosen, and nobody else gets it */
        text = reserve(p, "127.0.0.1", "", "80/tcp", &a, &n_a);
        assert_int_equal(n_a, 1);
        assert_int_not_equal(a[0].host_port, 0);
        (void) snprintf(port, sizeof(port), "%u", a[0].host_port);
        (void) snprintf(all, sizeof(all), "127.0.0.1:%s->80/tcp", port);
        assert_string_equal(text, all);
        (void) snprintf(
                all, sizeof(all), "Bind for 127.0.0.1:%s failed: port is already allocated", port);
        assert_string_equal(reserve(p, "127.0.0.1", port, "81/tcp", &b, &n_b), all);
        /* also not by an address that means all, in either order */
        (void) snprintf(
                all, sizeof(all), "Bind for 0.0.0.0:%s failed: port is already allocated", port);
        assert_string_equal(reserve(p, "", port, "81/tcp", &b, &n_b), all);
        /* another address, another protocol: yes */
        (void) reserve(p, "127.0.0.2", port, "81/tcp", &b, &n_b);
        assert_int_equal(n_b, 1);
        (void) reserve(p, "127.0.0.1", port, "81/udp", &c, &n_c);
        assert_int_equal(n_c, 1);
        ports_release(p, c, n_c);
        c = port_mappings_free(c);

        /* a range gives the first that is free, and says when none is */
        (void) snprintf(range, sizeof(range), "%s-%s", port, port);
        ports_release(p, a, n_a);
        a = port_mappings_free(a);
        assert_non_null(strstr(reserve(p, "127.0.0.1", range, "80/tcp", &a, &n_a), port));
        ports_release(p, b, n_b);
        b = port_mappings_free(b);
        (void) snprintf(range, sizeof(range), "%s-%u", port, a[0].host_port + 1U);
        (void) reserve(p, "127.0.0.1", range, "80/tcp", &b, &n_b);
        if (n_b == 1) { /* the next one may belong to a program of this machine */
                assert_int_equal(b[0].host_port, a[0].host_port + 1);
                assert_string_equal(reserve(p, "127.0.0.1", range, "80/tcp", &c, &n_c),
                        "all ports are allocated");
                ports_release(p, b, n_b);
        }
        free(b);
        ports_release(p, a, n_a);
        /* released twice, or never had: passed over */
        ports_release(p, a, n_a);
        free(a);
        (void) ports_free(p);
}

/* A program that has the port already, and one that wants it later. */
static void test_other_programs(void **state) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int one = 1, fd, other;
        PortMapping *m;
        Ports *p = NULL;
        char port[8], text[96];
        size_t n;

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_ok(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
        assert_ok(bind(fd, (struct sockaddr *) &address, sizeof(address)));
        assert_ok(listen(fd, 1));
        assert_ok(getsockname(fd, (struct sockaddr *) &address, &size));

        assert_ok(ports_new(&p));
        (void) snprintf(port, sizeof(port), "%u", ntohs(address.sin_port));
        (void) snprintf(text, sizeof(text),
                "failed to bind host port 127.0.0.1:%s/tcp: address already in use", port);
        assert_string_equal(reserve(p, "127.0.0.1", port, "80/tcp", &m, &n), text);
        (void) fd_close(fd);
        (void) snprintf(text, sizeof(text), "127.0.0.1:%s->80/tcp", port);
        assert_string_equal(reserve(p, "127.0.0.1", port, "80/tcp", &m, &n), text);

        other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(other >= 0);
        assert_ok(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
        assert_int_equal(bind(other, (struct sockaddr *) &address, sizeof(address)), -1);
        assert_int_equal(errno, EADDRINUSE);

        /* a daemon that comes back takes it again; the one before is gone */
        (void) ports_free(p);
        assert_ok(ports_new(&p));
        assert_ok(ports_adopt(p, m, n));
        assert_int_equal(bind(other, (struct sockaddr *) &address, sizeof(address)), -1);
        ports_release(p, m, n);
        assert_ok(bind(other, (struct sockaddr *) &address, sizeof(address)));
        (void) fd_close(other);
        free(m);
        (void) ports_free(p);
}

static void test_families(void **state) {
        static char *exposed[] = { (char *) "80/tcp", (char *) "53/udp", NULL };
        PortBindings none = { .port = (char *) "53/udp" };
        PortsWish w = { .exposed = exposed,
                .publish_all = true,
                .has4 = true,
                .bindings = &none,
                .n_bindings = 1 };
        PortMapping *m = NULL;
        Ports *p = NULL;
        size_t n = 0;

        assert_ok(ports_new(&p));
        assert_ok(ports_reserve(p, &w, &m, &n, NULL));
        assert_int_equal(n, 2);
        assert_int_equal(m[0].port, 80);
        assert_int_equal(m[1].protocol, IPPROTO_UDP);
        assert_true(port_mapping_is_any(m));
        ports_release(p, m, n);
        m = port_mappings_free(m);

        /* routed: no port of the host is taken */
        w.routed4 = true;
        assert_ok(ports_reserve(p, &w, &m, &n, NULL));
        assert_int_equal(n, 2);
        assert_int_equal(m[0].host_port, 0);
        ports_release(p, m, n);
        m = port_mappings_free(m);

        w.has4 = false;
        assert_ok(ports_reserve(p, &w, &m, &n, NULL));
        assert_int_equal(n, 0);
        free(m);
        (void) ports_free(p);
}

static void test_range(void **state) {
        PortRange range;

        port_range_parse("32768\t60999\n", "40000,50000-50002\n", &range);
        assert_int_equal(range.first, 32768);
        assert_int_equal(range.last, 60999);
        for (unsigned i = 0; i <= UINT16_MAX; i++)
                assert_int_equal((range.reserved[i / 8] >> (i % 8)) & 1,
                        i == 40000 || (i >= 50000 && i <= 50002));
        port_range_parse(NULL, "\n", &range);
        assert_int_equal(range.first, 49153);
        assert_int_equal(range.last, 65535);
        port_range_parse("9 8", NULL, &range);
        assert_int_equal(range.first, 49153);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_saved),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_taken),
                cmocka_unit_test(test_other_programs),
                cmocka_unit_test(test_families),
                cmocka_unit_test(test_range),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
