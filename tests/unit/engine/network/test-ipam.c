/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/network/ipam.h"
#include "lib/base/alloc.h"

static IpamPrefix prefix(const char *text) {
        IpamPrefix p;

        assert_ok(ipam_parse_prefix(text, &p));
        return p;
}

static void assert_subnet(const IpamSubnet *s, const char *text) {
        char shown[IPAM_PREFIX_TEXT_SIZE];

        assert_string_equal(ipam_format_prefix(ipam_subnet_prefix(s), shown), text);
}

static void assert_next(IpamSubnet *s, const char *text) {
        char shown[IPAM_TEXT_SIZE];
        IpamAddress a;

        assert_ok(ipam_take_next(s, "n", &a, NULL));
        assert_string_equal(ipam_format(&a, shown), text);
}

static void test_text(void **state) {
        IpamPrefix p;
        IpamAddress a;

        assert_int_equal(ipam_parse_prefix("10.0.0.0/33", &p), -EINVAL);
        assert_int_equal(ipam_parse_prefix("10.0.0.0", &p), -EINVAL);
        assert_int_equal(ipam_parse_prefix("::/129", &p), -EINVAL);
        assert_int_equal(ipam_parse("10.0.0.256", &a), -EINVAL);
        p = prefix("fd00::5/64");
        p = ipam_masked(&p);
        assert_int_equal(p.address.six.s6_addr[15], 0);
        assert_ok(ipam_parse("fd00::ff", &a));
        assert_true(ipam_contains(&p, &a));
}

/* In Docker's order, around what is taken and what the host reaches. */
static void test_pools(void **state) {
        _cleanup_(ipam_freep) Ipam *i = NULL;
        const IpamPrefix avoid[] = { prefix("172.18.5.0/24"), prefix("172.20.0.0/15") };
        const IpamPrefix wish = prefix("172.17.128.0/17");
        _cleanup_(error_done) Error e = {};
        IpamSubnet *s[5];

        assert_ok(ipam_new("seed", &i));
        assert_ok(ipam_request(i, AF_INET, NULL, NULL, NULL, 0, s + 0, NULL));
        assert_subnet(s[0], "172.17.0.0/16");
        assert_ok(ipam_request(i, AF_INET, NULL, NULL, avoid, 2, s + 1, NULL));
        assert_subnet(s[1], "172.19.0.0/16");
        assert_ok(ipam_request(i, AF_INET, NULL, NULL, avoid, 2, s + 2, NULL));
        assert_subnet(s[2], "172.22.0.0/16");
        assert_int_equal(ipam_request(i, AF_INET, &wish, NULL, NULL, 0, s + 3, &e), -EPERM);
        assert_string_equal(
                e.text, "invalid pool request: Pool overlaps with other one on this address space");
        assert_ok(ipam_request(i, AF_INET6, NULL, NULL, NULL, 0, s + 3, NULL));
        assert_int_equal(ipam_subnet_prefix(s[3])->bits, 64);
        assert_int_equal(ipam_subnet_prefix(s[3])->address.six.s6_addr[0], 0xfd);
        for (size_t k = 0; k < 4; k++)
                ipam_subnet_free(s[k]);
}

static void test_own_pools(void **state) {
        _cleanup_(ipam_freep) Ipam *i = NULL;
        _cleanup_(error_done) Error e = {}, wrong = {};
        IpamSubnet *s[2], *none;

        assert_ok(ipam_new("seed", &i));
        assert_ok(ipam_add_pool(i, "base=10.1.0.0/23,size=24", NULL));
        assert_int_equal(ipam_add_pool(i, "base=10.1.0.0/23,size=8", &wrong), -EINVAL);
        assert_ok(ipam_request(i, AF_INET, NULL, NULL, NULL, 0, s + 0, NULL));
        assert_ok(ipam_request(i, AF_INET, NULL, NULL, NULL, 0, s + 1, NULL));
        assert_subnet(s[1], "10.1.1.0/24");
        assert_int_equal(ipam_request(i, AF_INET, NULL, NULL, NULL, 0, &none, &e), -EIO);
        assert_string_equal(e.text, "all predefined address pools have been fully subnetted");
        ipam_subnet_free(s[0]);
        ipam_subnet_free(s[1]);
}

/* Ascending; what was given back comes last; neither the net nor everybody. */
static void test_addresses(void **state) {
        _cleanup_(ipam_freep) Ipam *i = NULL;
        const IpamPrefix wish = prefix("10.0.0.0/29");
        _cleanup_(error_done) Error e = {}, full = {};
        IpamAddress two, a;
        IpamSubnet *s;

        assert_ok(ipam_new("seed", &i));
        assert_ok(ipam_request(i, AF_INET, &wish, NULL, NULL, 0, &s, NULL));
        assert_ok(ipam_parse("10.0.0.2", &two));
        assert_ok(ipam_take(s, &two, NULL));
        assert_int_equal(ipam_take(s, &two, &e), -EPERM);
        assert_string_equal(e.text, "Address already in use");
        assert_next(s, "10.0.0.1");
        assert_next(s, "10.0.0.3");
        ipam_give_back(s, &two);
        assert_next(s, "10.0.0.4");
        assert_next(s, "10.0.0.5");
        assert_next(s, "10.0.0.6");
        assert_next(s, "10.0.0.2");
        assert_int_equal(ipam_take_next(s, "n", &a, &full), -EIO);
        ipam_subnet_free(s);
}

static void test_range(void **state) {
        _cleanup_(ipam_freep) Ipam *i = NULL;
        const IpamPrefix wish = prefix("fd00::/64"), range = prefix("fd00::100/120");
        IpamSubnet *s;

        assert_ok(ipam_new("seed", &i));
        assert_ok(ipam_request(i, AF_INET6, &wish, &range, NULL, 0, &s, NULL));
        assert_next(s, "fd00::100");
        assert_next(s, "fd00::101");
        ipam_subnet_free(s);
}

static void test_routes(void **state) {
        _cleanup_(freep) IpamPrefix *l = NULL;
        char shown[IPAM_PREFIX_TEXT_SIZE];
        size_t n = 0, n_allocated = 0;

        assert_ok(ipam_parse_routes(AF_INET,
                "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
                "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n",
                &l, &n, &n_allocated));
        assert_int_equal(n, 1);
        assert_string_equal(ipam_format_prefix(l, shown), "10.0.0.0/16");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_pools),
                cmocka_unit_test(test_own_pools),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_range),
                cmocka_unit_test(test_routes),
        };

        return cmocka_run_group_tests_name("engine/network/ipam", tests, NULL, NULL);
}
