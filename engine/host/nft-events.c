/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/nft-events.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

#define EVENTS_BUFFER (1024 * 1024) /* bytes that may wait while we are busy */

/* The names of what is changed stand first in every message: NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE … are all 1. */
#define ATTRIBUTE_TABLE 1

/* NULL: not there, or broken. */
static const void *attribute(const struct nlmsghdr *h, unsigned type, size_t *ret_size) {
        size_t offset = NLMSG_LENGTH(sizeof(struct nfgenmsg));
        const char *base = (const char *) h;

        while (offset + sizeof(struct nlattr) <= h->nlmsg_len) {
                struct nlattr a;

                memcpy(&a, base + offset, sizeof(a));
                if (a.nla_len < sizeof(a) || offset + a.nla_len > h->nlmsg_len)
                        return NULL;
                if ((a.nla_type & NLA_TYPE_MASK) == type) {
                        *ret_size = a.nla_len - sizeof(a);
                        return base + offset + sizeof(a);
                }
                offset += NLA_ALIGN(a.nla_len);
        }
        return NULL;
}

static bool names_table(const struct nlmsghdr *h, const char *table) {
        size_t size = 0, n = strlen(table) + 1;
        const char *name;

        if (h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || (h->nlmsg_type & 0xff) == NFT_MSG_NEWGEN)
                return false;
        name = attribute(h, ATTRIBUTE_TABLE, &size);
        return name && size == n && memcmp(name, table, n) == 0;
}

bool nft_events_name_table(const void *data, size_t size, const char *table) {
        const char *p = data;

        while (size >= sizeof(struct nlmsghdr)) {
                _Alignas(struct nlmsghdr) char copy[sizeof(struct nlmsghdr)];
                const struct nlmsghdr *h = (const struct nlmsghdr *) copy;
                size_t step;

                memcpy(copy, p, sizeof(copy));
                if (h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)) || h->nlmsg_len > size)
                        return true;
                if (names_table((const struct nlmsghdr *) p, table))
                        return true;
                step = NLMSG_ALIGN(h->nlmsg_len);
                if (step >= size)
                        return false;
                p += step;
                size -= step;
        }
        return size > 0;
}

int nft_generation_parse(const void *data, size_t size, uint32_t *ret) {
        const struct nlmsghdr *h = data;
        size_t n = 0;
        const void *id;
        uint32_t value;

        if (size < NLMSG_LENGTH(sizeof(struct nfgenmsg)) || h->nlmsg_len > size ||
                h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)) ||
                h->nlmsg_type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN))
                return -EBADMSG;
        id = attribute(h, NFTA_GEN_ID, &n);
        if (!id || n != sizeof(value))
                return -EBADMSG;
        memcpy(&value, id, sizeof(value));
        *ret = ntohl(value);
        return 0;
}

int nft_generation(int fd, uint32_t *ret) {
        struct {
                struct nlmsghdr header;
                struct nfgenmsg body;
        } request = {
                .header = { .nlmsg_len = sizeof(request),
                        .nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN,
                        .nlmsg_flags = NLM_F_REQUEST },
                .body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
        };
        _Alignas(struct nlmsghdr) char answer[1024];
        ssize_t n;

        if (send(fd, &request, sizeof(request), 0) < 0)
                return -errno;
        /* The kernel has answered before send() returned. */
        n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        return nft_generation_parse(answer, (size_t) n, ret);
}

int nft_generation_open(void) {
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

        return fd < 0 ? -errno : fd;
}

int nft_events_open(void) {
        struct sockaddr_nl address = { .nl_family = AF_NETLINK };
        int group = NFNLGRP_NFTABLES, size = EVENTS_BUFFER;
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
        if (fd < 0)
                return -errno;
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ||
                setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        return TAKE_FD(fd);
}
