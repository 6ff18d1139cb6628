/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the two halves of the resolver share: questions over UDP (resolver.c) and over TCP (resolver-tcp.c). */

#include "engine/network/dns-message.h"
#include "engine/network/forward.h"
#include "engine/network/name-table.h"
#include "engine/network/upstream.h"
#include "lib/base/list.h"

typedef struct FdStore FdStore;
typedef struct Hashmap Hashmap;
typedef struct Resolver Resolver;
typedef struct Seat Seat;
typedef struct sd_event sd_event;
typedef struct sd_event_source sd_event_source;

#define SEAT_FORWARDS_MAX 256U  /* of one container on their way to upstream servers */
#define SEAT_CLIENTS_MAX  32U   /* TCP connections of one container */
#define CLIENTS_MAX       1024U /* of all */

/* What one container may ask: more waits in the kernel, and is dropped there. */
#define SEAT_RATE_USEC  UINT64_C(100000)
#define SEAT_RATE_BURST 1000U

struct Resolver {
        sd_event *event;
        FdStore *store;
        NameTable *names;
        HostUpstreams *host;
        Forwarder *forwarder;
        Hashmap *seats; /* by container id */
        unsigned n_clients;
        NameAnswer found;
        uint8_t in[DNS_MESSAGE_MAX];
        uint8_t out[DNS_MESSAGE_MAX];
};

/* Where a container sits. */
struct Seat {
        Resolver *resolver;
        char *container_id;
        char *keep_name;
        int udp_fd;
        int tcp_fd;
        sd_event_source *udp_io;
        sd_event_source *tcp_io;
        Upstreams dns; /* empty: the host's */
        unsigned n_forwards;
        List questions; /* over UDP, on their way */
        List clients;   /* TCP connections */
        unsigned n_clients;
};

/* Answers what we know, and what is wrong: 1 the answer is in resolver->out, *ret_size bytes. 0: somebody else must be asked. -EBADMSG: it
 * deserves no answer. */
int seat_answer(Seat *s, const uint8_t *message, size_t size, bool over_tcp, DnsQuestion *ret,
        size_t *ret_size);
/* Asks upstream; negative errno when it cannot be begun: then the answer of seat_refuse() is due. */
int seat_forward(Seat *s, const DnsQuestion *q, const uint8_t *message, size_t size, bool over_tcp,
        forward_done_t done, void *userdata, Forward **ret);
size_t seat_refuse(Seat *s, const DnsQuestion *q, const uint8_t *message); /* into resolver->out */

int seat_listen(Seat *s); /* TCP */
void seat_drop_clients(Seat *s);
