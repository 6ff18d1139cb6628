/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The socket that keeps other programs off a port of the host, and the range out of which ports are chosen. */

#include <stdint.h>

typedef struct PortMapping PortMapping;

/* Binds, and for tcp and sctp listens: only so two programs that both set SO_REUSEADDR see each other. Nothing that arrives at the socket is
 * answered or kept. The fd, or -EPROTONOSUPPORT: the kernel does not know the protocol; -EADDRINUSE, -EADDRNOTAVAIL, -EACCES. */
int port_hold(const PortMapping *m);

/* net.ipv4.ip_local_port_range without ip_local_reserved_ports; 49153 … 65535 when it cannot be read. */
typedef struct PortRange {
        uint16_t first, last;
        uint8_t reserved[(UINT16_MAX + 1) / 8]; /* bit set: not to be chosen */
} PortRange;
void port_range_read(PortRange *ret);
/* The same from text of both files. Pure. */
void port_range_parse(const char *range, const char *reserved, PortRange *ret);
