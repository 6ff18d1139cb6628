/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against the kernel, in network namespaces of this process: nothing of the machine is touched. Skipped where none can be made. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/netlink.h>

#include "engine/host/netlink.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

static bool may_make_namespaces;
static int other_ns = -EBADF; /* a second namespace, … */
static int other_fd = -EBADF; /* … and a socket in it */

typedef struct World {
        sd_event *event;
        Netlink *here;
        Netlink *there;
        unsigned n_done;
        int r;
        char text[256];
        NetlinkCall *call;
} World;

/* Each test begins in two empty namespaces. */
static int enter_new(void) {
        if (unshare(CLONE_NEWNET) < 0)
                return -errno;
        other_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        other_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        if (other_ns < 0 || other_fd < 0)
                return -errno;
        return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

static int setup(void **state) {
        World *w;

        if (!may_make_namespaces || enter_new() < 0) {
                *state = NULL;
                return 0;
        }
        w = calloc(1, sizeof(*w));
        assert_non_null(w);
        assert_int_equal(loop_new(/* watchdog= */ false, &w->event), 0);
        assert_int_equal(netlink_new(w->event, -EBADF, &w->here), 0);
        assert_int_equal(netlink_new(w->event, TAKE_FD(other_fd), &w->there), 0);
        *state = w;
        return 0;
}

static int teardown(void **state) {
        World *w = *state;

        if (!w)
                return 0;
        netlink_free(w->here);
        netlink_free(w->there);
        assert_null(w->call);
        other_ns = fd_close(other_ns);
        loop_free(w->event);
        free(w);
        return 0;
}

static World *world(void **state) {
        if (!*state)
                skip();
        return *state;
}

static void on_done(int r, const Error *e, void *userdata) {
        World *w = userdata;

        assert_null(w->call);
        w->n_done++;
        w->r = r;
        (void) snprintf(w->text, sizeof(w->text), "%s", r < 0 ? error_text(e, r) : "");
}

/* Runs the loop until n calls have ended altogether. */
static void await(World *w, unsigned n) {
        uint64_t deadline = clock_monotonic_us() + 5 * USEC_PER_SEC;

        while (w->n_done < n) {
                assert_true(clock_monotonic_us() < deadline);
                assert_true(sd_event_run(w->event, 100000) >= 0);
        }
        assert_int_equal(w->n_done, n);
        w->n_done = 0;
}

static int run(World *w, Netlink *n, NetlinkBatch *b) {
        assert_int_equal(netlink_run(n, b, on_done, w, &w->call), 0);
        assert_non_null(w->call);
        await(w, 1);
        return w->r;
}

static NetlinkBatch *batch(void) {
        NetlinkBatch *b = netlink_batch_new();

        assert_non_null(b);
        return b;
}

typedef struct Found {
        const char *name;
        NetlinkEntry entry;
        unsigned n;
} Found;

static void on_link(const NetlinkEntry *e, void *userdata) {
        Found *f = userdata;

        if (!streq(e->name, f->name))
                return;
        f->n++;
        f->entry = *e;
        f->entry.kind = streq(e->kind, "bridge") ? "bridge" : streq(e->kind, "veth") ? "veth" : "?";
        f->entry.alias = streq(e->alias, "ours") ? "ours" : "?";
}

static bool find_link(World *w, Netlink *n, const char *name, NetlinkEntry *ret) {
        NetlinkBatch *b = batch();
        Found f = { .name = name };

        assert_int_equal(netlink_list_links(b, on_link, &f), 0);
        assert_int_equal(run(w, n, b), 0);
        assert_true(f.n <= 1);
        if (ret)
                *ret = f.entry;
        return f.n == 1;
}

static void on_address(const NetlinkEntry *e, void *userdata) {
        char text[INET6_ADDRSTRLEN], *list = userdata;

        assert_non_null(inet_ntop(e->family, &e->address, text, sizeof(text)));
        if (streq(text, "::1") || streq(text, "127.0.0.1") || str_starts(text, "fe80:"))
                return;
        (void) snprintf(list + strlen(list), 256 - strlen(list), "%s/%u ", text, e->prefix);
}

static void expect_addresses(World *w, Netlink *n, const char *expected) {
        NetlinkBatch *b = batch();
        char list[256] = "";

        assert_int_equal(netlink_list_addresses(b, AF_UNSPEC, on_address, list), 0);
        assert_int_equal(run(w, n, b), 0);
        assert_string_equal(list, expected);
}

static struct in_addr four(const char *text) {
        struct in_addr a;

        assert_int_equal(inet_pton(AF_INET, text, &a), 1);
        return a;
}

static struct in6_addr six(const char *text) {
        struct in6_addr a;

        assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
        return a;
}

static NetlinkBatch *bridge_batch(void) {
        const NetlinkLink bridge = {
                .name = "br0", .kind = "bridge", .mtu = 1400, .alias = "ours", .exist_ok = true
        };
        struct in_addr a = four("10.9.0.1");
        struct in6_addr a6 = six("fd00:9::1");
        NetlinkBatch *b = batch();

        (void) netlink_link_add(b, &bridge);
        (void) netlink_link_no_local6(b, "br0");
        (void) netlink_address_only(b, "br0", AF_INET, &a, 16);
        (void) netlink_address_only(b, "br0", AF_INET6, &a6, 64);
        (void) netlink_address_add(b, "br0", AF_INET, &a, 16);
        (void) netlink_address_add(b, "br0", AF_INET6, &a6, 64);
        (void) netlink_link_conf4(b, "br0", IPV4_DEVCONF_ROUTE_LOCALNET, 1);
        (void) netlink_link_up(b, "br0");
        return b;
}

/* A bridge is made, and made again without harm; an address that somebody added is taken off. */
static void test_bridge(void **state) {
        World *w = world(state);
        struct in_addr other = four("10.8.0.1");
        _cleanup_(freep) char *conf = NULL;
        NetlinkBatch *b;
        NetlinkEntry e;

        assert_int_equal(run(w, w->here, bridge_batch()), 0);
        assert_true(find_link(w, w->here, "br0", &e));
        assert_true(e.up);
        assert_int_equal(e.mtu, 1400);
        assert_string_equal(e.kind, "bridge");
        assert_string_equal(e.alias, "ours");
        expect_addresses(w, w->here, "10.9.0.1/16 fd00:9::1/64 ");
        assert_int_equal(file_read_line("/proc/sys/net/ipv4/conf/br0/route_localnet", &conf), 0);
        assert_string_equal(conf, "1");

        b = batch();
        (void) netlink_address_add(b, "br0", AF_INET, &other, 24);
        assert_int_equal(run(w, w->here, b), 0);
        assert_int_equal(run(w, w->here, bridge_batch()), 0);
        expect_addresses(w, w->here, "10.9.0.1/16 fd00:9::1/64 ");
}

/* A name that something else has is no bridge. */
static void test_wrong_kind(void **state) {
        World *w = world(state);
        const NetlinkLink veth = { .name = "br0", .kind = "veth", .peer = "veth9" };
        NetlinkBatch *b = batch();

        (void) netlink_link_add(b, &veth);
        assert_int_equal(run(w, w->here, b), 0);
        assert_int_equal(run(w, w->here, bridge_batch()), -EEXIST);
        assert_string_equal(w->text, "Failed to find bridge br0: File exists");
}

static NetlinkBatch *veth_batch(const char *master) {
        static const uint8_t mac[] = { 0x02, 0x42, 10, 9, 0, 2 };
        const NetlinkLink veth = {
                .name = "veth1",
                .kind = "veth",
                .mtu = 1400,
                .master = master,
                .peer = "eth0",
                .peer_mac = mac,
                .peer_ns_fd = other_ns,
        };
        NetlinkBatch *b = batch();

        (void) netlink_link_add(b, &veth);
        (void) netlink_link_no_local6(b, "veth1");
        (void) netlink_port_hairpin(b, "veth1", true);
        (void) netlink_link_up(b, "veth1");
        return b;
}

static NetlinkBatch *inside_batch(const char *gateway) {
        struct in_addr a = four("10.9.0.2"), g = four(gateway);
        struct in6_addr a6 = six("fd00:9::2"), g6 = six("fd00:9::1");
        NetlinkBatch *b = batch();

        (void) netlink_link_up(b, "eth0");
        (void) netlink_address_add(b, "eth0", AF_INET, &a, 16);
        (void) netlink_address_add(b, "eth0", AF_INET6, &a6, 64);
        (void) netlink_route_add(b, "eth0", AF_INET, NULL, 0, &g);
        (void) netlink_route_add(b, "eth0", AF_INET6, NULL, 0, &g6);
        return b;
}

static NetlinkBatch *undo_batch(void) {
        NetlinkBatch *b = batch();

        (void) netlink_link_remove(b, "veth1");
        return b;
}

/* As a container gets its leg: both namespaces, one call; again gives an error and leaves the first one alone. */
static void test_join(void **state) {
        World *w = world(state);
        NetlinkPlan p = { .netlink = w->here, .then_netlink = w->there };
        NetlinkEntry bridge, port, inside;

        assert_int_equal(run(w, w->here, bridge_batch()), 0);
        for (unsigned i = 0; i < 2; i++) {
                p.batch = veth_batch("br0");
                p.then_batch = inside_batch("10.9.0.1");
                p.undo = undo_batch();
                assert_int_equal(netlink_run_plan(&p, on_done, w, &w->call), 0);
                await(w, 1);
                assert_int_equal(w->r, i == 0 ? 0 : -EEXIST);

                assert_true(find_link(w, w->here, "br0", &bridge));
                assert_true(find_link(w, w->here, "veth1", &port));
                assert_true(find_link(w, w->there, "eth0", &inside));
                assert_int_equal(port.master, bridge.ifindex);
                assert_true(port.up && inside.up);
                assert_int_equal(inside.mtu, 1400);
                expect_addresses(w, w->there, "10.9.0.2/16 fd00:9::2/64 ");
        }
}

/* What fails inside takes the link outside along, and the first error is what is told. */
static void test_undo(void **state) {
        World *w = world(state);
        NetlinkPlan p = {
                .netlink = w->here,
                .batch = veth_batch("br0"),
                .then_netlink = w->there,
                .then_batch = inside_batch("10.77.0.1"),
                .undo = undo_batch(),
        };

        assert_int_equal(run(w, w->here, bridge_batch()), 0);
        assert_int_equal(netlink_run_plan(&p, on_done, w, &w->call), 0);
        await(w, 1);
        assert_int_equal(w->r, -ENETUNREACH);
        assert_non_null(strstr(w->text, "Failed to add a route of link eth0: "));
        assert_false(find_link(w, w->here, "veth1", NULL));
        assert_false(find_link(w, w->there, "eth0", NULL));
}

static void test_missing(void **state) {
        World *w = world(state);
        NetlinkBatch *b;

        assert_int_equal(run(w, w->here, veth_batch("br7")), -ENODEV);
        assert_string_equal(w->text, "Failed to add link veth1 (veth): No such device");

        b = batch();
        (void) netlink_link_remove(b, "veth1");
        (void) netlink_port_off(b, "veth1");
        assert_int_equal(run(w, w->here, b), 0);

        b = batch();
        assert_int_equal(netlink_link_up(b, "a-name-that-is-too-long"), -EINVAL);
        assert_int_equal(run(w, w->here, b), -EINVAL);
}

/* A port that is off carries nothing, and can be removed. */
static void test_port_off(void **state) {
        World *w = world(state);
        NetlinkBatch *b;

        assert_int_equal(run(w, w->here, bridge_batch()), 0);
        assert_int_equal(run(w, w->here, veth_batch("br0")), 0);
        b = batch();
        (void) netlink_port_off(b, "veth1");
        assert_int_equal(run(w, w->here, b), 0);
        b = batch();
        (void) netlink_link_remove(b, "veth1");
        (void) netlink_port_off(b, "veth1");
        (void) netlink_link_expect(b, "veth1", false);
        assert_int_equal(run(w, w->here, b), 0);
}

/* Calls that nobody wants any more, and a socket that goes: holders are told, no callback comes. */
static void test_forget(void **state) {
        World *w = world(state);
        NetlinkPlan p = { .netlink = w->here, .then_netlink = w->there };

        assert_int_equal(netlink_run(w->here, bridge_batch(), on_done, w, &w->call), 0);
        netlink_call_free(w->call);
        assert_null(w->call);
        assert_int_equal(run(w, w->here, batch()), 0);
        assert_false(find_link(w, w->here, "br0", NULL));

        assert_int_equal(run(w, w->here, bridge_batch()), 0);
        p.batch = veth_batch("br0");
        p.then_batch = inside_batch("10.9.0.1");
        p.undo = undo_batch();
        assert_int_equal(netlink_run_plan(&p, on_done, w, &w->call), 0);
        w->there = netlink_free(w->there);
        assert_null(w->call);
        assert_int_equal(w->n_done, 0);
        assert_false(find_link(w, w->here, "veth1", NULL));
}

/* Many calls at once end in their order. */
static void test_queue(void **state) {
        World *w = world(state);
        NetlinkCall *calls[50] = {};
        char name[NETLINK_NAME_SIZE];

        for (unsigned i = 0; i < 50; i++) {
                NetlinkBatch *b = batch();
                NetlinkLink link = { .name = name, .kind = "bridge" };

                (void) snprintf(name, sizeof(name), "link%u", i);
                (void) netlink_link_add(b, &link);
                assert_int_equal(netlink_run(w->here, b, on_done, w, calls + i), 0);
        }
        await(w, 50);
        assert_true(find_link(w, w->here, "link49", NULL));
        for (unsigned i = 0; i < 50; i++)
                assert_null(calls[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_bridge, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wrong_kind, setup, teardown),
                cmocka_unit_test_setup_teardown(test_join, setup, teardown),
                cmocka_unit_test_setup_teardown(test_undo, setup, teardown),
                cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_port_off, setup, teardown),
                cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
                cmocka_unit_test_setup_teardown(test_queue, setup, teardown),
        };

        may_make_namespaces =
                unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) == 0;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
