/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/host/netlink-call.h"
#include "lib/base/fd.h"

#define ANSWER_MAX (64U * 1024U) /* one part of a list */

int netlink_socket_open(void) {
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

        return fd < 0 ? -errno : fd;
}

void netlink_socket_prepare(int fd) {
        static const int on = 1;

        (void) setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
        (void) setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
        (void) fd_set_nonblock(fd, true);
}

int netlink_send(Netlink *n, struct nl_msg *m) {
        static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        struct nlmsghdr *h = nlmsg_hdr(m);

        h->nlmsg_seq = ++n->sequence;
        n->answer = 0;
        n->words[0] = 0;
        if (sendto(n->fd, h, h->nlmsg_len, MSG_DONTWAIT, (const struct sockaddr *) &kernel,
                    sizeof(kernel)) < 0)
                return -errno;
        n->waits = true;
        return 0;
}

/* The kernel's sentence behind an error. */
static void note_words(Netlink *n, const struct nlmsghdr *h) {
        const struct nlmsgerr *e = nlmsg_data(h);
        struct nlattr *a;
        int skip = sizeof(*e);

        if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
                return;
        if (!(h->nlmsg_flags & NLM_F_CAPPED))
                skip += (int) e->msg.nlmsg_len - NLMSG_HDRLEN;
        skip = NLMSG_ALIGN(skip);
        if (nlmsg_datalen(h) <= skip)
                return;
        a = nla_find((struct nlattr *) ((char *) nlmsg_data(h) + skip), nlmsg_datalen(h) - skip,
                NLMSGERR_ATTR_MSG);
        if (a)
                (void) snprintf(
                        n->words, sizeof(n->words), "%.*s", nla_len(a), (const char *) nla_data(a));
}

int netlink_ask(Netlink *n, const NetlinkRef *ref) {
        struct ifinfomsg header = {};
        struct nl_msg *m;
        int r;

        m = nlmsg_alloc_size(256);
        if (!m)
                return -ENOMEM;
        if (nlmsg_put(m, 0, 0, RTM_GETLINK, 0, NLM_F_REQUEST) &&
                nlmsg_append(m, &header, sizeof(header), NLMSG_ALIGNTO) >= 0 &&
                nla_put_string(m, IFLA_IFNAME, ref->name) >= 0)
                r = netlink_send(n, m);
        else
                r = -ENOMEM;
        nlmsg_free(m);
        if (r >= 0)
                n->asks = ref;
        return r;
}

static void learn_index(NetlinkCall *c, const char *name, int ifindex) {
        Known *k = c->known + (c->n_known < KNOWN_MAX ? c->n_known++ : 0);

        strcpy(k->name, name);
        k->ifindex = ifindex;
}

/* 1: the answer is complete. */
static int take_message(Netlink *n, NetlinkCall *c, NetlinkStep *s, const struct nlmsghdr *h) {
        const struct ifinfomsg *link = nlmsg_data(h);
        int r;

        switch (h->nlmsg_type) {
        case NLMSG_ERROR:
                if (!nlmsg_valid_hdr(h, sizeof(struct nlmsgerr)))
                        return -EBADMSG;
                note_words(n, h);
                r = ((const struct nlmsgerr *) nlmsg_data(h))->error;
                if (n->answer >= 0)
                        n->answer = r;
                return 1;
        case NLMSG_DONE:
                if (nlmsg_datalen(h) >= (int) sizeof(int) && n->answer >= 0)
                        n->answer = MIN(0, *(const int *) nlmsg_data(h));
                return 1;
        case NLMSG_NOOP:
                return 0;
        case NLMSG_OVERRUN:
                return -ENOBUFS;
        }

        if (n->asks) {
                if (h->nlmsg_type != RTM_NEWLINK || !nlmsg_valid_hdr(h, sizeof(*link)))
                        return -EBADMSG;
                learn_index(c, n->asks->name, link->ifi_index);
                return 1;
        }
        if (s->on_message && n->answer >= 0)
                n->answer = MIN(0, s->on_message(c->batch, s, h));
        return 0;
}

int netlink_receive(Netlink *n, NetlinkCall *c, NetlinkStep *s) {
        static char buffer[ANSWER_MAX]
                __attribute__((aligned(NLMSG_ALIGNTO))); /* one thread, used inside of here only */
        struct sockaddr_nl from = {};
        struct iovec iov = { buffer, sizeof(buffer) };
        struct msghdr m = {
                .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
        };
        ssize_t size;
        int left, r;

        size = recvmsg(n->fd, &m, MSG_DONTWAIT);
        if (size < 0)
                return -errno;
        if (m.msg_flags & MSG_TRUNC)
                return -EMSGSIZE;
        if (from.nl_pid != 0)
                return 0; /* only the kernel is believed */

        left = (int) size;
        for (struct nlmsghdr *h = (struct nlmsghdr *) buffer; nlmsg_ok(h, left);
                h = nlmsg_next(h, &left)) {
                if (h->nlmsg_seq != n->sequence)
                        continue; /* to something that was forgotten */
                r = take_message(n, c, s, h);
                if (r != 0)
                        return r;
        }
        return 0;
}
