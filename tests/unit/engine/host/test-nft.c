/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>

#include "engine/host/nft-events.h"
#include "engine/host/nft.h"
#include "lib/event/loop.h"
#include "tests/unit/test.h"

/* A message with one attribute; returns its padded size. */
static size_t message(
        void *data, unsigned type, unsigned attribute, const void *value, size_t size) {
        struct nlmsghdr h = {
                .nlmsg_len = (uint32_t) (NLMSG_LENGTH(sizeof(struct nfgenmsg)) +
                                         sizeof(struct nlattr) + size),
                .nlmsg_type = (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type),
        };
        struct nlattr a = { .nla_len = (uint16_t) (sizeof(a) + size),
                .nla_type = (uint16_t) attribute };
        char *p = data;

        memset(p, 0, NLMSG_ALIGN(h.nlmsg_len));
        memcpy(p, &h, sizeof(h));
        p += NLMSG_LENGTH(sizeof(struct nfgenmsg));
        memcpy(p, &a, sizeof(a));
        memcpy(p + sizeof(a), value, size);
        return NLMSG_ALIGN(h.nlmsg_len);
}

static void test_events(void **state) {
        _Alignas(8) char data[512];
        uint32_t id = 0x01020304, n;
        size_t size;

        size = message(data, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "filter", 7);
        assert_false(nft_events_name_table(data, size, "stauer"));
        size += message(data + size, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "stauer-user", 12);
        assert_false(nft_events_name_table(data, size, "stauer"));
        size += message(data + size, NFT_MSG_NEWGEN, NFTA_GEN_ID, &id, 4);
        assert_false(nft_events_name_table(data, size, "stauer"));
        size += message(data + size, NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_TABLE, "stauer", 7);
        assert_true(nft_events_name_table(data, size, "stauer"));
        /* what cannot be read may be anything */
        size = message(data, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "filter", 7);
        assert_true(nft_events_name_table(data, size - 4, "stauer"));
        assert_true(nft_events_name_table(data, 3, "stauer"));

        size = message(data, NFT_MSG_NEWGEN, NFTA_GEN_ID, &id, 4);
        assert_ok(nft_generation_parse(data, size, &n));
        assert_int_equal(n, 0x04030201);
        assert_int_equal(nft_generation_parse(data, size - 1, &n), -EBADMSG);
        size = message(data, NFT_MSG_NEWGEN, NFTA_GEN_PROC_PID, &id, 4);
        assert_int_equal(nft_generation_parse(data, size, &n), -EBADMSG);
}

static unsigned n_touched;

static void on_touched(void *userdata) {
        n_touched++;
}

/* Two of us in a network namespace of their own: each hears what the other does, and not what it does itself. */
static void test_touched(void **state) {
        sd_event *e = NULL;
        Error error = {};
        Nft *a = NULL, *b = NULL;

        if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER) < 0)
                skip();
        assert_ok(loop_new(false, &e));
        assert_ok(nft_new(&a));
        assert_ok(nft_new(&b));
        assert_ok(nft_watch(a, e, "ours", on_touched, NULL));
        if (nft_run(a, "add table inet ours; add set inet ours s { type mark; }", NULL) < 0)
                skip();
        assert_ok(nft_run(a, "add element inet ours s { 1, 2 }", NULL));
        assert_int_equal(n_touched, 0);
        while (sd_event_run(e, 0) > 0)
                ;
        assert_int_equal(n_touched, 0);

        assert_ok(nft_run(b, "add table inet theirs", NULL));
        while (sd_event_run(e, 0) > 0)
                ;
        assert_int_equal(n_touched, 0);
        assert_ok(nft_run(b, "delete element inet ours s { 2 }", NULL));
        while (sd_event_run(e, 0) > 0)
                ;
        assert_int_equal(n_touched, 1);
        /* also when it comes to light by our own next call */
        assert_ok(nft_run(b, "flush ruleset", NULL));
        assert_int_equal(nft_run(a, "delete element inet ours s { 1 }", &error), -ENOENT);
        assert_non_null(strstr(error.text, "No such file or directory"));
        assert_int_equal(n_touched, 2);

        error_done(&error);
        (void) nft_free(a);
        (void) nft_free(b);
        (void) loop_free(e);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_events),
                cmocka_unit_test(test_touched),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
