/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <string.h>

#include "engine/network/name-table.h"
#include "engine/network/resolver.h"

#define L(...) ((char *[]) { __VA_ARGS__, NULL })
#define S(s)   ((char *) (s))

static NameAnswer a;

static void add(NameTable *t, const char *container, const char *network, const char *address,
        char *const *names, char *const *links) {
        char endpoint[64];
        ResolverLeg leg = {
                .endpoint_id = endpoint,
                .container_id = container,
                .network_id = network,
                .network_name = network,
                .container_name = container,
                .names = names,
                .links = links,
        };

        (void) snprintf(endpoint, sizeof(endpoint), "%s-%s", container, network);
        if (strchr(address, ':'))
                assert_int_equal(inet_pton(AF_INET6, address, &leg.address6), 1);
        else
                assert_int_equal(inet_pton(AF_INET, address, &leg.address4), 1);
        assert_ok(name_table_add(t, &leg));
}

static const char *found(NameTable *t, const char *container, const char *name) {
        static char text[INET_ADDRSTRLEN];

        if (name_table_find(t, container, name, &a) <= 0)
                return "no";
        return a.n_four > 0 ? inet_ntop(AF_INET, a.four, text, sizeof(text)) : "none";
}

static void test_names(void **state) {
        _cleanup_(name_table_freep) NameTable *t = NULL;

        assert_ok(name_table_new(&t));
        add(t, "web", "front", "10.1.0.2", L(S("WWW"), S("0123456789ab"), S("web")), NULL);
        add(t, "db", "back", "10.2.0.2", NULL, NULL);
        add(t, "app", "front", "10.1.0.3", NULL, NULL);
        add(t, "app", "back", "10.2.0.3", NULL, NULL);

        assert_string_equal(found(t, "app", "web"), "10.1.0.2");
        assert_string_equal(found(t, "app", "www"), "10.1.0.2");
        assert_string_equal(found(t, "app", "0123456789ab"), "10.1.0.2");
        assert_string_equal(found(t, "app", "db"), "10.2.0.2");
        assert_string_equal(found(t, "app", "db.back"), "10.2.0.2");
        assert_string_equal(found(t, "app", "db.front"), "no");
        assert_string_equal(found(t, "web", "web"), "10.1.0.2");
        assert_string_equal(found(t, "web", "db"), "no"); /* not in its network */
        assert_string_equal(found(t, "web", "db.back"), "no");
        assert_string_equal(found(t, "web", ""), "no");
        assert_string_equal(found(t, "nobody", "web"), "no");

        /* of two networks one at a time; "back" is first */
        assert_string_equal(found(t, "app", "app"), "10.2.0.3");
        assert_int_equal(a.n_four, 1);
        assert_string_equal(found(t, "app", "app.front"), "10.1.0.3");

        name_table_remove(t, "app-back");
        assert_string_equal(found(t, "app", "db"), "no");
        assert_string_equal(found(t, "app", "app"), "10.1.0.3");
        name_table_remove(t, "app-back");

        /* a rename */
        add(t, "web", "front", "10.1.0.2", L(S("shop")), NULL);
        assert_string_equal(found(t, "app", "shop"), "10.1.0.2");
        assert_string_equal(found(t, "app", "www"), "no");
}

static void test_turns(void **state) {
        _cleanup_(name_table_freep) NameTable *t = NULL;
        char container[8], address[16];
        const char *first;

        assert_ok(name_table_new(&t));
        for (unsigned i = 1; i <= 3; i++) {
                (void) snprintf(container, sizeof(container), "w%u", i);
                (void) snprintf(address, sizeof(address), "10.0.0.%u", i);
                add(t, container, "net", address, L(S("web")), NULL);
        }
        for (unsigned i = 0; i < 6; i++) {
                (void) snprintf(address, sizeof(address), "10.0.0.%u", i % 3 + 1);
                first = found(t, "w1", "web");
                assert_string_equal(first, address);
                assert_int_equal(a.n_four, 3);
        }
        name_table_remove(t, "w2-net");
        (void) found(t, "w1", "web");
        assert_int_equal(a.n_four, 2);
}

static void test_families(void **state) {
        _cleanup_(name_table_freep) NameTable *t = NULL;

        assert_ok(name_table_new(&t));
        add(t, "app", "a", "10.0.0.1", NULL, NULL);
        add(t, "app", "b", "fd00::1", NULL, NULL);
        add(t, "web", "a", "10.0.0.2", NULL, NULL);
        assert_string_equal(found(t, "app", "web"), "10.0.0.2");
        assert_int_equal(a.n_six, 0); /* known, but without such an address */
        add(t, "web", "b", "fd00::2", NULL, NULL);
        assert_string_equal(found(t, "app", "web"), "10.0.0.2");
        assert_int_equal(a.n_six, 1);
}

static void test_links(void **state) {
        _cleanup_(name_table_freep) NameTable *t = NULL;

        assert_ok(name_table_new(&t));
        add(t, "db1", "net", "10.0.0.1", NULL, NULL);
        add(t, "db2", "net", "10.0.0.2", L(S("data")), NULL);
        add(t, "app", "net", "10.0.0.3", NULL, L(S("db1:DATA"), S("gone:old")));
        add(t, "other", "net", "10.0.0.4", NULL, NULL);
        assert_string_equal(found(t, "app", "data"), "10.0.0.1");
        assert_string_equal(found(t, "app", "data.net"), "10.0.0.1");
        assert_string_equal(found(t, "app", "db1"), "10.0.0.1");
        assert_string_equal(found(t, "other", "data"), "10.0.0.2");
        assert_string_equal(found(t, "app", "old"), "no");
}

static void test_addresses(void **state) {
        _cleanup_(name_table_freep) NameTable *t = NULL;
        struct in_addr four = { htonl(0x0a000001) };
        struct in6_addr six;
        char name[256];

        assert_int_equal(inet_pton(AF_INET6, "fd00::2", &six), 1);
        assert_ok(name_table_new(&t));
        add(t, "web", "net", "10.0.0.1", NULL, NULL);
        add(t, "app", "net", "fd00::2", NULL, NULL);
        add(t, "far", "other", "10.9.0.1", NULL, NULL);
        assert_int_equal(name_table_find_address(t, "app", AF_INET, &four, name, sizeof(name)), 1);
        assert_string_equal(name, "web.net");
        assert_int_equal(name_table_find_address(t, "web", AF_INET6, &six, name, sizeof(name)), 1);
        assert_string_equal(name, "app.net");
        assert_int_equal(name_table_find_address(t, "far", AF_INET, &four, name, sizeof(name)), 0);

        /* The address goes to another container before the first one has left: it stays with the second. */
        add(t, "new", "net", "10.0.0.1", NULL, NULL);
        name_table_remove(t, "web-net");
        assert_int_equal(name_table_find_address(t, "app", AF_INET, &four, name, sizeof(name)), 1);
        assert_string_equal(name, "new.net");
}

static void test_outside(void **state) {
        _cleanup_(name_table_freep) NameTable *t = NULL;
        const ResolverLeg inner = { .endpoint_id = "e",
                .container_id = "app",
                .network_id = "n",
                .network_name = "n",
                .internal = true };

        assert_ok(name_table_new(&t));
        assert_false(name_table_leads_outside(t, "app"));
        assert_ok(name_table_add(t, &inner));
        assert_false(name_table_leads_outside(t, "app"));
        add(t, "app", "out", "10.0.0.1", NULL, NULL);
        assert_true(name_table_leads_outside(t, "app"));
        name_table_remove(t, "app-out");
        assert_false(name_table_leads_outside(t, "app"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_turns),
                cmocka_unit_test(test_families),
                cmocka_unit_test(test_links),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_outside),
        };

        return cmocka_run_group_tests_name("engine/network/name-table", tests, NULL, NULL);
}
