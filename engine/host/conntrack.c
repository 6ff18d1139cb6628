/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/event/loop.h"

#define READ_MAX 32768U /* more than the kernel puts into one datagram */
#define WALK     1U     /* sequence number of the request that walks */

typedef struct Wanted {
        int family;
        uint8_t protocol;
        uint16_t port;
} Wanted;

struct Conntrack {
        sd_event *event;
        int fd;
        sd_event_source *source;
        Wanted *wanted; /* [0, n_walking) are looked for now, the rest in the next walk */
        size_t n_wanted, n_walking, n_allocated;
};

typedef struct Attribute {
        const void *data;
        size_t size;
} Attribute;

int conntrack_new(sd_event *e, Conntrack **ret) {
        Conntrack *c;

        assert(e);
        assert(ret);

        c = new0(Conntrack, 1);
        if (!c)
                return -ENOMEM;
        c->event = sd_event_ref(e);
        c->fd = -EBADF;
        *ret = c;
        return 0;
}

Conntrack *conntrack_free(Conntrack *c) {
        if (!c)
                return NULL;
        (void) loop_source_free(c->source);
        (void) fd_close(c->fd);
        free(c->wanted);
        (void) loop_free(c->event);
        free(c);
        return NULL;
}

/* The first attribute of the type in [data, data + size). */
static Attribute find(const void *data, size_t size, unsigned type) {
        const char *p = data;
        struct nlattr a;

        while (size >= sizeof(a)) {
                size_t step;

                memcpy(&a, p, sizeof(a));
                if (a.nla_len < sizeof(a) || a.nla_len > size)
                        break;
                if ((a.nla_type & NLA_TYPE_MASK) == type)
                        return (Attribute) { p + sizeof(a), a.nla_len - sizeof(a) };
                step = NLA_ALIGN(a.nla_len);
                if (step >= size)
                        break;
                p += step;
                size -= step;
        }
        return (Attribute) {};
}

static Attribute inside(Attribute a, unsigned type) {
        return a.data ? find(a.data, a.size, type) : a;
}

/* An address that a socket can be bound to is the host's own. */
static bool is_local(int family, const void *address) {
        struct sockaddr_in four = { .sin_family = AF_INET };
        struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return false;
        if (family == AF_INET) {
                memcpy(&four.sin_addr, address, sizeof(four.sin_addr));
                return bind(fd, (struct sockaddr *) &four, sizeof(four)) >= 0;
        }
        memcpy(&six.sin6_addr, address, sizeof(six.sin6_addr));
        return bind(fd, (struct sockaddr *) &six, sizeof(six)) >= 0;
}

static bool is_wanted(const Conntrack *c, const struct nlmsghdr *h) {
        const struct nfgenmsg *body = NLMSG_DATA(h);
        int family = body->nfgen_family;
        Attribute tuple, proto, number, port, address;
        uint16_t value;

        tuple = find((const char *) body + NLMSG_ALIGN(sizeof(*body)),
                h->nlmsg_len - NLMSG_LENGTH(sizeof(*body)), CTA_TUPLE_ORIG);
        proto = inside(tuple, CTA_TUPLE_PROTO);
        number = inside(proto, CTA_PROTO_NUM);
        port = inside(proto, CTA_PROTO_DST_PORT);
        address = inside(
                inside(tuple, CTA_TUPLE_IP), family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST);
        if (number.size != 1 || port.size != sizeof(value) ||
                address.size !=
                        (family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr)))
                return false;
        memcpy(&value, port.data, sizeof(value));
        for (size_t i = 0; i < c->n_walking; i++)
                if (c->wanted[i].family == family && c->wanted[i].port == ntohs(value) &&
                        c->wanted[i].protocol == *(const uint8_t *) number.data)
                        return is_local(family, address.data);
        return false;
}

/* "Delete" with the tuple that the kernel has shown. Not answered: it may be gone by itself. */
static void forget_flow(Conntrack *c, const struct nlmsghdr *h) {
        const struct nfgenmsg *body = NLMSG_DATA(h);
        Attribute tuple = find((const char *) body + NLMSG_ALIGN(sizeof(*body)),
                h->nlmsg_len - NLMSG_LENGTH(sizeof(*body)), CTA_TUPLE_ORIG);
        struct {
                struct nlmsghdr header;
                struct nfgenmsg body;
                struct nlattr attribute;
                char data[256];
        } request = {
                .header = { .nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
                        .nlmsg_flags = NLM_F_REQUEST },
                .body = { .nfgen_family = body->nfgen_family, .version = NFNETLINK_V0 },
                .attribute = { .nla_type = CTA_TUPLE_ORIG | NLA_F_NESTED },
        };

        if (tuple.size > sizeof(request.data))
                return;
        memcpy(request.data, tuple.data, tuple.size);
        request.attribute.nla_len = (uint16_t) (sizeof(request.attribute) + tuple.size);
        request.header.nlmsg_len =
                (uint32_t) (offsetof(typeof(request), data) + NLA_ALIGN(tuple.size));
        if (send(c->fd, &request, request.header.nlmsg_len, 0) < 0)
                log_debug_errno(-errno, "A flow cannot be forgotten: %m");
}

static int walk(Conntrack *c) {
        struct {
                struct nlmsghdr header;
                struct nfgenmsg body;
        } request = {
                .header = { .nlmsg_len = sizeof(request),
                        .nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                        .nlmsg_seq = WALK },
                .body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
        };

        if (send(c->fd, &request, sizeof(request), 0) < 0)
                return -errno;
        c->n_walking = c->n_wanted;
        return 0;
}

/* 1: the walk has ended. */
static int read_flows(Conntrack *c, const void *data, size_t size) {
        const char *p = data;

        while (size >= sizeof(struct nlmsghdr)) {
                const struct nlmsghdr *h = (const struct nlmsghdr *) p;
                size_t step;

                if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > size)
                        return -EBADMSG;
                if (h->nlmsg_seq == WALK &&
                        (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR))
                        return 1;
                if (h->nlmsg_type == ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW) &&
                        h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg)) && is_wanted(c, h))
                        forget_flow(c, h);
                step = NLMSG_ALIGN(h->nlmsg_len);
                if (step >= size)
                        break;
                p += step;
                size -= step;
        }
        return 0;
}

/* What was asked for meanwhile gets a walk of its own: this one may have passed it already. */
static void end_walk(Conntrack *c) {
        int r;

        c->n_wanted -= c->n_walking;
        memmove(c->wanted, c->wanted + c->n_walking, c->n_wanted * sizeof(*c->wanted));
        c->n_walking = 0;
        if (c->n_wanted == 0)
                return;
        r = walk(c);
        if (r < 0) {
                c->n_wanted = 0;
                (void) log_debug_errno(r, "Flows cannot be looked at: %m");
        }
}

static int on_flows(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        _Alignas(8) char data[READ_MAX];
        Conntrack *c = userdata;
        ssize_t n;

        n = recv(fd, data, sizeof(data), MSG_TRUNC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        /* A message that is lost ends the walk early: the flows in it time out by themselves when the client rests. */
        if (n < 0 || (size_t) n > sizeof(data) || read_flows(c, data, (size_t) n) != 0)
                end_walk(c);
        return 0;
}

static int ensure_socket(Conntrack *c) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        if (c->source)
                return 0;
        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
        if (fd < 0)
                return -errno;
        r = loop_io(c->event, fd, EPOLLIN, LOOP_SYSTEM, "conntrack", on_flows, c, &c->source);
        if (r < 0)
                return r;
        c->fd = TAKE_FD(fd);
        return 0;
}

int conntrack_forget(Conntrack *c, int family, uint8_t protocol, uint16_t port) {
        int r;

        assert(c);

        r = ensure_socket(c);
        if (r >= 0)
                r = array_grow(&c->wanted, &c->n_allocated, c->n_wanted + 1);
        if (r < 0)
                return r;
        c->wanted[c->n_wanted++] = (Wanted) { family, protocol, port };
        if (c->n_walking > 0)
                return 0;
        r = walk(c);
        if (r < 0)
                c->n_wanted = 0;
        return r;
}
