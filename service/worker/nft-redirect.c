/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two rules in a namespace that has just been made: written as the kernel reads them, since a library for any ruleset costs each worker more than
 * all the rest of its life. */
#include "service/worker/nft-redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/base/fd.h"
#include "lib/base/macro.h"

#define TABLE "stauer-dns"
#define CHAIN "output"

#define BATCH_SIZE   8192U
#define MESSAGE_ROOM 1024U
#define NAT_DST      (-100) /* NF_IP_PRI_NAT_DST */

typedef struct Batch {
        uint8_t data[BATCH_SIZE];
        size_t size;
        uint32_t sequence;
        int failure;
} Batch;

static struct nl_msg *message_new(
        Batch *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
        struct nfgenmsg header = {
                .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)
        };
        struct nl_msg *m;

        if (b->failure < 0)
                return NULL;
        m = nlmsg_alloc_size(MESSAGE_ROOM);
        if (m && nlmsg_put(m, 0, ++b->sequence, type, 0, NLM_F_REQUEST | flags) &&
                nlmsg_append(m, &header, sizeof(header), NLMSG_ALIGNTO) >= 0)
                return m;
        if (m)
                nlmsg_free(m);
        b->failure = -ENOMEM;
        return NULL;
}

static struct nl_msg *table_message(Batch *b, unsigned what, uint16_t flags) {
        return message_new(
                b, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | what), flags, NFPROTO_IPV4, 0);
}

/* r: what came of writing it. Frees m. */
static void batch_add(Batch *b, struct nl_msg *m, int r) {
        size_t size;

        if (!m)
                return;
        size = NLMSG_ALIGN(nlmsg_hdr(m)->nlmsg_len);
        if (r < 0 || b->size + size > sizeof(b->data))
                b->failure = -ENOMEM;
        else {
                memcpy(b->data + b->size, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len);
                b->size += size;
        }
        nlmsg_free(m);
}

static int put_number(struct nl_msg *m, int type, uint32_t value) {
        return nla_put_u32(m, type, htonl(value));
}

/* NFTA_LIST_ELEM { name, NFTA_EXPR_DATA { … } }: the two nests are open afterwards. */
static int expression_begin(struct nl_msg *m, const char *name, struct nlattr *nests[static 2]) {
        nests[0] = nla_nest_start(m, NFTA_LIST_ELEM);
        if (!nests[0] || nla_put_string(m, NFTA_EXPR_NAME, name) < 0)
                return -ENOMEM;
        nests[1] = nla_nest_start(m, NFTA_EXPR_DATA);
        return nests[1] ? 0 : -ENOMEM;
}

static int expression_end(struct nl_msg *m, struct nlattr *nests[static 2]) {
        int r = nla_nest_end(m, nests[1]);

        return r < 0 ? r : nla_nest_end(m, nests[0]);
}

static int put_data(struct nl_msg *m, int type, const void *value, size_t size) {
        struct nlattr *nest = nla_nest_start(m, type);
        int r;

        if (!nest)
                return -ENOMEM;
        r = nla_put(m, NFTA_DATA_VALUE, (int) size, value);
        return r < 0 ? r : nla_nest_end(m, nest);
}

static int put_compare(struct nl_msg *m, const void *value, size_t size) {
        struct nlattr *nests[2];
        int r;

        r = expression_begin(m, "cmp", nests);
        if (r >= 0)
                r = put_number(m, NFTA_CMP_SREG, NFT_REG_1);
        if (r >= 0)
                r = put_number(m, NFTA_CMP_OP, NFT_CMP_EQ);
        if (r >= 0)
                r = put_data(m, NFTA_CMP_DATA, value, size);
        return r < 0 ? r : expression_end(m, nests);
}

static int match_payload(
        struct nl_msg *m, unsigned base, unsigned offset, const void *value, size_t size) {
        struct nlattr *nests[2];
        int r;

        r = expression_begin(m, "payload", nests);
        if (r >= 0)
                r = put_number(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
        if (r >= 0)
                r = put_number(m, NFTA_PAYLOAD_BASE, base);
        if (r >= 0)
                r = put_number(m, NFTA_PAYLOAD_OFFSET, offset);
        if (r >= 0)
                r = put_number(m, NFTA_PAYLOAD_LEN, (uint32_t) size);
        if (r >= 0)
                r = expression_end(m, nests);
        return r < 0 ? r : put_compare(m, value, size);
}

static int match_protocol(struct nl_msg *m, uint8_t protocol) {
        struct nlattr *nests[2];
        int r;

        r = expression_begin(m, "meta", nests);
        if (r >= 0)
                r = put_number(m, NFTA_META_DREG, NFT_REG_1);
        if (r >= 0)
                r = put_number(m, NFTA_META_KEY, NFT_META_L4PROTO);
        if (r >= 0)
                r = expression_end(m, nests);
        return r < 0 ? r : put_compare(m, &protocol, sizeof(protocol));
}

/* dnat to :port, the address stays. */
static int put_nat(struct nl_msg *m, uint16_t port) {
        uint16_t there = htons(port);
        struct nlattr *nests[2];
        int r;

        r = expression_begin(m, "immediate", nests);
        if (r >= 0)
                r = put_number(m, NFTA_IMMEDIATE_DREG, NFT_REG_1);
        if (r >= 0)
                r = put_data(m, NFTA_IMMEDIATE_DATA, &there, sizeof(there));
        if (r >= 0)
                r = expression_end(m, nests);
        if (r >= 0)
                r = expression_begin(m, "nat", nests);
        if (r >= 0)
                r = put_number(m, NFTA_NAT_TYPE, NFT_NAT_DNAT);
        if (r >= 0)
                r = put_number(m, NFTA_NAT_FAMILY, NFPROTO_IPV4);
        if (r >= 0)
                r = put_number(m, NFTA_NAT_REG_PROTO_MIN, NFT_REG_1);
        return r < 0 ? r : expression_end(m, nests);
}

static void add_table(Batch *b, unsigned what) {
        struct nl_msg *m = table_message(b, what, what == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);

        batch_add(b, m, m ? nla_put_string(m, NFTA_TABLE_NAME, TABLE) : 0);
}

static void add_chain(Batch *b) {
        struct nl_msg *m = table_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        struct nlattr *hook;
        int r;

        if (!m)
                return;
        r = nla_put_string(m, NFTA_CHAIN_TABLE, TABLE);
        if (r >= 0)
                r = nla_put_string(m, NFTA_CHAIN_NAME, CHAIN);
        if (r >= 0)
                r = nla_put_string(m, NFTA_CHAIN_TYPE, "nat");
        hook = r < 0 ? NULL : nla_nest_start(m, NFTA_CHAIN_HOOK);
        r = hook ? put_number(m, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT) : -ENOMEM;
        if (r >= 0)
                r = put_number(m, NFTA_HOOK_PRIORITY, (uint32_t) NAT_DST);
        if (r >= 0)
                r = nla_nest_end(m, hook);
        batch_add(b, m, r);
}

static void add_rule(Batch *b, uint8_t protocol, uint16_t port, bool last) {
        struct in_addr address = { htonl(0x7f00000b) }; /* 127.0.0.11 */
        uint16_t dns = htons(53);
        struct nlattr *list;
        struct nl_msg *m;
        int r;

        m = table_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | (last ? NLM_F_ACK : 0));
        if (!m)
                return;
        r = nla_put_string(m, NFTA_RULE_TABLE, TABLE);
        if (r >= 0)
                r = nla_put_string(m, NFTA_RULE_CHAIN, CHAIN);
        list = r < 0 ? NULL : nla_nest_start(m, NFTA_RULE_EXPRESSIONS);
        r = list ? match_payload(m, NFT_PAYLOAD_NETWORK_HEADER, 16, &address, sizeof(address))
                 : -ENOMEM;
        if (r >= 0)
                r = match_protocol(m, protocol);
        if (r >= 0)
                r = match_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, 2, &dns, sizeof(dns));
        if (r >= 0)
                r = put_nat(m, port);
        if (r >= 0)
                r = nla_nest_end(m, list);
        batch_add(b, m, r);
}

/* Reads until the answer to the last rule, or an error of any message. */
static int receive_answer(int fd, uint32_t last) {
        uint8_t buffer[BATCH_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));

        for (;;) {
                ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
                int left = (int) n;

                if (n < 0)
                        return -errno;
                for (struct nlmsghdr *h = (struct nlmsghdr *) buffer; nlmsg_ok(h, left);
                        h = nlmsg_next(h, &left)) {
                        const struct nlmsgerr *e = nlmsg_data(h);

                        if (h->nlmsg_type != NLMSG_ERROR || !nlmsg_valid_hdr(h, sizeof(*e)))
                                continue;
                        if (e->error < 0 || h->nlmsg_seq == last)
                                return e->error;
                }
        }
}

int nft_redirect_dns(uint16_t udp_port, uint16_t tcp_port) {
        static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        static const struct timeval patience = { .tv_sec = 10 };
        _cleanup_(fd_closep) int fd = -EBADF;
        Batch b = {};
        uint32_t last;

        batch_add(&b, message_new(&b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES), 0);
        add_table(&b, NFT_MSG_NEWTABLE); /* so that there is one to delete */
        add_table(&b, NFT_MSG_DELTABLE);
        add_table(&b, NFT_MSG_NEWTABLE);
        add_chain(&b);
        add_rule(&b, IPPROTO_UDP, udp_port, /* last= */ false);
        add_rule(&b, IPPROTO_TCP, tcp_port, /* last= */ true);
        last = b.sequence;
        batch_add(&b, message_new(&b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES), 0);
        if (b.failure < 0)
                return b.failure;

        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        if (sendto(fd, b.data, b.size, 0, (const struct sockaddr *) &kernel, sizeof(kernel)) < 0)
                return -errno;
        return receive_answer(fd, last);
}
