/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Ports knows which ports of the host are published, and by a socket on each keeps other programs off them. The socket serves nobody: the
 * firewall leads packets to the container before they could reach it, and a filter drops the rest. Owned by Engine.
 *
 * A daemon that comes back calls ports_adopt() for what is published: the sockets are made anew, no connection notices. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Json Json;
typedef struct PortBindings PortBindings;
typedef struct PortMapping PortMapping;
typedef struct Ports Ports;
typedef struct PortsWish PortsWish;

/* One published port of one container, of one family: the container's address of that family is behind it. */
struct PortMapping {
        int protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
        int family;   /* AF_INET, AF_INET6 */
        union {
                struct in_addr address4;
                struct in6_addr address6;
        } host; /* all 0: every address of the host */
        uint16_t
                host_port; /* 0: none; the container's address is reached directly (gateway mode "routed") */
        uint16_t port; /* inside */
};

/* What a container asks for. All borrowed. */
struct PortsWish {
        const PortBindings *bindings; /* HostConfig.PortBindings */
        size_t n_bindings;
        char *const *exposed; /* "80/tcp"; of use with publish_all only */
        bool publish_all;
        const char *
                default_ip; /* for bindings that name none; NULL or "": every address of the host */
        bool has4, has6;    /* families in which the container has an address */
        bool routed4, routed6; /* gateway mode of the network: no port of the host is taken */
};

int ports_new(Ports **ret);
Ports *ports_free(Ports *p); /* closes the sockets; what the firewall does is not changed */
DEFINE_CLEANUP(Ports *, ports_free);

/* For create: are these bindings well formed? ERROR_INVALID with Docker's words. Pure. */
int ports_check(const PortsWish *w, Error *reterr);

/* Chooses and takes the ports, all or none; the mappings are in the order of the bindings, IPv4 before IPv6. Errors are Docker's:
 * "Bind for 0.0.0.0:80 failed: port is already allocated" (another container has it), "failed to bind host port 0.0.0.0:80/tcp: address
 * already in use" (another program), "all ports are allocated". Bindings to a family that the container has no address of are left out. */
int ports_reserve(Ports *p, const PortsWish *w, PortMapping **ret, size_t *ret_n, Error *reterr);

/* The same for ports that are published already. A socket that cannot be bound (somebody was quicker) is logged: the port stays taken. */
int ports_adopt(Ports *p, const PortMapping *m, size_t n);

/* Of those that ports_reserve() or ports_adopt() have given; others are passed over. */
void ports_release(Ports *p, const PortMapping *m, size_t n);

/* Saved form, a list of "0.0.0.0:8080->80/tcp", "[::]:8080->80/tcp"; without a port of the host "0.0.0.0:0->80/tcp". Reading checks. */
int port_mappings_write(const PortMapping *m, size_t n, Json **ret);
int port_mappings_read(Json *v, PortMapping **ret, size_t *ret_n, Error *reterr);
#define PORT_MAPPING_TEXT_SIZE (INET6_ADDRSTRLEN + sizeof("[]:65535->65535/sctp"))
const char *port_mapping_format(const PortMapping *m, char ret[static PORT_MAPPING_TEXT_SIZE]);
int port_mapping_parse(const char *text, PortMapping *ret); /* -EINVAL */
static inline PortMapping *port_mappings_free(PortMapping *m) {
        free(m);
        return NULL;
}

/* "0.0.0.0", "::", for documents. */
const char *port_mapping_host_ip(const PortMapping *m, char ret[static INET6_ADDRSTRLEN]);
bool port_mapping_is_any(const PortMapping *m) _pure_;
const char *port_protocol_name(int protocol); /* "tcp"; NULL: none of ours */
/* "80/tcp", "80": 0 or -EINVAL. */
int port_parse(const char *text, uint16_t *ret_port, int *ret_protocol);
