/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <string.h>

#include "engine/network/firewall-rules.h"
#include "engine/network/ports.h"
#include "lib/base/buffer.h"
#include "tests/unit/test.h"

static RuleSubnet subnets[2];

static RuleNetwork network(void) {
        RuleNetwork n = {
                .id = (char *) "1",
                .name = (char *) "shop",
                .bridge = "br-shop",
                .icc = true,
                .masquerade = true,
                .subnets = subnets,
                .n_subnets = 2,
        };

        subnets[0] = (RuleSubnet) { .family = AF_INET, .prefix = 16 };
        subnets[1] = (RuleSubnet) { .family = AF_INET6, .prefix = 64 };
        assert_int_equal(inet_pton(AF_INET, "172.18.0.0", &subnets[0].net), 1);
        assert_int_equal(inet_pton(AF_INET6, "fd00:a::", &subnets[1].net), 1);
        return n;
}

static void check_network(const RuleNetwork *n, RuleVerb verb, const char *expected) {
        _cleanup_(buffer_done) Buffer b = {};

        assert_ok(rules_write_network(&b, verb, n));
        assert_string_equal(buffer_string(&b), expected);
}

static void test_network(void **state) {
        RuleNetwork n = network();

        check_network(&n, RULE_ADD,
                "add element inet stauer bridges { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer masquerade4 { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer masquerade6 { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer same { \"br-shop\" . \"br-shop\" }\n"
                "add element inet stauer members4 { 172.18.0.0/16 . \"br-shop\" }\n"
                "add element inet stauer members6 { fd00:a::/64 . \"br-shop\" }\n");

        /* what is added is what is deleted */
        n.icc = n.masquerade = false;
        n.n_subnets = 0;
        check_network(&n, RULE_DELETE,
                "delete element inet stauer bridges { \"br-shop\" }\n"
                "delete element inet stauer no-icc { \"br-shop\" }\n"
                "delete element inet stauer same { \"br-shop\" . \"br-shop\" }\n");
}

static void test_modes(void **state) {
        RuleNetwork n = network();

        n.n_subnets = 0;
        n.internal = true;
        check_network(&n, RULE_ADD,
                "add element inet stauer bridges { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer internal { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer same { \"br-shop\" . \"br-shop\" }\n");

        n.internal = false;
        n.mode4 = GATEWAY_ROUTED;
        n.mode6 = GATEWAY_NAT_UNPROTECTED;
        assert_int_equal(inet_pton(AF_INET, "10.0.0.9", &n.source4), 1);
        assert_int_equal(inet_pton(AF_INET6, "fd99::9", &n.source6), 1);
        /* a routed family is not translated, whatever address is asked for */
        check_network(&n, RULE_ADD,
                "add element inet stauer bridges { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer masquerade6 { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer open6 { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer ping4 { \"br-shop\" comment \"shop\" }\n"
                "add element inet stauer same { \"br-shop\" . \"br-shop\" }\n"
                "add element inet stauer source6 { \"br-shop\" : fd99::9 }\n");

        assert_int_equal(gateway_mode_from_string("nat"), GATEWAY_NAT);
        assert_true(gateway_mode_from_string("bridge") < 0);
}

/* Ports as in `docker port`. */
static void check_ports_of(
        bool direct, const char *const *ports, RuleVerb verb, const char *expected) {
        RuleEndpoint e = { .name = (char *) "we\"b $x", .direct = direct };
        _cleanup_(buffer_done) Buffer b = {};
        PortMapping m[8];

        e.ports = m;
        assert_int_equal(inet_pton(AF_INET, "172.18.0.2", &e.address4), 1);
        assert_int_equal(inet_pton(AF_INET6, "fd00:a::2", &e.address6), 1);
        for (size_t i = 0; ports[i]; i++)
                assert_ok(port_mapping_parse(ports[i], m + e.n_ports++));
        assert_ok(rules_write_endpoint(&b, verb, &e));
        assert_string_equal(buffer_string(&b), expected);
}

static void check_ports(const char *const *ports, RuleVerb verb, const char *expected) {
        check_ports_of(/* direct= */ false, ports, verb, expected);
}

static void test_direct(void **state) {
        static const char *const ports[] = { "0.0.0.0:8080->80/tcp", "0.0.0.0:8081->80/tcp",
                "[::1]:53->53/udp", NULL };

        check_ports_of(/* direct= */ true, ports, RULE_DELETE,
                "delete element inet stauer ports4 { tcp . 8080, tcp . 8081 }\n"
                "delete element inet stauer bound6 { ::1 . udp . 53 }\n"
                "delete element inet stauer routed4 { 172.18.0.2 . tcp . 80 }\n"
                "delete element inet stauer routed6 { fd00:a::2 . udp . 53 }\n"
                "delete element inet stauer localhost6 { udp . 53 }\n");
}

static void test_without_ipv6(void **state) {
        _cleanup_(buffer_done) Buffer b = {};

        assert_ok(rules_write_without_ipv6(&b));
        assert_non_null(strstr(buffer_string(&b),
                "insert rule inet stauer forward meta nfproto ipv6 return comment "));
}

static void test_ports(void **state) {
        static const char *const ports[] = { "0.0.0.0:8080->80/tcp", "[::]:8080->80/tcp",
                "127.0.0.1:53->53/udp", "0.0.0.0:8081->80/tcp", "[fd99::1]:9->9/sctp", NULL };
        static const char *const routed[] = { "0.0.0.0:0->80/tcp", "0.0.0.0:0->80/tcp",
                "[::]:0->80/udp", NULL };
        static const char *const none[] = { NULL };

        check_ports(ports, RULE_ADD,
                "add element inet stauer ports4 { tcp . 8080 comment \"we_b__x\" : 172.18.0.2 . "
                "80, "
                "tcp . 8081 comment \"we_b__x\" : 172.18.0.2 . 80 }\n"
                "add element inet stauer ports6 { tcp . 8080 comment \"we_b__x\" : fd00:a::2 . 80 "
                "}\n"
                "add element inet stauer bound4 { 127.0.0.1 . udp . 53 comment \"we_b__x\" : "
                "172.18.0.2 . 53 }\n"
                "add element inet stauer bound6 { fd99::1 . sctp . 9 comment \"we_b__x\" : "
                "fd00:a::2 "
                ". 9 }\n"
                "add element inet stauer localhost6 { tcp . 8080 comment \"we_b__x\" }\n");
        check_ports(ports, RULE_DELETE,
                "delete element inet stauer ports4 { tcp . 8080, tcp . 8081 }\n"
                "delete element inet stauer ports6 { tcp . 8080 }\n"
                "delete element inet stauer bound4 { 127.0.0.1 . udp . 53 }\n"
                "delete element inet stauer bound6 { fd99::1 . sctp . 9 }\n"
                "delete element inet stauer localhost6 { tcp . 8080 }\n");
        check_ports(routed, RULE_DELETE,
                "delete element inet stauer routed4 { 172.18.0.2 . tcp . 80 }\n"
                "delete element inet stauer routed6 { fd00:a::2 . udp . 80 }\n");
        check_ports(none, RULE_ADD, "");
}

static void test_names(void **state) {
        assert_true(rule_interface_is_good("docker0"));
        assert_true(rule_interface_is_good("br-0123456789ab"));
        assert_false(rule_interface_is_good(""));
        assert_false(rule_interface_is_good("br-0123456789abc"));
        assert_false(rule_interface_is_good("eth*"));
        assert_false(rule_interface_is_good("a\" }; flush ruleset;"));
}

static void test_guard(void **state) {
        _cleanup_(buffer_done) Buffer b = {};

        assert_ok(rules_write_guard(&b, true, true));
        assert_string_equal(buffer_string(&b),
                "flush set inet stauer guarded\nadd element inet stauer guarded { ipv4, ipv6 }\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_network),
                cmocka_unit_test(test_modes),
                cmocka_unit_test(test_ports),
                cmocka_unit_test(test_direct),
                cmocka_unit_test(test_without_ipv6),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_guard),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
