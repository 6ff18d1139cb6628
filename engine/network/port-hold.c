/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/port-hold.h"

#include <linux/filter.h>
#include <stdio.h>
#include <string.h>

#include "engine/network/ports.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"

#define RANGE_FIRST 49153U
#define RANGE_LAST  65535U

static int option(int fd, int level, int name, int value) {
        return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* Lets nothing in: a packet that the firewall did not lead away (its rules are gone for a moment) is neither answered with a reset, which
 * would end a connection that goes on when they are back, nor kept. */
static int deaf(int fd) {
        struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
        struct sock_fprog program = { .len = 1, .filter = &drop };

        return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
                                                                                           : 0;
}

int port_hold(const PortMapping *m) {
        struct sockaddr_in6 six = { .sin6_family = AF_INET6,
                .sin6_port = htons(m->host_port),
                .sin6_addr = m->host.address6 };
        struct sockaddr_in four = {
                .sin_family = AF_INET, .sin_port = htons(m->host_port), .sin_addr = m->host.address4
        };
        bool is_udp = m->protocol == IPPROTO_UDP;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        fd = socket(m->family, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
                m->protocol);
        if (fd < 0)
                return errno == ESOCKTNOSUPPORT || errno == EAFNOSUPPORT ? -EPROTONOSUPPORT
                                                                         : -errno;

        r = deaf(fd);
        if (r >= 0 && m->family == AF_INET6)
                r = option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        /* Connections of an earlier owner that linger must not stand in the way. Two udp sockets with it would share the port. */
        if (r >= 0 && !is_udp)
                r = option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (r < 0)
                return r;

        if (m->family == AF_INET ? bind(fd, (struct sockaddr *) &four, sizeof(four)) < 0
                                 : bind(fd, (struct sockaddr *) &six, sizeof(six)) < 0)
                return -errno;
        if (!is_udp && listen(fd, 0) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static void reserve(PortRange *range, const char *part) {
        unsigned first, last;
        char dash;

        if (sscanf(part, "%u%c%u", &first, &dash, &last) != 3 || dash != '-')
                last = first = (unsigned) strtoul(part, NULL, 10);
        for (unsigned i = first; i <= last && i <= UINT16_MAX; i++)
                range->reserved[i / 8] |= (uint8_t) (1U << (i % 8));
}

void port_range_parse(const char *range, const char *reserved, PortRange *ret) {
        unsigned first, last;

        *ret = (PortRange) { .first = RANGE_FIRST, .last = RANGE_LAST };
        if (range && sscanf(range, "%u %u", &first, &last) == 2 && first > 0 && first <= last &&
                last <= UINT16_MAX) {
                ret->first = (uint16_t) first;
                ret->last = (uint16_t) last;
        }
        for (const char *p = reserved; p && *p >= '0' && *p <= '9';) {
                reserve(ret, p);
                p = strchr(p, ',');
                if (p)
                        p++;
        }
}

void port_range_read(PortRange *ret) {
        _cleanup_(freep) char *range = NULL, *reserved = NULL;

        (void) file_read("/proc/sys/net/ipv4/ip_local_port_range", 4096, &range, NULL);
        (void) file_read("/proc/sys/net/ipv4/ip_local_reserved_ports", 1U << 20, &reserved, NULL);
        port_range_parse(range, reserved, ret);
}
